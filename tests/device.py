"""Runs a script of device-side cases in one MicroPython and gives each case's outcome to pytest."""

import re
import subprocess
from functools import cache
from pathlib import Path

from scanlatch_tools import places
from scanlatch_tools.twin import interpreter

SCRIPTS = Path(__file__).parent / "firmware" / "device_scripts"
_CASE = re.compile(r"^(?:async )?def (test_\w+)\(", re.MULTILINE)


def names(script: str) -> list[str]:
    """Names of the cases in a script, without running it."""
    return _CASE.findall((SCRIPTS / script).read_text())


@cache
def outcomes(script: str, heap: str = "4M") -> dict[str, str]:
    """Run all cases of a script once: name -> "ok" or what went wrong."""
    done: subprocess.CompletedProcess[str] = interpreter.run(
        ["-c", f"import cases; cases.run_all(__import__({script.removesuffix('.py')!r}))"],
        interpreter.search_path(places.firmware(), SCRIPTS),
        heap=heap,
        timeout=120,
    )
    found = read(done.stdout)
    if done.returncode or not found:
        found.setdefault("*", f"exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return found


def read(printed: str) -> dict[str, str]:
    """What `cases.run_all` printed: name -> "ok" or what went wrong. What a case itself printed is passed over."""
    blocks = (block.partition("\x1f") for block in printed.split("\x1e")[1:])
    return {name: outcome.strip() for name, found, outcome in blocks if found}


def check(script: str, name: str, heap: str = "4M") -> None:
    """Fail as the device-side case failed."""
    result = outcomes(script, heap)
    outcome = result.get(name) or result.get("*", "did not run")
    assert outcome == "ok", outcome
