"""Flash fails with no power cut, mostly without a word: nothing that was kept or stored is lost by it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from scanlatch_tools import places
from scanlatch_tools.twin import interpreter

SCRIPTS = Path(__file__).parent / "device_scripts"
STAND_INS = Path(interpreter.__file__).parent / "stand_ins"
STUBS = Path(__file__).parents[1] / "stubs"
FULL = bool(os.environ.get("SCANLATCH_FULL"))
PROGRAMS = ("deaf", "part", "dull", "refused")  # a program that is not done, half done, leaves bits, or is refused
ERASES = ("numb", "sticky", "unerased")  # an erase that is not done, leaves bits, or is refused
WORN = ("worn", "dead")  # from there on a sector takes nothing rightly, or refuses all
RAISED = ("refused", "unerased", "dead")  # an error that passes through LittleFS, and leaves it in disorder
SEEDS, SEEDS_ON_MICROPYTHON = (40, 10) if FULL else (2, 1)
LIMIT_S = 1800 if FULL else 120


def _on_micropython(script: str, *arguments: object) -> int:
    path = interpreter.search_path(places.firmware())
    done = interpreter.run([str(SCRIPTS / script), *map(str, arguments)], path, heap="8M", timeout=LIMIT_S)
    # Before it stands what finalisers of files could not do. LittleFS goes on pointing at a file whose close the flash
    # refused, so behind the last line the interpreter may stumble as it ends.
    last = done.stdout.split()[-1:]
    assert done.returncode == 0 or (done.returncode == -11 and last[0].isdigit()), done.stdout + done.stderr
    return int(last[0])


def _one_a_process(kind: str, every: int) -> int:
    count = 0
    while _on_micropython("store_faults.py", kind, every, 1 + count * every):
        count += 1
    return count


def _on_cpython(script: str, *arguments: object) -> int:
    path = os.pathsep.join(map(str, (places.firmware(), STUBS, STAND_INS)))
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / script), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return int(done.stdout)


@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("kind", PROGRAMS + ERASES + WORN)
def test_an_operation_that_fails_loses_no_record(kind: str) -> None:
    least = 15 if kind in ERASES else 30
    assert _on_cpython("journal_faults.py", kind, 1, SEEDS) > least * SEEDS
    assert _on_micropython("journal_faults.py", kind, 1000, SEEDS_ON_MICROPYTHON) > least * SEEDS_ON_MICROPYTHON


@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("kind", PROGRAMS + ERASES + WORN)
def test_an_operation_that_fails_leaves_every_file_old_or_new(kind: str) -> None:
    every = 1 if FULL else 11
    count = _one_a_process(kind, every) if kind in RAISED else _on_micropython("store_faults.py", kind, every)
    assert count * every > (15 if kind in ERASES else 200)
