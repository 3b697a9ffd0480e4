"""Three hundred worlds from their seeds: every promise holds in each, and a seed gives the same world again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).absolute().parents[2]
SEEDS, PART = 300, 100
OFTEN = ("kept", "full", "(dark", "accepted", "rejected", "duplicate", "void_accepted", "_bend", "said receipt")
AGAIN = 12  # worlds that are run twice more


def _worlds(*arguments: object, **environment: str) -> str:
    """In a process of its own: the device's package is loaded there with stand-ins."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tools"))), **environment},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("first", range(0, SEEDS, PART))
def test_every_promise_holds_in_every_world(first: int) -> None:
    told = _worlds("--first", first, "--count", PART)
    assert f"{PART} worlds, 0 broken" in told
    seen = told.splitlines()[-2]
    assert all(f"{what} " in seen for what in OFTEN), seen


def test_a_seed_gives_the_same_world_again_whatever_was_before_it() -> None:
    first = _worlds("--first", 0, "--count", AGAIN, "--digests", PYTHONHASHSEED="1").splitlines()
    again = _worlds("--first", AGAIN // 2, "--count", AGAIN // 2, "--digests", PYTHONHASHSEED="2").splitlines()
    assert first[AGAIN // 2 : AGAIN] == again[: AGAIN // 2]
    assert len(set(first)) == len(first)


def test_a_seed_that_is_named_is_told_event_by_event() -> None:
    digest = _worlds("--first", 3, "--count", 1, "--digests").splitlines()[0]
    told = _worlds(SCANLATCH_SEED="3").splitlines()
    assert digest in told
    assert sum("kept" in line for line in told) > 1
