"""Images made for tests: to a loader they look like MicroPython's for a bare board, and no chip could run them."""

import hashlib
import random
import struct

from scanlatch_tools.twin.chip.models import MODELS

MARK = "scanlatch-stand-in"  # as the program's project name: by it an image is known as made for tests
VERSION = "v1.99.0"
_DATE = "2026-11-22"
_TABLE_AT, _PROGRAM_AT = 0x8000, 0x10000
_LOADS_AT = {"esp32": 0x3F400020, "esp32s3": 0x3C000020, "esp32c3": 0x3C000020}
_CODE_AT = {"esp32": 0x400D0020, "esp32s3": 0x42000020, "esp32c3": 0x42000020}
_LOADER_AT = {"esp32": 0x3FFF0030, "esp32s3": 0x3FCE2810, "esp32c3": 0x3FCD5820}
_ROWS = (  # as MicroPython's images for 4 MiB have them: the file system takes all that is left
    ("nvs", 1, 0x02, 0x9000, 0x6000),
    ("phy_init", 1, 0x01, 0xF000, 0x1000),
    ("factory", 0, 0x00, 0x10000, 0x1F0000),
    ("vfs", 1, 0x81, 0x200000, 0x200000),
)


def image(chip: str, *, version: str = VERSION, size: int = 150_000, seed: int = 1) -> bytes:
    """An image as it is written from the chip's second-stage loader on.

    chip: "esp32", "esp32s3" or "esp32c3"; size: bytes of the program, about; seed: of what it is filled with.
    """
    model = MODELS[chip]
    filling = random.Random(f"{chip} {seed}")  # noqa: S311 - any bytes do, the same each time
    loader = _packed(chip, [(_LOADER_AT[chip], filling.randbytes(5000))])
    about = struct.pack(
        "<II8s32s32s16s16s32s32s80s", 0xABCD5432, 0, b"", version.encode(), MARK.encode(), b"00:00:00",
        _DATE.encode(), b"v5.5", filling.randbytes(32), b"",
    )  # fmt: skip
    says = f"3.4.0; MicroPython {version} on {_DATE}\0Made for tests with {chip}\0".encode()
    code = (filling.randbytes(max(1024, size // 8)) * 8)[: size - len(about) - len(says)]
    program = _packed(chip, [(_LOADS_AT[chip], about + says), (_CODE_AT[chip], code)])
    whole = loader.ljust(_TABLE_AT - model.bootloader_at, b"\xff") + _table()
    return whole.ljust(_PROGRAM_AT - model.bootloader_at, b"\xff") + program


def _table() -> bytes:
    rows = b"".join(
        struct.pack("<2sBBII16sI", b"\xaa\x50", kind, subtype, at, size, label.encode(), 0)
        for label, kind, subtype, at, size in _ROWS
    )
    return rows + b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(rows, usedforsecurity=False).digest()


def _packed(chip: str, segments: list[tuple[int, bytes]]) -> bytes:
    made = struct.pack("<BBBBI", 0xE9, len(segments), 2, 0x20, segments[0][0])
    made += struct.pack("<BBBBHBHH4sB", 0xEE, 0, 0, 0, MODELS[chip].chip_id, 0, 0, 0xFFFF, b"", 1)
    checksum = 0xEF
    for at, data in segments:
        data += b"\0" * (-len(data) % 4)
        made += struct.pack("<II", at, len(data)) + data
        for byte in data:
            checksum ^= byte
    made += b"\0" * (15 - len(made) % 16) + bytes((checksum,))
    return made + hashlib.sha256(made).digest()
