"""Two bridges on one PostgreSQL, killed and hung."""

import random
import sys
import time

from soaks.cases import FULL, ROOT, Score, run_case

_TESTS = ("again_and_again[1]", "again_and_again[2]", "amid", "dead_bridge", "a_bridge_that_hangs")


def bridges(score: Score, chance: random.Random, until: float) -> None:
    """Two bridges on one PostgreSQL, killed and hung while terminals sell, void, receive and end sessions."""
    names = list(_TESTS)
    while time.monotonic() < until:
        chance.shuffle(names)
        for name in names:
            test = str(ROOT / "tests/system/test_bridges.py")
            command = [sys.executable, "-m", "pytest", "-q", "-x", test, "-k", name]
            run_case(score, f"bridges: {name}", command, FULL, until)
