# The engine's serial line: bytes in, frames out, and how long it has been quiet.
from micropython import const

from scanlatch.read import symbol

FRAME_MOST = const(1024)  # bytes of one symbol; the largest that any record may hold is half of it
SILENCE_MS = const(40)  # as long as this nothing came: what came before is whole
POLL_MS = const(4)  # how often the line is looked at; 46 bytes at 115200, the receive buffer holds 4,096

_CHUNK = const(128)
_CHUNKS = const(32)  # a receive buffer's worth, then the other tasks get their turn


class Port:
    """uart: `any`, `readinto`, `write`; clock: `ms()`."""

    def __init__(self, uart, clock):
        self._uart = uart
        self._clock = clock
        self._chunk = bytearray(_CHUNK)
        self._heard_ms = clock.ms()

    def write(self, data):
        self._uart.write(data)

    def listen(self, put):
        """Give every byte that has come to `put`. Returns how many there were."""
        count = 0
        for _ in range(_CHUNKS):
            if not self._uart.any():
                break
            n = self._uart.readinto(self._chunk)
            if not n:
                break
            self._heard_ms = self._clock.ms()
            for i in range(n):
                put(self._chunk[i])
            count += n
        return count

    def quiet_ms(self):
        """Milliseconds since the last byte came; 0 where one lies unread."""
        return 0 if self._uart.any() else self._clock.ms() - self._heard_ms


class Framer:
    """Collects bytes up to one of `ends`, or to `flush` at silence, then calls `on_frame(AIM identifier or "", data)`.

    A frame over FRAME_MOST is reported at once with empty data, and its rest is skipped. Empty frames are no frames, so
    that CR LF ends one, not two.
    """

    def __init__(self, on_frame, ends):
        self._on_frame = on_frame
        self._ends = ends
        self._bytes = bytearray(FRAME_MOST)
        self._view = memoryview(self._bytes)
        self._count = 0
        self._skip = False

    def open(self):
        """Whether a frame has begun and not ended."""
        return self._skip or self._count > 0

    def put(self, byte):
        if byte in self._ends:
            self.flush()
        elif self._skip:
            pass
        elif self._count < FRAME_MOST:
            self._bytes[self._count] = byte
            self._count += 1
        else:
            self._count = 0
            self._skip = True
            self._on_frame("", b"")

    def flush(self):
        """The frame, if one is open, ends here."""
        count, self._count = self._count, 0
        self._skip = False
        if count:
            identifier, data = symbol.split(self._view[:count])
            self._on_frame(identifier, data)

    def clear(self):
        """Forget what has come of a frame."""
        self._count = 0
        self._skip = False
