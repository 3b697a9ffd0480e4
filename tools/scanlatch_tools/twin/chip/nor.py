"""A whole flash chip in one file, with the rules of NOR: an erase sets a sector, a program only clears bits."""

from pathlib import Path
from typing import BinaryIO

SECTOR = 4096
_BLANK = b"\xff" * SECTOR
_CLEAN = bytes(SECTOR)


class FlashChip:
    """`size` bytes in `path`, blank where the file is new; beside it, which bytes were programmed since their erase.

    The file with the ending `.touched` is the firmware's flash stand-in's too (stand_ins/nor.py). `violations` lists
    what was programmed and could not become what was asked for, as (address, length).
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self.violations: list[tuple[int, int]] = []
        self.erased: list[int] = []  # sectors, in the order of their erases
        self._cells = _opened(path, size, _BLANK)
        self._touched = _opened(path.with_name(path.name + ".touched"), size, _CLEAN)

    def close(self) -> None:
        """Close the files."""
        self._cells.close()
        self._touched.close()

    def read(self, at: int, size: int) -> bytes:
        """`size` bytes from address `at`; an address beyond the chip's end wraps, as its missing lines do."""
        self._cells.seek(at % self.size)
        return self._cells.read(size)

    def erase(self, at: int, size: int) -> None:
        """Erase every sector that has a byte of this region."""
        for sector in range(at // SECTOR, -(-(at + size) // SECTOR)):
            self.erased.append(sector)
            for file, fill in ((self._cells, _BLANK), (self._touched, _CLEAN)):
                file.seek(sector * SECTOR)
                file.write(fill)

    def program(self, at: int, data: bytes) -> None:
        """Clear the bits that are 0 in `data`."""
        before = int.from_bytes(self.read(at, len(data)), "big")
        after = (before & int.from_bytes(data, "big")).to_bytes(len(data), "big")
        if after != data:
            self.violations.append((at, len(data)))
        self._cells.seek(at)
        self._cells.write(after)
        self._touched.seek(at)
        self._touched.write(b"\1" * len(data))


def _opened(path: Path, size: int, fill: bytes) -> BinaryIO:
    with path.open("ab") as new:
        for _ in range(size // SECTOR - path.stat().st_size // SECTOR):
            new.write(fill)
    return path.open("r+b", buffering=0)
