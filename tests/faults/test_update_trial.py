"""A new version that falls at its start, hangs, or never reaches the broker: the old one is back, with every record."""

import shutil
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from scanlatch_tools import boards, enrol, places, site
from scanlatch_tools.twin import build
from scanlatch_tools.twin.device import Twin

from tests.faults.site_with_terminals import CODES, SITE, Person
from tests.system.waiting import console, switch_on, until

DEVICE = "d-trial-01"
_MINUTE_MS = 3_000  # so long; and half as long again the quarter of an hour in which a new version is to be online
_LIMIT_S = 120
_NEW = {  # first lines of its app.py
    "falls": 'raise ValueError("a new version that falls")\n',
    "hangs": "import time\nwhile True:\n    time.sleep(1)\n",
    "is never online": "",  # there is no broker here
}
_NEWEST = """
from scanlatch.keep import store
from scanlatch.keep.journal import Journal
from scanlatch.system import board, wiring
journal = Journal(wiring.scanlog(), store.Nvs(board.nvs()).get_bytes("journal"))
journal.recover()
print(journal.newest)
"""


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A terminal's folder as enrolment leaves it; its broker does not run."""
    folder = tmp_path_factory.mktemp("trial")
    made = site.create(folder / "site", [SITE], port=1)
    with Twin(folder / DEVICE) as twin:
        enrol.enrol(made.folder, twin, DEVICE, SITE, boards.load("twin"))
    return folder / DEVICE


@pytest.fixture
def twins(enrolled: Path, tmp_path: Path) -> Iterator[dict[str, Twin]]:
    made: dict[str, Twin] = {}
    try:
        for what in _NEW:
            folder = tmp_path / what.replace(" ", "-")
            shutil.copytree(enrolled, folder, symlinks=True)
            made[what] = Twin(folder, minute_ms=_MINUTE_MS)
        yield made
    finally:
        for twin in made.values():
            twin.stop()


def test_what_does_not_do_its_work_is_taken_back_and_no_scan_is_lost(twins: dict[str, Twin], tmp_path: Path) -> None:
    with ThreadPoolExecutor(len(twins)) as together:  # most of it is waiting
        for done in [together.submit(_taken_back, twin, what, tmp_path) for what, twin in twins.items()]:
            done.result()


def _taken_back(twin: Twin, what: str, folder: Path) -> None:
    switch_on(twin)
    assert Person(twin, iter(CODES)).scan() == "kept"
    twin.kill()
    _put_on_trial(twin, what, folder)
    before, started = twin.restarts, len(console(twin, "started"))
    mark = twin.mark()
    twin.start()
    until(lambda: twin.restarts == before + 3, f"{what}: three starts", _LIMIT_S)
    until(lambda: _reads(twin, started + (1 if _NEW[what] else 4)), f"{what}: the old one reads", _LIMIT_S)
    ends = [line["what"] for line in twin.trace(mark) if line.get("event") in ("bite", "over")]
    assert ends == ["wdt" if _NEW[what] else "timer"] * 3, what
    person = Person(twin, iter(CODES[1:]))
    assert person.scan() == "kept"
    twin.kill()
    assert twin.violations() == []
    assert (twin.files / "slot").read_bytes()[:-4] == b"a b 3 7 -"
    assert twin.run(_NEWEST).split()[-1] == "2", f"{what}: records"


def _reads(twin: Twin, starts: int) -> bool:
    """Whether its firmware has started so often, and its scan engine is set up since."""
    told = twin.console().split('"event": "started"')
    return len(told) == starts + 1 and '"state": "ready"' in told[-1]


def _put_on_trial(twin: Twin, what: str, folder: Path) -> None:
    source = folder / f"source-{what}"
    shutil.copytree(places.firmware(), source, ignore=shutil.ignore_patterns("__pycache__"))
    app = source / "scanlatch" / "app.py"
    app.write_text(_NEW[what] + app.read_text())
    shutil.copytree(build.firmware(source) / "scanlatch", twin.files / "b" / "scanlatch")
    (twin.files / "b" / "whole").touch()
    told = b"a b 0 7 -"
    (twin.files / "slot").write_bytes(told + zlib.crc32(told).to_bytes(4, "little"))
