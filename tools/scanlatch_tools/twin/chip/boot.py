"""What a chip does with its flash when it starts: second-stage loader, partition table, program.

The formats are those of ESP-IDF's pages "Partition Tables" and "App Image Format", read here by our own hand so that
what the flashing tools write is checked by another reader.
"""

import hashlib
import struct
from dataclasses import dataclass

from scanlatch_tools.twin.chip.models import Model
from scanlatch_tools.twin.chip.nor import SECTOR, FlashChip

TABLE_AT = 0x8000
_TABLE_SIZE = 0xC00
_ROW = struct.Struct("<2sBBII16sI")
_HEAD = struct.Struct("<BBBBI")
_EXTENDED = 16
_MIB = 1 << 20


class UnbootableError(Exception):
    """The chip finds nothing that it could run; says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A row of the partition table; kind: type and subtype."""

    kind: tuple[int, int]
    at: int
    size: int


@dataclass(frozen=True, slots=True)
class Booted:
    """What runs: the parts by their labels, and which chip the program is for."""

    parts: dict[str, Part]


def boot(flash: FlashChip, model: Model) -> Booted:
    """Start from the flash.

    Raises:
        UnbootableError: there is nothing that this chip can run.
    """
    told_size = _check_image(flash, model.bootloader_at, model, TABLE_AT - model.bootloader_at, "second-stage loader")
    parts = _table(flash)
    for name, part in parts.items():
        if part.at + part.size > min(told_size, flash.size):
            raise UnbootableError(f"partition {name} ends at {part.at + part.size:#x}, behind the flash's end")
    programs = [part for part in parts.values() if part.kind[0] == 0]
    if not programs:
        raise UnbootableError("no partition with a program")
    _check_image(flash, programs[0].at, model, programs[0].size, "program")
    return Booted(parts)


def _check_image(flash: FlashChip, at: int, model: Model, room: int, name: str) -> int:
    """Check an image as the loaders do; the size of the flash that its header tells."""
    magic, segments, _, size_and_speed, _ = _HEAD.unpack(flash.read(at, _HEAD.size))
    if magic != 0xE9:
        raise UnbootableError(f"{name}: invalid header {magic:#04x}")
    extended = flash.read(at + _HEAD.size, _EXTENDED)
    if int.from_bytes(extended[4:6], "little") != model.chip_id:
        raise UnbootableError(f"{name}: for another chip")
    end, checksum = at + _HEAD.size + _EXTENDED, 0xEF
    for _ in range(segments):
        _, size = struct.unpack("<II", flash.read(end, 8))
        if end + 8 + size - at > room:
            raise UnbootableError(f"{name}: does not end where it should")
        for byte in flash.read(end + 8, size):
            checksum ^= byte
        end += 8 + size
    end += 16 - (end - at) % 16
    if flash.read(end - 1, 1)[0] != checksum:
        raise UnbootableError(f"{name}: checksum")
    if extended[15] and hashlib.sha256(flash.read(at, end - at)).digest() != flash.read(end, 32):
        raise UnbootableError(f"{name}: digest")
    return _MIB << (size_and_speed >> 4)


def _table(flash: FlashChip) -> dict[str, Part]:
    raw = flash.read(TABLE_AT, _TABLE_SIZE)
    parts: dict[str, Part] = {}
    for start in range(0, _TABLE_SIZE, _ROW.size):
        row = raw[start : start + _ROW.size]
        magic, kind, subtype, at, size, label, _ = _ROW.unpack(row)
        if magic == b"\xeb\xeb":
            if hashlib.md5(raw[:start], usedforsecurity=False).digest() != row[16:]:
                raise UnbootableError("partition table: MD5")
            return parts
        if row == b"\xff" * _ROW.size:
            break
        if magic != b"\xaa\x50":
            raise UnbootableError("partition table: a row that is none")
        if at % SECTOR or size % SECTOR or (kind == 0 and at % 0x10000):
            raise UnbootableError("partition table: not on a sector's boundary")
        parts[label.rstrip(b"\0").decode()] = Part((kind, subtype), at, size)
    raise UnbootableError("partition table: no MD5")
