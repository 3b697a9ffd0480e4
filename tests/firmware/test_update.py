"""Updates of the device's package, on real MicroPython and the real LittleFS."""

import pytest
from scanlatch_tools import places
from scanlatch_tools.flash.partitions import LAYOUTS
from scanlatch_tools.twin import build, interpreter

from tests import device

_SPARE = 8  # blocks of 4 KiB that are left for a person's own files, and for flash that is worn


_CASES = [(script, name) for script in ("update_cases.py", "update_trial_cases.py") for name in device.names(script)]


@pytest.mark.parametrize(("script", "name"), _CASES)
def test_update(script: str, name: str) -> None:
    device.check(script, name, "64M")


def test_two_slots_of_this_firmware_fit_a_board_of_4_mb() -> None:
    path = interpreter.search_path(places.firmware(), device.SCRIPTS)
    script = [str(device.SCRIPTS / "update_whole.py"), str(build.firmware()), str(LAYOUTS[4]["fs_kb"] // 4 - _SPARE)]
    done = interpreter.run(script, path, heap="64M", timeout=120)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
