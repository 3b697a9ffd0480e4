"""A terminal whose settings, journal, engine or program are not as they must be says so, and keeps nothing wrongly."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from scanlatch_tools import boards, enrol, site
from scanlatch_tools.twin.device import Twin

from tests.faults.site_with_terminals import CODES, SITE, Person
from tests.system.waiting import console, switch_on, until, until_engine, until_shown

DEVICE = "d-damaged-01"
_CHANGE_SETTINGS = """
import json
from scanlatch.keep import files
found = json.loads(files.read_file("settings.json"))
{}
files.write_file("settings.json", json.dumps(found).encode())
"""


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A terminal's folder as enrolment leaves it; its broker does not run."""
    folder = tmp_path_factory.mktemp("damaged")
    made = site.create(folder / "site", [SITE], port=1)
    with Twin(folder / DEVICE) as twin:
        enrol.enrol(made.folder, twin, DEVICE, SITE, boards.load("twin"))
    return folder / DEVICE


@pytest.fixture
def twin(enrolled: Path, tmp_path: Path) -> Iterator[Twin]:
    shutil.copytree(enrolled, tmp_path / DEVICE, symlinks=True)
    with Twin(tmp_path / DEVICE) as made:
        yield made


def _process(twin: Twin) -> int:
    """The terminal's own process."""
    found = [one.parent.name for one in Path("/proc").glob("[0-9]*/cwd") if _leads_to(one, twin.files)]
    assert len(found) == 1, found
    return int(found[0])


def _leads_to(link: Path, folder: Path) -> bool:
    try:
        return link.readlink() == folder
    except OSError:
        return False


def _own_files(twin: Twin) -> Path:
    """The terminal's package, as files of its own that may be damaged."""
    slot = twin.files / "a"
    shutil.copytree(slot, slot.with_name("own"))  # what lies in the slot is shared with other twins
    shutil.rmtree(slot)
    slot.with_name("own").rename(slot)
    return slot / "scanlatch"


def _records(twin: Twin) -> int:
    """Entries that anything was programmed for."""
    return (twin.folder / "scanlog.bin").read_bytes().count(CODES[0][:7].encode())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ('found["operatoin"] = found.pop("operation")', "did you mean operation?"),
        ('found["broker"]["prot"] = 1', "did you mean broker.port?"),
        ('found["site"] = 7', "must be str"),
        ('found["operation"] = "sell"', "must be one of"),
        ('del found["device"]', "is missing"),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_do(twin: Twin, change: str, told: str) -> None:
    twin.run(_CHANGE_SETTINGS.format(change))
    twin.start()
    twin.wait_for(lambda line: line["what"] == "ended")
    assert told in console(twin, "settings")[0]["error"]


def test_a_damaged_settings_file_is_named(twin: Twin) -> None:
    path = twin.files / "settings.json"
    raw = bytearray(path.read_bytes())
    raw[10] ^= 1
    path.write_bytes(raw)
    twin.start()
    twin.wait_for(lambda line: line["what"] == "ended")
    assert "settings.json" in console(twin, "settings")[0]["error"]


def test_a_wiped_journal_refuses_to_scan_and_never_starts_at_one(twin: Twin) -> None:
    person = Person(twin, iter(CODES))
    switch_on(twin)
    assert person.scan() == "kept"
    assert _records(twin) == 1
    twin.kill()
    flash = twin.folder / "scanlog.bin"
    flash.write_bytes(b"\xff" * flash.stat().st_size)
    (twin.folder / "scanlog.bin.touched").write_bytes(bytes(flash.stat().st_size))
    mark = twin.mark()
    switch_on(twin)
    until_shown(twin, "fault", mark)
    for _ in range(2):
        assert person.scan() == "fault_refused"
    assert console(twin, "journal")
    assert _records(twin) == 0


def test_the_journal_of_another_terminal_refuses_to_scan(twin: Twin) -> None:
    twin.run(
        "from scanlatch.keep import store\nfrom scanlatch.system import board\n"
        'store.Nvs(board.nvs()).set_bytes("journal", b"another!")'
    )
    switch_on(twin)
    until_shown(twin, "fault", 0)
    assert Person(twin, iter(CODES)).scan() == "fault_refused"
    assert _records(twin) == 0


def test_a_board_flashed_without_our_partition_says_so_by_its_light_and_names_it(twin: Twin) -> None:
    (twin.folder / "twin.json").write_text('{"sectors": 0}')
    twin.start()
    until_shown(twin, "fault", 0)
    assert "partition scanlog" in console(twin, "broken")[0]["error"]
    (twin.folder / "twin.json").unlink()
    twin.kill()
    switch_on(twin)
    assert Person(twin, iter(CODES)).scan() == "kept"


def test_a_program_that_cannot_be_loaded_is_tried_again_by_the_watchdog(twin: Twin) -> None:
    (_own_files(twin) / "start.mpy").unlink()
    twin.start()
    twin.wait_for(lambda line: line["what"] == "ended")
    (started,) = [line for line in twin.trace() if line["what"] == "wdt"]
    assert (started["event"], started["timeout"]) == ("started", 60_000)


def test_files_that_are_needed_rarely_may_be_damaged_and_scans_are_kept(twin: Twin) -> None:
    files = _own_files(twin)
    (files / "system" / "modes.mpy").write_bytes(b"M\x03\x00\x1f")  # made for another interpreter
    (files / "read" / "kinds.mpy").unlink()
    (files / "send" / "opening.mpy").unlink()
    switch_on(twin)
    assert Person(twin, iter(CODES)).scan() == "kept"
    for code, light in (("SL/ABC123/SALE", "error"), ("6901234567892", "busy")):
        mark = twin.mark()
        twin.scan(code)
        until_shown(twin, light, mark)
        if light == "error":  # at once: what could not be done is no bounce
            twin.scan(code)
            until(lambda: len(console(twin, "aside")) == 2, "a second try of the control code")
    until(lambda: len(console(twin, "link")) >= 2, "a second try")
    assert {line["cause"] for line in console(twin, "link")} == {"files"}
    assert Person(twin, iter(CODES[1:])).scan() == "kept"
    assert twin.restarts == 0


def test_an_engine_that_is_silent_shows_and_is_taken_up_when_it_answers(twin: Twin) -> None:
    twin.engine.simulator.faults.silent = True
    twin.start()
    until_shown(twin, "engine", 0)
    assert console(twin, "engine")[-1]["state"] == "lost"
    twin.engine.simulator.faults.silent = False
    until_engine(twin, 0)
    assert Person(twin, iter(CODES)).scan() == "kept"
    assert console(twin, "engine")[-1]["state"] == "ready"


def test_a_terminal_that_hangs_is_started_again_by_its_watchdog(twin: Twin) -> None:
    person = Person(twin, iter(CODES))
    switch_on(twin)
    assert person.scan() == "kept"
    mark = twin.mark()
    os.kill(_process(twin), signal.SIGSTOP)
    watchdog = twin.folder / "wdt"
    timeout = int(watchdog.read_text().split()[1])
    long_ago = int(time.monotonic() * 1000) - timeout + 500
    watchdog.write_text(f"{long_ago} {timeout} \n")  # so that the test does not have to last as long as the hang
    twin.wait_for(lambda line: line["what"] == "wdt" and line["event"] == "bite", after=mark)
    until_engine(twin, 1)
    assert person.scan() == "kept"
    assert twin.restarts == 1
