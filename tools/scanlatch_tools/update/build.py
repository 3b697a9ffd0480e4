"""Makes an update bundle of the firmware at hand: compiled as provisioning does it, for all boards of a family."""

import hashlib
import re
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from host_bridge import bundle as bundles
from host_bridge.bundle import Manifest
from scanlatch_tools import places
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import why
from scanlatch_tools.twin import build as compiler

FAMILY = "esp32-xtensawin-6.3"  # ESP32, S2 and S3 with MicroPython from 1.24 on; a C3 is an esp32-rv32imc-6.3
_COUNTER_FROM = 1_735_689_600  # 2025-01-01 UTC: counts of seconds from there are small integers on the chip until 2059
_FAMILY = re.compile(r"[a-z0-9]+-[a-z0-9]+-[0-9]+\.[0-9]+")  # platform, processor, version of the compiled files
_VERSION = re.compile(r'^VERSION = "([^"]+)"$', re.MULTILINE)


def build(key: ec.EllipticCurvePrivateKey, family: str = FAMILY, source: Path | None = None) -> bytes:
    """A bundle's file. The same firmware gives the same content; counter and date are of now.

    Args:
        key: the site's release key.
        family: which compiled files the terminals run, as they say it.
        source: folder of the firmware; default: the one at hand.

    Raises:
        ToolError, BundleError: it can't be compiled, or holds what no slot takes.
    """
    if not _FAMILY.fullmatch(family):
        raise ToolError(
            _("--family {family!r}: as terminals say it, such as {example}, or esp32-rv32imc-6.3 for a C3").format(
                family=family, example=FAMILY
            )
        )
    folder = source or places.firmware()
    if not (folder / bundles.PACKAGE).is_dir():
        raise ToolError(
            _("no firmware in {folder}: it holds boot.py, main.py and the folder scanlatch").format(folder=folder)
        )
    content = bundles.packed(files(folder))
    now = time.time_ns() // 1_000_000
    manifest = Manifest(
        version(folder),
        now // 1000 - _COUNTER_FROM,
        family,
        len(content),
        hashlib.sha256(content).digest(),
        now,
        len(bundles.unpacked(content)),
    )
    return bundles.seal(manifest, content, key)


def files(source: Path) -> dict[str, bytes]:
    """What a slot holds, by path. Raises ToolError."""
    folder = compiler.firmware(source)
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if name.startswith(bundles.PACKAGE)}


def version(source: Path) -> str:
    """What this firmware calls itself. Raises ToolError."""
    path = source / bundles.PACKAGE / "__init__.py"
    try:
        found = _VERSION.search(path.read_text("utf-8"))
    except OSError as error:
        raise ToolError(_("{path} can't be read: {error}").format(path=path, error=why(error))) from error
    if not found:
        raise ToolError(_("{path} says no VERSION").format(path=path))
    return found[1]
