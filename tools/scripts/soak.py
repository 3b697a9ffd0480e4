"""Runs the machines of the tests at full size for as long as is said: fresh seeds, power cuts, kills.

`python tools/scripts/soak.py --minutes 30`. Ends with a line `N passed, M failed`; exit status 1 where one failed. What
the clock cuts short counts as neither. With --seed a run's choices come again, not its timing.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable

from soaks.bridges import bridges
from soaks.cases import Score
from soaks.engines import engines
from soaks.flash import cuts, processes
from soaks.full import full
from soaks.fuzz import fuzz
from soaks.life import life
from soaks.mutants import mutants
from soaks.site import site
from soaks.worlds import worlds

Job = Callable[[Score, random.Random, float], None]

# Each with its share of the minutes; a job of its own is a file in `soaks` and a row here.
JOBS: dict[str, tuple[Job, float]] = {
    "cuts": (cuts, 0.1),
    "worlds": (worlds, 0.1),
    "processes": (processes, 0.1),
    "engines": (engines, 0.1),
    "bridges": (bridges, 0.1),
    "full": (full, 0.15),
    "fuzz": (fuzz, 0.05),
    "mutants": (mutants, 0.05),
    "life": (life, 0.1),
    "site": (site, 0.15),
}


def main() -> int:
    """Run all jobs within the minutes."""
    parser = argparse.ArgumentParser(description="Run the machines of the tests at full size.")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--only", choices=JOBS, help="one job alone, with all of the minutes")
    given = parser.parse_args()
    jobs = {given.only: (JOBS[given.only][0], 1.0)} if given.only else JOBS
    score = Score(given.seed)
    print(f"soak: seed {given.seed}, {given.minutes:g} minutes", flush=True)
    until = time.monotonic()
    for name, (job, share) in jobs.items():
        until += 60 * given.minutes * share
        try:
            job(score, random.Random(f"{given.seed} {name}"), until)  # noqa: S311  # choices, not keys
        except Exception as error:  # noqa: BLE001  # told, counted, and the next job still runs
            score.tell(name, repr(error))
    print(f"{score.passed} passed, {score.failed} failed", flush=True)
    return 1 if score.failed or not score.passed else 0


if __name__ == "__main__":
    sys.exit(main())
