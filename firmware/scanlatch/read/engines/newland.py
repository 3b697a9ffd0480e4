# Newland EM3080, EM3096, FM430, N1 and Sunmi's heads: the Unified Command Set.
from micropython import const

from scanlatch.read.engines.commanded import Commanded

_HEAD = const(b"\x02\x010000")
_REPLY_MOST = const(512)  # bytes; the longest is the version's text


class Driver(Commanded):
    """See `Commanded`. Frames are the AIM identifier, data and CR."""

    ON = b"\x7e\x010000#SCNTRG1;\x03"
    OFF = b"\x7e\x010000#SCNTRG0;\x03"
    BEAT = b"\x7e\x010000#SCNMOD*;\x03"
    IS = b"SCNMOD0"
    GAP_MS = 50  # vendor's software

    def as_reply(self, held):
        """The text between storage character and status; b"" where the status is not ACK (HR52 manual)."""
        if held[:6] != _HEAD[: len(held)]:
            return False
        if held[-2:] != b";\x03":
            return len(held) < _REPLY_MOST
        return held[7:-3] if held[-3] == 0x06 else b""
