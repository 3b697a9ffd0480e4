# GROW GM67, M5Stack ATOM QR and their kin: SSI's packets, with parameters of their own and no AIM identifiers.
# pyright: reportAttributeAccessIssue=false
from scanlatch.read.engines import ssi


def Driver(*wired):
    """An `ssi.Driver` that is set up by `ssi_lite_setup`."""
    driver = ssi.Driver(*wired)
    driver.NAME = "ssi_lite"
    driver.baud = 115200
    return driver
