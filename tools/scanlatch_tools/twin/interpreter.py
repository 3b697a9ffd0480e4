"""Finds MicroPython on this machine and runs it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from scanlatch_tools.texts import _

HEAP = "160K"  # 64-bit objects: harsher than the 164 KB of an ESP32
_STAND_INS = Path(__file__).parent / "stand_ins"


class NoInterpreterError(Exception):
    """There is no MicroPython on this machine; the message says how to get one."""


def find() -> str:
    """Path of a MicroPython 1.24 or newer for this machine.

    `SCANLATCH_MICROPYTHON` wins; then the one installed beside this Python; then the PATH.

    Raises:
        NoInterpreterError: none was found.
    """
    named = os.environ.get("SCANLATCH_MICROPYTHON")
    if named:
        if not shutil.which(named):
            raise NoInterpreterError(_("SCANLATCH_MICROPYTHON names {named}, which can't be run").format(named=named))
        return named
    beside = Path(sys.executable).parent / "micropython"
    if beside.exists():
        return str(beside)
    on_path = shutil.which("micropython")
    if on_path:
        return on_path
    raise NoInterpreterError(
        _(
            "no MicroPython found: on Linux x86-64 it comes with this package; elsewhere install "
            "MicroPython 1.24 or newer (unix port) and put it on the PATH or name it in "
            "SCANLATCH_MICROPYTHON"
        )
    )


def command(script: Sequence[str], heap: str = HEAP) -> list[str]:
    """Command line that runs `script` (a file with its arguments, or `-c` and code) with a limited heap."""
    return [find(), "-X", f"heapsize={heap}", *script]


def search_path(*folders: Path, stand_ins: bool = True) -> str:
    """MICROPYPATH: the stand-ins first, then `folders`, then what is frozen into the interpreter."""
    first = [str(_STAND_INS)] if stand_ins else []
    return ":".join([*first, *(str(folder) for folder in folders), ".frozen"])


def run(
    script: Sequence[str],
    path: str,
    *,
    heap: str = HEAP,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float = 60,
) -> subprocess.CompletedProcess[str]:
    """Run a script to its end and give back what it printed.

    Args:
        script: file with its arguments, or `-c` and code.
        path: MICROPYPATH, see `search_path`.
        heap: limit, as `-X heapsize` takes it.
        cwd: the script's folder of work.
        environment: added to this process's own.
        timeout: seconds.
    """
    return subprocess.run(
        command(script, heap),
        env={**os.environ, **(environment or {}), "MICROPYPATH": path},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
