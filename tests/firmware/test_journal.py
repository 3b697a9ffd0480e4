"""The journal keeps, refuses, frees and finds again; on 64-bit and 32-bit MicroPython, and on CPython."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from scanlatch_tools import places
from scanlatch_tools.twin import interpreter

from tests import device
from tests.firmware.interpreters import _WASM, _install_wasm, _program

SCRIPT = "journal_cases.py"
_SHIM = """
import sys, traceback
sys.print_exception = lambda error, out: traceback.print_exception(error, file=out)
import cases, journal_cases
cases.run_all(journal_cases)
"""


@cache
def _on_cpython() -> dict[str, str]:
    stubs = device.SCRIPTS.parents[1] / "stubs"
    path = [places.firmware(), device.SCRIPTS, stubs, interpreter._STAND_INS]
    done = subprocess.run(
        [sys.executable, "-c", _SHIM],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return dict(block.strip().split("\x1f", 1) for block in done.stdout.split("\x1e")[1:])


@pytest.mark.parametrize("name", device.names(SCRIPT))
def test_journal(name: str) -> None:
    device.check(SCRIPT, name, heap="32M")


@pytest.mark.parametrize("name", device.names(SCRIPT))
def test_journal_on_cpython(name: str) -> None:
    assert _on_cpython()[name] == "ok"


def test_journal_on_32_bits(compiled_firmware: Path, tmp_path: Path) -> None:
    for module in ("nor.py", "torn.py"):
        shutil.copy(interpreter._STAND_INS / module, tmp_path)
    _install_wasm()
    names = device.names(SCRIPT)
    folders = [str(compiled_firmware), str(device.SCRIPTS), str(tmp_path)]
    done = subprocess.run(
        [_program("node"), str(_WASM / "run.mjs"), "32000000", SCRIPT.removesuffix(".py"), *folders],
        input="\n".join(names),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert dict(zip(names, done.stdout.splitlines(), strict=True)) == dict.fromkeys(names, "ok"), done.stderr
