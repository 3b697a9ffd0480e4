"""The tests that have a full size and no job of their own, one file after another in random order."""

import random
import sys
import time

from soaks.cases import FULL, ROOT, Score, run_case

# One that takes longer than the job's share is cut short, and counts in a longer soak.
_TESTS = (
    "bridge/test_crash_points.py",
    "bridge/test_backup_points.py",
    "bridge/test_ledger_crash.py",
    "bridge/test_rules.py",
    "faults/test_broker_room.py",
    "faults/test_certificates.py",
    "faults/test_flash_cuts_update.py",
    "faults/test_flash_faults.py",
    "faults/test_kills.py",
    "faults/test_lines.py",
    "faults/test_lines_ledger.py",
    "faults/test_nth_failures.py",
    "faults/test_nth_heap.py",
    "faults/test_nth_nomemory.py",
    "faults/test_nth_watchdog.py",
    "firmware/test_prove_verify.py",
    "system/test_drain.py",
    "system/test_update.py",
    "tools/test_calibrate.py",
    "tools/test_doctor.py",
    "tools/test_flash_faults.py",
    "tools/test_minute.py",
    "tools/test_provision_pulled.py",
)
_MOST_S = 3600.0


def full(score: Score, chance: random.Random, until: float) -> None:
    """Each of the tests at full size, until the time is over."""
    names = list(_TESTS)
    while time.monotonic() < until:
        chance.shuffle(names)
        for name in names:
            command = [sys.executable, "-m", "pytest", "-q", "-x", str(ROOT / "tests" / name), "-o", "timeout=3600"]
            run_case(score, f"full size: {name}", command, FULL, until, _MOST_S)
