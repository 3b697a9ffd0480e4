"""An image of MicroPython for a bare board: taken apart, checked, and fitted to a board's flash."""

import hashlib
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanlatch_tools.errors import ToolError
from scanlatch_tools.flash import partitions
from scanlatch_tools.flash.errors import NoFitError
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import why

CHIPS = {"esp32": 0x1000, "esp32s3": 0x0, "esp32c3": 0x0}  # chip: where its second-stage loader begins
MADE_FOR_TESTS = b"scanlatch-stand-in"  # project name of images that no chip could run
_OLDEST = (1, 24)
_LARGEST = 32 << 20
_BY_ID = {0: "esp32", 9: "esp32s3", 5: "esp32c3"}
_MAGIC = 0xE9
_DIGEST = 32
_VERSION = re.compile(rb"MicroPython (v(\d+)\.(\d+)[\w.\-+]*) on (\d{4}-\d\d-\d\d)")
_MODES = ("qio", "qout", "dio", "dout")
_SPEEDS = {0xF: "80m", 0x0: "40m", 0x1: "26m", 0x2: "20m"}  # by the header's low four bits


class ImageError(ToolError):
    """The file is no image that can be flashed; says why, and which to take."""

    status = 4


@dataclass(frozen=True, slots=True)
class Image:
    """An image whose checksums and digests hold.

    loader, program: their bytes; version: as MicroPython says it; date: of its build; sha256: of the whole file.
    """

    chip: str
    version: str
    date: str
    mode: str
    speed: str
    flash_mb: int
    sha256: str
    size: int
    loader: bytes
    program: bytes
    made_for_tests: bool

    def facts(self) -> dict[str, Any]:
        """What the list of images holds of it."""
        names = ("chip", "version", "date", "mode", "speed", "flash_mb", "size", "sha256")
        return {name: getattr(self, name) for name in names}


def load(path: Path) -> Image:
    """Read an image file.

    Raises:
        ImageError: it can't be read, or is no image of MicroPython for a bare ESP32, ESP32-S3 or ESP32-C3.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise ImageError(_("{path} is larger than any image").format(path=path.name))
        raw = path.read_bytes()
    except OSError as error:
        raise ImageError(_("{path} can't be read: {error}").format(path=path, error=why(error))) from error
    return parsed(raw, path.name)


def parsed(raw: bytes, name: str) -> Image:
    """Take an image's bytes apart.

    Raises:
        ImageError: see `load`.
    """
    chip = _BY_ID.get(int.from_bytes(raw[12:14], "little")) if raw[:1] == bytes((_MAGIC,)) else None
    if chip is None:
        raise ImageError(
            _("{name} is no image for an ESP32, ESP32-S3 or ESP32-C3: take MicroPython's .bin for the board").format(
                name=name
            )
        )
    starts = CHIPS[chip]
    try:
        parts = partitions.read(raw[partitions.AT - starts : partitions.AT - starts + partitions.SIZE])
    except partitions.TableError:
        raise ImageError(
            _(
                "{name} is a program alone: take the file for a board's first flash, with loader and partition table"
            ).format(name=name)
        ) from None
    programs = [part for part in parts if part.kind[0] == 0]
    if not programs:
        raise ImageError(_("{name} has no program in its partition table").format(name=name))
    loader = _whole(raw[: partitions.AT - starts], chip, f"{name}: the second-stage loader")
    program = _whole(raw[programs[0].at - starts :], chip, f"{name}: the program")
    found = _VERSION.search(program)
    if found is None:
        raise ImageError(_("{name} is no MicroPython: it nowhere says its version").format(name=name))
    version = found[1].decode()
    if (int(found[2]), int(found[3])) < _OLDEST:
        raise ImageError(
            _("{name} is MicroPython {version}: the terminal needs v1.24 or newer").format(name=name, version=version)
        )
    size_and_speed = loader[3]
    return Image(
        chip,
        version,
        found[4].decode(),
        _MODES[loader[2] & 3],
        _SPEEDS.get(size_and_speed & 0xF, "unknown"),
        1 << (size_and_speed >> 4),
        hashlib.sha256(raw).hexdigest(),
        len(raw),
        loader,
        program,
        MADE_FOR_TESTS in program,
    )


def fitted(loader: bytes, flash_mb: int) -> bytes:
    """The second-stage loader with a flash of `flash_mb` MiB in its header: it refuses partitions behind that."""
    size_and_speed = (flash_mb.bit_length() - 1) << 4 | loader[3] & 0xF
    body = loader[:3] + bytes((size_and_speed,)) + loader[4:]
    if loader[23]:
        body = body[:-_DIGEST] + hashlib.sha256(body[:-_DIGEST]).digest()
    return body


def check(image: Image, chip: str, room: int) -> None:
    """Hold an image against the chip and the room for its program.

    Raises:
        NoFitError: it is for another chip, or too large.
    """
    if image.chip != chip:
        raise NoFitError(
            _("the image is for {other}, the chip is {chip}: take MicroPython's image for {chip}").format(
                other=image.chip, chip=chip
            )
        )
    if len(image.program) > room:
        raise NoFitError(
            _(
                "the image's program has {count:,} bytes, the board's file leaves {room:,}: move "
                "flash.fs_at in the board's file, or take a smaller image"
            ).format(count=len(image.program), room=room)
        )


def _whole(raw: bytes, chip: str, name: str) -> bytes:
    """The bytes of the image that begins here, checked as esptool reads it."""
    from esptool.bin_image import LoadFirmwareImage  # takes half a second
    from esptool.util import FatalError

    try:
        image: Any = LoadFirmwareImage(chip, raw)
    except (FatalError, struct.error, TypeError, RuntimeError) as error:
        raise ImageError(
            _("{name} is damaged: {error}").format(name=name, error=error or _("it ends too early"))
        ) from error
    if image.checksum != image.calculate_checksum():
        raise ImageError(_("{name} is damaged: its checksum is another. Download it again").format(name=name))
    if not image.append_digest:
        raise ImageError(_("{name} has no digest: take an image of MicroPython v1.24 or newer").format(name=name))
    if image.stored_digest != image.calc_digest:
        raise ImageError(_("{name} is damaged: its digest is another. Download it again").format(name=name))
    return raw[: image.data_length + _DIGEST]
