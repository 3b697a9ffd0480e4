"""The broker's disk is full, or what it held there is gone: what it had taken and did not save comes again."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from scanlatch_tools.broker import Mosquitto
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.stage import Stage

from tests.faults.balance import balanced
from tests.faults.no_room import SmallDisk
from tests.faults.site_with_terminals import CODES, SITE, Person, stage
from tests.system.waiting import switch_on, until

# A terminal sends again what it was acknowledged 30 s ago and not receipted, or at once where it started anew.
_WITH = ["terminal too", "broker alone"] if os.environ.get("SCANLATCH_FULL") == "1" else ["terminal too"]
_ANSWERS = frozenset({"accepted", "rejected", "duplicate", "pending", "error"})
_FINAL_S = 75


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Stage]:
    """On a broker whose disk is small."""
    made = stage(tmp_path)
    folder = made.site.folder / "broker" / "data"
    shutil.rmtree(folder)
    with SmallDisk(folder).mounted(), made:
        made.platform.know(CODES)
        yield made


@pytest.fixture
def person(site: Stage) -> Person:
    made = Person(site.terminal("d-room-01", SITE), iter(CODES))
    Desk(made.device, SITE, made.twin).wait_ready()
    assert made.scan(_ANSWERS) == "accepted"
    return made


@pytest.mark.parametrize("which", _WITH)
def test_what_a_broker_with_a_full_disk_forgets_comes_again(site: Stage, person: Person, which: str) -> None:
    broker, room = _broker(site), SmallDisk(site.site.folder / "broker" / "data")
    assert _save(site) == ""
    assert _saved(site), "it saves while there is room"
    room.take(broker.pid)
    site.bridge.kill()
    for _ in range(2):
        assert person.scan(_ANSWERS) == "pending"
    # mosquitto 2.0 says so only where a part could be written; else it keeps an empty file in place of its last one.
    assert "No space left" in _save(site) or _emptied(site)
    assert person.scan(_ANSWERS) == "pending"  # it takes scans all the same
    _die(site, person, which, broker.kill)
    balanced(site, person, within=_FINAL_S, heads=False)  # though the disk is still full
    room.give(broker.pid)
    assert person.scan(_ANSWERS) == "accepted"
    assert _save(site) == ""
    balanced(site, person, within=_FINAL_S)


@pytest.mark.parametrize("which", _WITH)
def test_a_broker_without_its_persistence_is_told_all_anew(site: Stage, person: Person, which: str) -> None:
    site.bridge.kill()
    for _ in range(3):
        assert person.scan(_ANSWERS) == "pending"

    def forget() -> None:
        _broker(site).stop()
        for file in (site.site.folder / "broker" / "data").iterdir():
            file.unlink()

    _die(site, person, which, forget)
    balanced(site, person, within=_FINAL_S)
    assert person.scan(_ANSWERS) == "accepted"
    balanced(site, person, within=_FINAL_S, heads=False)


def _broker(site: Stage) -> Mosquitto:
    assert isinstance(site.broker, Mosquitto)
    return site.broker


def _die(site: Stage, person: Person, which: str, end: object) -> None:
    """The broker ends, and what it had not saved with it; the bridge comes back behind it."""
    assert callable(end)
    if which == "terminal too":
        person.twin.kill()
    end()
    site.broker.start()
    site.bridge.start()
    if which == "terminal too":
        switch_on(person.twin)


def _save(site: Stage) -> str:
    """Let it write down all that it has, as it does by itself every minute; what it says where it can't."""
    saved, told = _saved(site), len(_said(site))
    os.kill(_broker(site).pid, signal.SIGUSR1)
    until(lambda: _saved(site) != saved or len(_said(site)) > told, "mosquitto saves")
    return _said(site)[told:]


def _saved(site: Stage) -> list[tuple[str, int]]:
    """What it has saved, and when."""
    return [(one.name, one.stat().st_mtime_ns) for one in (site.site.folder / "broker" / "data").glob("*.db")]


def _emptied(site: Stage) -> bool:
    return all(not one.stat().st_size for one in (site.site.folder / "broker" / "data").glob("*.db"))


def _said(site: Stage) -> str:
    return (site.site.folder / "broker" / "mosquitto.log").read_text(errors="replace")
