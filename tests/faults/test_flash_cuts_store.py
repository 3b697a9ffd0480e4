"""Power fails inside every flash operation of storing files on LittleFS; each file is whole, old or new."""

from pathlib import Path

import pytest
from scanlatch_tools import places
from scanlatch_tools.twin import interpreter

SCRIPT = Path(__file__).parent / "device_scripts" / "store_cuts.py"


@pytest.mark.parametrize("kind", ["lost", "half", "garbage"])
def test_a_file_is_old_or_new_after_a_cut_at_every_operation(kind: str) -> None:
    path = interpreter.search_path(places.firmware())
    done = interpreter.run([str(SCRIPT), kind], path, heap="128M")
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout) > 200
