"""The partition table: what lies where in a board's flash, as bytes and back (ESP-IDF, "Partition Tables")."""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from scanlatch_tools.boards.schema import Board

AT = 0x8000  # of the table in the flash
SIZE = 0xC00
SECTOR = 0x1000
PROGRAM_AT = 0x10000
JOURNAL = "scanlog"
FILES = "vfs"
KEYS = "nvs"

_ROW = struct.Struct("<2sBBII16sI")
_MAGIC, _DIGEST = b"\xaa\x50", b"\xeb\xeb"
_BLANK_ROW = b"\xff" * 32
_APP, _DATA = 0, 1
# Where file system and journal lie in boards that say nothing else: keys of [flash], by its size_mb. The journal stays
# at 1 MiB, which is 3,000 records and more: a longer ring would take of the terminal's heap.
LAYOUTS = {
    4: {"fs_at": 0x200000, "fs_kb": 1024, "scanlog_at": 0x300000, "scanlog_kb": 1024},
    8: {"fs_at": 0x300000, "fs_kb": 2048, "scanlog_at": 0x500000, "scanlog_kb": 1024},
    16: {"fs_at": 0x400000, "fs_kb": 4096, "scanlog_at": 0x800000, "scanlog_kb": 1024},
}


class TableError(Exception):
    """The bytes are no partition table; says why."""


@dataclass(frozen=True, slots=True)
class Partition:
    """A part of the flash. kind: type and subtype of ESP-IDF."""

    label: str
    kind: tuple[int, int]
    at: int
    size: int


def of_board(board: Board) -> list[Partition]:
    """The partitions of a board, in the order of their places."""
    flash = board.flash
    parts = [
        Partition(KEYS, (_DATA, 0x02), 0x9000, 0x6000),
        Partition("phy_init", (_DATA, 0x01), 0xF000, 0x1000),
        Partition("factory", (_APP, 0x00), PROGRAM_AT, min(flash.fs_at, flash.scanlog_at) - PROGRAM_AT),
        Partition(FILES, (_DATA, 0x81), flash.fs_at, flash.fs_kb << 10),  # as MicroPython's own: it looks for the label
        Partition(JOURNAL, (_DATA, 0x40), flash.scanlog_at, flash.scanlog_kb << 10),
    ]
    return sorted(parts, key=lambda part: part.at)


def table(parts: Sequence[Partition]) -> bytes:
    """The table as it lies in the flash: a row a partition, the MD5 of these rows, and blanks to the sector's end."""
    rows = b"".join(_ROW.pack(_MAGIC, *part.kind, part.at, part.size, part.label.encode("ascii"), 0) for part in parts)
    digest = _DIGEST + b"\xff" * 14 + hashlib.md5(rows, usedforsecurity=False).digest()
    return (rows + digest).ljust(SECTOR, b"\xff")


def read(raw: bytes) -> list[Partition]:
    """The partitions of a table.

    Raises:
        TableError: it is none, or damaged.
    """
    parts: list[Partition] = []
    for at in range(0, min(len(raw), SIZE), _ROW.size):
        row = raw[at : at + _ROW.size]
        if row[:2] == _DIGEST:
            if row[16:] != hashlib.md5(raw[:at], usedforsecurity=False).digest():
                raise TableError("its MD5 is another")
            break
        if row == _BLANK_ROW:
            break
        if row[:2] != _MAGIC or len(row) < _ROW.size:
            raise TableError("it has a row that is none")
        _, kind, subtype, start, size, label, _ = _ROW.unpack(row)
        parts.append(Partition(label.rstrip(b"\0").decode("ascii", "replace"), (kind, subtype), start, size))
    if not parts:
        raise TableError("there is none")
    return parts


def named(parts: Sequence[Partition], label: str) -> Partition | None:
    """The partition of this name."""
    return next((part for part in parts if part.label == label), None)
