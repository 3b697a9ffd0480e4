"""The product broken on purpose, a few ways at a time: the machines that are made for them must find each."""

import random
import sys
import time

from soaks.cases import ROOT, Score, run_case

_AT_A_TIME = 4  # what they share is each machine's run on what is not broken
_LEAST_S = 120  # that they need


def mutants(score: Score, chance: random.Random, until: float) -> None:
    """Patches of tests/mutants in random order, until the time is over."""
    folder = ROOT / "tests" / "mutants"
    names = [f"{path.parent.name}/{path.stem}" for path in sorted(folder.glob("*/*.patch"))]
    chance.shuffle(names)
    while names and until - time.monotonic() > _LEAST_S:
        some, names = names[:_AT_A_TIME], names[_AT_A_TIME:]
        command = [sys.executable, "-m", "tests.mutants", "--jobs", "2", *some]
        run_case(score, f"broken on purpose: {', '.join(some)}", command, {}, until)
