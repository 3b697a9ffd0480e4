"""What is sent to the chip in blocks: into its flash, plain or deflated, or into its RAM."""

import zlib
from dataclasses import dataclass, field
from typing import Any

from scanlatch_tools.twin.chip.nor import FlashChip

FAILED, BAD_CHECKSUM, BAD_DEFLATE = 0x06, 0x07, 0x0B  # second byte of a refusal
_CHECKSUM_START = 0xEF


class RefusedError(Exception):
    """The loader refuses a command; `code` goes out with its answer."""

    def __init__(self, code: int = FAILED) -> None:
        super().__init__(code)
        self.code = code


def block(data: bytes, checksum: int) -> tuple[int, bytes]:
    """Number and bytes of a block.

    Raises:
        RefusedError: it is not whole, or its checksum is another.
    """
    size, number = (int.from_bytes(data[at : at + 4], "little") for at in (0, 4))
    content = data[16:]
    if len(content) != size:
        raise RefusedError(FAILED)
    state = _CHECKSUM_START
    for byte in content:
        state ^= byte
    if state != checksum & 0xFF:
        raise RefusedError(BAD_CHECKSUM)
    return number, content


@dataclass(slots=True)
class ToFlash:
    """Blocks on their way into the flash, from address `at` on; the region is erased first."""

    flash: FlashChip
    at: int
    size: int  # bytes that are to be erased
    blocks: int
    block_size: int
    deflated: bool
    _next: int = 0
    _written: int = 0
    _inflate: Any = field(default_factory=zlib.decompressobj)

    def begin(self) -> None:
        """Erase what will be written.

        Raises:
            RefusedError: the region is not in the flash.
        """
        if self.at + self.size > self.flash.size:
            raise RefusedError
        if self.size:
            self.flash.erase(self.at, self.size)

    def take(self, number: int, content: bytes) -> None:
        """Write one block. A plain one may come again, as after a lost answer; it is programmed again.

        Raises:
            RefusedError: it is not the one that is due.
        """
        if number >= self.blocks or number not in ((self._next,) if self.deflated else (self._next, self._next - 1)):
            raise RefusedError
        if self.deflated:
            try:
                content = self._inflate.decompress(content)
            except zlib.error:
                raise RefusedError(BAD_DEFLATE) from None
            at = self.at + self._written
        else:
            at = self.at + number * self.block_size
        if at + len(content) > self.at + -(-self.size // self.block_size) * self.block_size:
            raise RefusedError
        if at + len(content) > self.flash.size:
            raise RefusedError
        self.flash.program(at, content)
        self._written += len(content)
        self._next = number + 1


@dataclass(slots=True)
class ToRam:
    """What was loaded into RAM, segment by segment."""

    segments: dict[int, bytearray] = field(default_factory=dict[int, bytearray])
    _at: int = 0
    _size: int = 0
    _next: int = 0

    def begin(self, size: int, at: int) -> None:
        """A segment of `size` bytes follows, for address `at`."""
        self._at, self._size, self._next = at, size, 0
        self.segments[at] = bytearray()

    def take(self, number: int, content: bytes) -> None:
        """One block of it.

        Raises:
            RefusedError: it is not the next one, or too long.
        """
        segment = self.segments.get(self._at)
        if segment is None or number != self._next or len(segment) + len(content) > self._size:
            raise RefusedError
        segment += content
        self._next += 1

    def holds(self, entry: int) -> bool:
        """Whether code was loaded to address `entry`."""
        return any(at <= entry < at + len(segment) for at, segment in self.segments.items())
