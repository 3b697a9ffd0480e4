"""A task that hangs, or lets no other run: the watchdog really ends the twin's process, and the terminal goes on."""

import shutil
from pathlib import Path

import pytest
from scanlatch_tools import boards, enrol, places, site
from scanlatch_tools.twin.device import Twin

from tests.faults.site_with_terminals import CODES, SITE, Person
from tests.system.waiting import console, until, until_engine

DEVICE = "d-hang-01"
# Shorter than the product's 120 s and 30 s, so that the test does not have to last as long.
SHORTER = {
    "app.py": ("_UPLINK_LIMIT_MS = const(120_000)", "_UPLINK_LIMIT_MS = const(3_000)"),
    "system/watchdog.py": ("TIMEOUT_MS = const(30_000)", "TIMEOUT_MS = const(5_000)"),
}
PLACE = "        began = self._clock.ms()\n        try:\n"  # where a life of the link begins
HANGS = {"a task": "await asyncio.sleep_ms(20)", "the loop": "pass"}


def _firmware(folder: Path, hang: str) -> Path:
    """Our firmware, whose link hangs so for ever where there is a file `hang`."""
    made = folder / "firmware"
    shutil.copytree(places.firmware(), made)
    uplink = f'        while "hang" in os.listdir():\n            {hang}\n{PLACE}'
    for name, (old, new) in {**SHORTER, "send/uplink.py": (PLACE, uplink)}.items():
        file = made / "scanlatch" / name
        text = file.read_text()
        assert text.count(old) == 1, name
        file.write_text(text.replace(old, new))
    return made


@pytest.mark.parametrize("what", HANGS)
def test_what_hangs_is_started_again_by_the_watchdog_and_goes_on(tmp_path: Path, what: str) -> None:
    made = site.create(tmp_path / "site", [SITE], port=1)
    with Twin(tmp_path / DEVICE, firmware=_firmware(tmp_path, HANGS[what])) as twin:
        enrol.enrol(made.folder, twin, DEVICE, SITE, boards.load("twin"))
        person = Person(twin, iter(CODES))
        twin.start()
        until_engine(twin, 0)
        assert person.scan() == "kept"
        (twin.files / "hang").write_text("")
        mark = twin.mark()
        twin.wait_for(lambda line: line["what"] == "wdt" and line["event"] == "bite", 60, mark)
        (twin.files / "hang").unlink()
        until(lambda: len(console(twin, "engine")) > 1, "the scan engine after the restart", 60)
        assert person.scan() == "kept"
        twin.kill()
        assert twin.restarts >= 1
        flash = (twin.folder / "scanlog.bin").read_bytes()
        assert all(flash.count(code.encode()) >= 1 for code in person.kept)
