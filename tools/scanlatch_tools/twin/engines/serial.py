"""The engine's end of a serial line: what leaves it when, and what a receiver at another speed makes of it."""

from collections import deque
from dataclasses import dataclass

PIECE_S = 0.01  # a long frame leaves in pieces, as a receive buffer fills while it is read


@dataclass(slots=True)
class _Piece:
    done: float  # when its last byte has left
    data: bytes
    baud: int
    last: bool


class Line:
    """Bytes on their way to the host. Times are seconds. whole: a frame of up to so many bytes leaves in one piece."""

    def __init__(self, whole: int = 64) -> None:
        self._whole = whole
        self.free = 0.0  # when all that was sent has left
        self.midway = False  # the last piece that left was not the end of its frame
        self._pieces: deque[_Piece] = deque()

    def send(self, data: bytes, at: float, baud: int) -> float:
        """Send from `at` on, or as soon as the line is free; when the last byte will have left."""
        start = max(at, self.free)
        size = max(1, int(PIECE_S * baud / 10)) if len(data) > self._whole else self._whole
        for begin in range(0, len(data), size):
            end = min(begin + size, len(data))
            self._pieces.append(_Piece(start + 10 * end / baud, data[begin:end], baud, end == len(data)))
        self.free = start + 10 * len(data) / baud
        return self.free

    def take(self, now: float, host_baud: int) -> bytes:
        """What has left by now, as a host at `host_baud` hears it."""
        out = b""
        while self._pieces and self._pieces[0].done <= now:
            piece = self._pieces.popleft()
            self.midway = not piece.last
            out += misread(piece.data, piece.baud, host_baud)
        return out

    def next_done(self) -> float | None:
        """When the next piece will have left."""
        return self._pieces[0].done if self._pieces else None

    def cut(self, now: float, until: float) -> None:
        """What has not left by now is gone, and nothing can leave before `until`."""
        self._pieces = deque(piece for piece in self._pieces if piece.done <= now)
        self.free = until


def misread(data: bytes, sent: int, heard: int) -> bytes:
    """What a receiver at `heard` baud makes of 8N1 bytes that were sent at `sent` baud."""
    if sent == heard or not data:
        return data
    bits = [bit for byte in data for bit in (0, *((byte >> i) & 1 for i in range(8)), 1)]
    span = len(bits) / sent

    def level(at: float) -> int:
        return bits[min(int(at * sent), len(bits) - 1)] if at < span else 1

    out = bytearray()
    at = 0.0
    while at < span:
        if level(at):  # idle: look for the next start bit, 16 times a bit as receivers do
            at += 1 / (16 * heard)
            continue
        out.append(sum(level(at + (1.5 + i) / heard) << i for i in range(8)))
        at += 9.5 / heard
    return bytes(out)
