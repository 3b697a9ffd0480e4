"""Power fails inside every flash operation of an update on LittleFS: the terminal always starts one of the two slots.

From the first byte of the manifest to the confirmation behind the trial, boot.py's own writes among them.
"""

import os
from pathlib import Path

import pytest
from scanlatch_tools import places
from scanlatch_tools.twin import interpreter

_TESTS = Path(__file__).parents[1]
_SCRIPT = _TESTS / "faults" / "device_scripts" / "update_cuts.py"
_STRIDE = 1 if os.environ.get("SCANLATCH_FULL") else 16


@pytest.mark.parametrize(("kind", "first"), [("lost", 0), ("half", 4), ("garbage", 8), ("unstable", 12)])
def test_a_cut_at_every_operation_of_an_update_starts_one_of_the_two(kind: str, first: int) -> None:
    path = interpreter.search_path(places.firmware(), _TESTS / "firmware" / "device_scripts")
    done = interpreter.run([str(_SCRIPT), kind, str(first % _STRIDE), str(_STRIDE)], path, heap="256M", timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert int(done.stdout.split()[-1]) >= 200 // _STRIDE
