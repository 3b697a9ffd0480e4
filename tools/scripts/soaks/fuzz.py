"""Foreign bytes for every decoder, from fresh seeds."""

import random
import sys
import time

from soaks.cases import FULL, ROOT, Score, run_case

_MOST_S = 1200.0


def fuzz(score: Score, chance: random.Random, until: float) -> None:
    """Each of the fuzzers, again and again, until the time is over."""
    names = sorted(path.name for path in (ROOT / "tests" / "fuzz").glob("test_*.py"))
    while time.monotonic() < until:
        chance.shuffle(names)
        for name in names:
            seed = chance.randrange(1, 1 << 32)
            command = [sys.executable, "-m", "pytest", "-q", "-x", str(ROOT / "tests" / "fuzz" / name)]
            command += ["-o", f"timeout={_MOST_S:.0f}"]
            run_case(score, f"fuzz: {name}, {seed}", command, {**FULL, "SCANLATCH_SEED": str(seed)}, until, _MOST_S)
