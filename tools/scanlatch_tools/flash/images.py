"""The images that are known: those that came with this package, and those that were added on this machine."""

import os
import re
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanlatch_tools.errors import ToolError
from scanlatch_tools.flash import image as images
from scanlatch_tools.flash.errors import NoFitError
from scanlatch_tools.flash.image import Image
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import why

SHIPPED = Path(__file__).with_name("images.toml")
_BUILDS = {"esp32": "ESP32_GENERIC", "esp32s3": "ESP32_GENERIC_S3", "esp32c3": "ESP32_GENERIC_C3"}
_DATED = re.compile(r"^(ESP32_[A-Z0-9_]+(?:-[A-Z0-9_]+)?)-\d{8}-v")  # as micropython.org names its files
_KEYS = {"build", "chip", "version", "date", "mode", "speed", "flash_mb", "size", "sha256"}


@dataclass(frozen=True, slots=True)
class Known:
    """An image in the list. file: where its bytes are on this machine, None where they are not."""

    build: str
    facts: dict[str, Any]
    file: Path | None

    @property
    def sha256(self) -> str:
        """Of the whole file."""
        return str(self.facts["sha256"])


def store() -> Path:
    """Folder of the images that were added on this machine."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "scanlatch" / "images"


def known() -> list[Known]:
    """All images in the list, the newest version first.

    Raises:
        ToolError: a list can't be read.
    """
    found: dict[str, Known] = {}
    for path in (SHIPPED, store() / "images.toml"):
        for row in _rows(path):
            file = store() / f"{row['sha256']}.bin"
            found[str(row["sha256"])] = Known(
                str(row["build"]), {key: row[key] for key in row if key != "build"}, file if file.is_file() else None
            )
    return sorted(found.values(), key=lambda one: _order(str(one.facts["version"])), reverse=True)


def add(path: Path, build: str | None) -> tuple[Known, bool]:
    """Put an image into the list and its bytes into the store; whether it is new there.

    Args:
        path: the file.
        build: MicroPython's name of it, such as ESP32_GENERIC; None: from the file's name, else from its chip.

    Raises:
        ToolError: it can't be added; says why.
    """
    image = images.load(path)
    if image.made_for_tests:
        raise NoFitError(
            _("{path} was made for tests and runs on no chip: it does not belong into the list").format(path=path.name)
        )
    named = _DATED.match(path.name)
    name = build or (named[1] if named else _BUILDS[image.chip])
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,48}", name):
        raise ToolError(_("--build {name!r}: MicroPython's name of the build, such as ESP32_GENERIC").format(name=name))
    new = image.sha256 not in {one.sha256 for one in known()}
    folder = store()
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{image.sha256}.bin"
    shutil.copyfile(path, kept.with_suffix(".new"))
    kept.with_suffix(".new").replace(kept)
    if new:
        with (folder / "images.toml").open("a", encoding="utf-8") as file:
            file.write(_row(name, image))
    return Known(name, image.facts(), kept), new


def for_board(build: str, chip: str) -> Image:
    """The newest image on this machine that a board wants.

    Raises:
        NoFitError: there is none; says how to get one.
    """
    for one in known():
        if one.build == build and one.facts["chip"] == chip and one.file:
            image = images.load(one.file)
            if image.sha256 != one.sha256:
                raise NoFitError(
                    _("{file} is not what was added any more: remove it, and add the image again").format(file=one.file)
                )
            return image
    raise NoFitError(
        _(
            "no image {build} on this machine: get its .bin from "
            "https://micropython.org/download/{name} (nothing is downloaded by itself), then "
            "`scanlatch image add FILE`, or name it with --image FILE"
        ).format(build=build, name=build.partition("-")[0])
    )


def listed(image: Image) -> bool:
    """Whether these very bytes are in the list."""
    return image.sha256 in {one.sha256 for one in known()}


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise ToolError(
            _("{path} can't be read: {error}. Mend or remove it").format(path=path, error=why(error))
        ) from error
    rows: list[dict[str, Any]] = found.get("image", [])
    for row in rows:
        if set(row) != _KEYS:
            raise ToolError(
                _("{path}: an image has {found}, not {wanted}").format(
                    path=path, found=", ".join(sorted(row)), wanted=", ".join(sorted(_KEYS))
                )
            )
    return rows


def _row(build: str, image: Image) -> str:
    facts = {"build": build, **image.facts()}
    lines = (f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}" for key, value in facts.items())
    return "\n[[image]]\n" + "\n".join(lines) + "\n"


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
