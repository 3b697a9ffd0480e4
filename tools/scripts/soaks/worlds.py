"""Worlds in virtual time from fresh seeds."""

import random
import sys
import time

from soaks.cases import Score, run_case

_WORLDS_S = 30  # of one run


def worlds(score: Score, chance: random.Random, until: float) -> None:
    """One run after another, until the time is over."""
    command = [sys.executable, "-m", "tests.simulation"]
    while until - time.monotonic() > _WORLDS_S:
        numbers = f"--first={chance.randrange(1 << 40)}", f"--seconds={_WORLDS_S - 10}", "--count=100000"
        run_case(score, f"worlds {numbers[0]}", [*command, *numbers], {}, until)
