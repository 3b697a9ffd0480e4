"""Cases of a soak: run as processes of their own, within what is left of the time, and counted."""

import contextlib
import os
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FULL = {"SCANLATCH_FULL": "1"}
CASE_S = 600.0  # no case takes longer


class Score:
    """What has passed and what has failed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.passed = 0
        self.failed = 0

    def tell(self, name: str, trouble: str | None) -> None:
        """One case is over; `trouble` says what went wrong."""
        if trouble is None:
            self.passed += 1
            return
        self.failed += 1
        print(f"FAILED {name} (seed {self.seed})\n{trouble}", flush=True)


def run_case(
    score: Score, name: str, command: list[str], environment: dict[str, str], until: float, most_s: float = CASE_S
) -> None:
    """Run a command; cut short by the clock it counts as nothing, cut short by its own limit as failed."""
    left = until - time.monotonic()
    if left <= 0:
        return
    limit = min(left, most_s)
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.communicate()
            if limit == most_s:
                score.tell(name, f"not done after {most_s:.0f} s")
            return
    score.tell(name, None if process.returncode == 0 else said[-3000:])
