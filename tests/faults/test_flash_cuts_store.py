"""Power fails inside every flash operation of storing files on LittleFS; each file is whole, old or new.

Where bits waver afterwards it may be an older one, or found to be damaged; it is never taken for what it is not.
"""

import os
from pathlib import Path

import pytest
from scanlatch_tools import places
from scanlatch_tools.twin import interpreter

SCRIPT = Path(__file__).parent / "device_scripts" / "store_cuts.py"
FULL = bool(os.environ.get("SCANLATCH_FULL"))
KINDS = ["lost", "half", "garbage", "unstable"]
EVERY = 1 if FULL else 6  # so many cuts are passed over between two that are followed by another


def _cuts(*arguments: object) -> int:
    path = interpreter.search_path(places.firmware())
    done = interpreter.run([str(SCRIPT), *map(str, arguments)], path, heap="128M")
    assert done.returncode == 0, done.stdout + done.stderr
    return int(done.stdout.split()[-1])


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_old_or_new_after_a_cut_at_every_operation(kind: str) -> None:
    assert _cuts(kind) > 200


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_old_or_new_after_a_second_cut_at_every_operation(kind: str) -> None:
    assert _cuts(kind, 1, EVERY) * EVERY > 900
