# The engine's serial line: bytes in, frames out, and how long it has been quiet.
from micropython import const

SILENCE_MS = const(40)  # as long as this nothing came: what came before is whole
POLL_MS = const(4)  # how often the line is looked at; 46 bytes at 115200, the receive buffer holds 4,096

_FRAME_MOST = const(1024)  # bytes of one symbol; the largest that any record may hold is half of it
_FRAME_USUAL = const(128)  # room for more is taken when it comes
_CHUNK = const(64)
_CHUNKS = const(64)  # a receive buffer's worth, then the other tasks get their turn


class Port:
    """What every engine's driver is made of. uart: `any`, `readinto`, `write`; clock: `ms()`.

    Bytes are collected up to one of `ends`, or to `flush` at silence; then `on_frame(AIM identifier or "", data)` is
    called. A frame over 1,024 bytes, or that memory has no room for, is reported at once with empty data, and its rest
    is skipped. Empty frames are no frames, so that CR LF ends one, not two.
    """

    def __init__(self, uart, clock, ends):
        self._uart = uart
        self._clock = clock
        self._ends = ends
        self._chunk = bytearray(_CHUNK)
        self._heard_ms = clock.ms()
        self._frame = bytearray(_FRAME_USUAL)
        self.count = 0  # bytes of the frame that is open; -1 while its rest is skipped
        self._on_frame = None

    def quiet_ms(self):
        """Milliseconds since the engine sent a byte; 0 where one lies unread."""
        return 0 if self._uart.any() else self._clock.ms() - self._heard_ms

    def listen(self, put):
        """Give every byte that has come to `put`. Returns how many there were."""
        count = 0
        for _ in range(_CHUNKS):
            n = self._uart.readinto(self._chunk) if self._uart.any() else 0
            if not n:
                break
            self._heard_ms = self._clock.ms()
            for i in range(n):
                put(self._chunk[i])
            count += n
        return count

    def put(self, byte):
        """One byte of a frame."""
        if byte in self._ends:
            self.flush()
        elif self.count >= 0:
            if self.count == len(self._frame) and not self._widen():
                self.count = -1
                self._on_frame("", b"")
                return
            self._frame[self.count] = byte
            self.count += 1

    def _widen(self):
        if self.count == _FRAME_MOST:
            return False
        try:
            self._frame.extend(bytes(self.count))
        except MemoryError:
            return False
        return True

    def flush(self):
        """The frame, if one is open, ends here."""
        count, self.count = self.count, 0
        if count > 0:
            data = bytes(memoryview(self._frame)[:count])
            if count > _FRAME_USUAL:
                self._frame = bytearray(_FRAME_USUAL)
            self._on_frame(*split(data))


def split(frame):
    """(AIM identifier or "", data) of the bytes that an engine sent (ISO/IEC 15424)."""
    if len(frame) >= 3 and frame[0] == 0x5D and frame[1:2].isalpha() and frame[2:3].isdigit():
        return str(frame[:3], "ascii"), frame[3:]
    return "", frame
