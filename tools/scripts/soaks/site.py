"""Days at a site on which everything goes wrong: parts killed, lines cut, stalled, half-open and slow."""

import random
import sys
import time

from soaks.cases import FULL, ROOT, Score, run_case

_LONGEST_S = 1_200.0  # of one day; then comes another, from another seed
_SETTLE_S = 240.0  # until all is final once everything runs again; kept free at the end
_LEAST_S = 20.0
_FILES = ("test_lines.py", "test_lines_ledger.py", "test_broker_room.py", "test_certificates.py", "test_dns.py")
_FILE_S = 200.0  # one of them at full size, and as much again for a day


def site(score: Score, chance: random.Random, until: float) -> None:
    """Days from fresh seeds; first, where there is time, every way that a line, disk, certificate or name can fail."""
    files = list(_FILES)
    chance.shuffle(files)
    for file in files:
        if until - time.monotonic() > 2 * _FILE_S:
            test = [sys.executable, "-m", "pytest", "-q", "-x", str(ROOT / "tests" / "faults" / file)]
            run_case(score, f"site: {file}", test, FULL, until)
    settle_s = min(_SETTLE_S, (until - time.monotonic()) / 2)
    while (left := until - time.monotonic() - settle_s) > _LEAST_S:
        seed, seconds = chance.randrange(1 << 32), min(left, _LONGEST_S)
        day = [sys.executable, "-m", "tests.faults.bad_day", f"--seed={seed}", f"--seconds={seconds:.0f}"]
        run_case(score, f"site: {' '.join(day[2:])}", day, {}, until + _SETTLE_S, _LONGEST_S + _SETTLE_S)
