"""The demo's day with each family of scan engine, named and found."""

import random
import sys

from scanlatch_tools.twin.engines import NAMES

from soaks.cases import FULL, ROOT, Score, run_case


def engines(score: Score, chance: random.Random, until: float) -> None:
    """The demo's day with each family of scan engine, named and found."""
    cases = [(name, how) for name in NAMES for how in ("named", "found")]
    chance.shuffle(cases)
    for name, how in cases:
        test = (
            f"{ROOT / 'tests' / 'system' / 'test_engines.py'}::test_the_day_of_the_demo_goes_as_it_must[{name}-{how}]"
        )
        command = [sys.executable, "-m", "pytest", "-q", "-x", test]
        run_case(score, f"demo with {name}, {how}", command, FULL, until)
