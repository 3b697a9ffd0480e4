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

SCRIPTS = ("journal_cases.py", "journal_fault_cases.py", "journal_wear_cases.py")
CASES = [(script, name) for script in SCRIPTS for name in device.names(script)]
_HEAP = "32M"  # two times 1 MiB of flash are in it
_SHIM = """
import sys, traceback
sys.print_exception = lambda error, out: traceback.print_exception(error, file=out)
import cases
cases.run_all(__import__(sys.argv[1]))
"""


@cache
def _on_cpython(script: str) -> dict[str, str]:
    stubs = device.SCRIPTS.parents[1] / "stubs"
    path = [places.firmware(), device.SCRIPTS, stubs, interpreter._STAND_INS]
    done = subprocess.run(
        [sys.executable, "-c", _SHIM, script.removesuffix(".py")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return device.read(done.stdout)


@pytest.mark.parametrize(("script", "name"), CASES)
def test_journal(script: str, name: str) -> None:
    device.check(script, name, heap=_HEAP)


@pytest.mark.parametrize(("script", "name"), CASES)
def test_journal_on_cpython(script: str, name: str) -> None:
    assert _on_cpython(script)[name] == "ok"


def test_journal_on_32_bits(compiled_firmware: Path, tmp_path: Path) -> None:
    for module in ("nor.py", "torn.py"):
        shutil.copy(interpreter._STAND_INS / module, tmp_path)
    (tmp_path / "served.py").write_text("import journal_desk\nanswer = lambda line: journal_desk.answer(*line.split())")
    _install_wasm()
    wanted = [f"{script.removesuffix('.py')} {name}" for script, name in CASES]
    folders = [str(compiled_firmware), str(device.SCRIPTS), str(tmp_path)]
    done = subprocess.run(
        [_program("node"), str(_WASM / "run.mjs"), str(32 << 20), "served", *folders],
        input="\n".join(wanted),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert dict(zip(wanted, done.stdout.splitlines(), strict=True)) == dict.fromkeys(wanted, "ok"), done.stderr
