# M5Stack Atomic QRCode2 Base, Module13.2 QRCode and Unit QRCode (M14): short commands, symbols behind their length.
from micropython import const

from scanlatch.read.engines.commanded import Commanded

_SYMBOL = const(0x03)  # begins one, then its length in 2 bytes
_TEXT = const(b"\x43\x02\xc1")  # the one command whose reply has a length
_TAIL = const(2)  # bytes that may come behind a reply
_NO_MODE = const(b"\xff")


class Driver(Commanded):
    """See `Commanded`. A reply is the byte behind the three that say what it replies to, or the version's text."""

    ON = b"\x32\x75\x01"  # has no reply
    OFF = b"\x32\x75\x02"
    BEAT = b"\x23\x61\x41"
    IS = b"\x00"
    ends = b""
    baud = 115200
    _tail = 0

    async def arm(self, on):
        if not on:
            await super().arm(on)
            return
        self._read_ms = None
        self._uart.write(self.ON)
        self._beat_ms = self._clock.ms()

    def take(self, byte):
        if self.count or (byte == _SYMBOL and not self.held):
            self.put(byte)
            frame, count = self._frame, self.count
            if count >= 3 and count == 3 + (frame[1] << 8 | frame[2]):
                self.framed("", self.cut()[3:].rstrip(b"\r\n"))
        elif self.due:
            asked, held = self.asked, self.held + bytes((byte,))
            head = bytes((asked[0] + 1,)) + asked[1:3]
            while held[:3] != head[: len(held)]:
                held = held[1:]
            size = 4
            if asked == _TEXT:
                size = 5 + (held[3] << 8 | held[4]) if len(held) > 4 else 6
            self.held = held
            if len(held) >= size:
                self.held = b""
                self._tail = _TAIL
                self.replied(held[5 if asked == _TEXT else 3 :])
        elif self._tail:
            self._tail -= 1
        else:  # the beginning of a symbol is lost, or it sends none any more: then it is to be set up anew
            self.count = -1
            self.IS = _NO_MODE
