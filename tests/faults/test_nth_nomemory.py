"""CPython refuses memory to the device's pure logic, allocation by allocation: it ends as ever, or not at all."""

import os
import random
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from scanlatch_tools import places
from scanlatch_tools.twin import interpreter

from tests.faults.nth_cases import FULL, SEED

SCRIPT = Path(__file__).parent / "device_scripts" / "nomemory_cases.py"
STAND_INS = Path(interpreter.__file__).parent / "stand_ins"
STUBS = Path(__file__).parents[1] / "stubs"
JOBS = {"classify": 1, "records": 1, "opened": 1, "journal": 97}  # every so many allocations in `make test`
LIMIT_S = 1800 if FULL else 120


@pytest.mark.skipif(find_spec("_testcapi") is None, reason="this Python was built without _testcapi.set_nomemory")
@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("job", JOBS)
def test_memory_that_is_refused_changes_no_answer_and_loses_nothing(job: str) -> None:
    stride = 1 if FULL else JOBS[job]
    start = random.Random(SEED).randrange(stride)  # a choice, no key
    print(f"seed {SEED}: SCANLATCH_SEED={SEED} gives the same again")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), job, str(start), str(stride)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (places.firmware(), STUBS, STAND_INS)))},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout) * stride > (5_000 if job == "journal" else 100)
