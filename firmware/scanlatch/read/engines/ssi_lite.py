# GROW GM67, M5Stack ATOM QR and their kin: SSI's packets, with parameters of their own.
from scanlatch.read.engines import ssi


class Driver(ssi.Driver):
    """See `ssi.Driver`. There are no AIM identifiers."""

    NAME = "ssi_lite"
    baud = 115200
