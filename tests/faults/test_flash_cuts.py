"""Power fails inside every flash operation of the journal; nothing that was kept is lost, doubled or reordered."""

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
KINDS = ("lost", "half", "garbage", "unstable")
SEEDS, PAIR_SEEDS = (40, 12) if FULL else (4, 1)  # about 70 cuts a seed, 600 and more pairs a seed
LAST_PAIR_SEED = 12002
LIMIT_S = 1800 if FULL else 120


def _on_micropython(*arguments: object) -> str:
    script = [str(SCRIPTS / "journal_cuts.py"), *map(str, arguments)]
    path = interpreter.search_path(places.firmware())
    done = interpreter.run(script, path, heap="16M", timeout=LIMIT_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _on_cpython(*arguments: object) -> str:
    path = os.pathsep.join(map(str, (places.firmware(), STUBS, STAND_INS)))
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "journal_cuts.py"), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_at_every_operation_loses_nothing(kind: str) -> None:
    assert int(_on_micropython(kind, 1, SEEDS, 1)) > 60 * SEEDS


@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_at_every_operation_loses_nothing_on_cpython(kind: str) -> None:
    assert int(_on_cpython(kind, 1000, SEEDS, 1)) > 60 * SEEDS


@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("kind", KINDS)
def test_a_second_cut_at_every_operation_after_the_first_loses_nothing(kind: str) -> None:
    assert int(_on_cpython(kind, LAST_PAIR_SEED - PAIR_SEEDS + 1, PAIR_SEEDS, 2)) > 400 * PAIR_SEEDS
