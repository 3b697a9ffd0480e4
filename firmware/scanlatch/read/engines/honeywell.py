# Honeywell N36xx, N4680, N56xx, N66xx, N67xx and HF: menu commands, and symbols behind a header that says their kind.
from micropython import const

from scanlatch.read.engines.commanded import Commanded, split

_HELD_MOST = const(256)  # bytes; the longest reply is the version's text
_FRAME = const(7)  # 16 FE, length of the rest in 4 bytes, low byte first, 0D
_HEADER = const(21)  # that, MSGGET, length in 4 digits, Honeywell's and the AIM letters, 1D; data and CR follow


class Driver(Commanded):
    """See `Commanded`. `ends` is b"" once the engine sends headers, else frames are data and CR."""

    ON = b"\x16T\r"  # neither has a reply
    OFF = b"\x16U\r"
    BEAT = b"\x16M\rTRGMOD?!"
    IS = b"TRGMOD0"
    baud = 115200

    async def arm(self, on):
        self._read_ms = None
        self._uart.write(self.ON if on else self.OFF)
        self._beat_ms = self._clock.ms()

    def take(self, byte):
        if not self.ends and (self.count or byte == 0x16):
            self.put(byte)
            self._look()
        elif self.due:
            held = self.held + bytes((byte,))
            if byte in b".!" and len(held) > 1 and held[-2] in b"\x06\x05\x15":
                self.replied(held[:-2] if held[-2] == 0x06 else b"")
                held = b""
            self.held = held[-_HELD_MOST:]
        elif self.ends:
            self.put(byte)
        else:
            self.count = -1  # the beginning of a symbol is lost

    def _look(self):
        # Whether the open frame is whole (header DECHDR1, facts of enioka's parser and its tests).
        frame, count = self._frame, self.count
        if count < _FRAME:
            return
        if count == _FRAME and (frame[1] != 0xFE or frame[4] or frame[5] or frame[6] != 0x0D):
            self.count = -1
        elif count == _FRAME + (frame[2] | frame[3] << 8):
            frame = self.cut()
            if count < _HEADER or frame[7:17] != b"MSGGET%04d" % (count - _HEADER) or frame[20] != 0x1D:
                self.torn()
            else:
                self.framed(split(b"]" + frame[18:20])[0], frame[_HEADER:].rstrip(b"\r"))
