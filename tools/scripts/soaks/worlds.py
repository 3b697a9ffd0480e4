"""Worlds in virtual time from fresh seeds, and the product broken on purpose."""

import random
import sys
import time

from soaks.cases import Score, run_case

_WORLDS_S, _MUTANTS_S = 30, 240  # of one run of worlds; of all mutants


def worlds(score: Score, chance: random.Random, until: float) -> None:
    """The product broken on purpose, where there is time; worlds in virtual time from fresh seeds."""
    if until - time.monotonic() > _MUTANTS_S:
        run_case(score, "broken on purpose", [sys.executable, "-m", "tests.simulation.mutants"], {}, until)
    command = [sys.executable, "-m", "tests.simulation"]
    while until - time.monotonic() > _WORLDS_S:
        numbers = f"--first={chance.randrange(1 << 40)}", f"--seconds={_WORLDS_S - 10}", "--count=100000"
        run_case(score, f"worlds {numbers[0]}", [*command, *numbers], {}, until)
