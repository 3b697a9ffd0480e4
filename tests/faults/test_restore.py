"""A ledger is put back from an older backup: what a terminal's flash still holds comes back, what none does is told."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from scanlatch_tools.books import Books
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin import shown
from scanlatch_tools.twin.device import Twin
from typer.testing import CliRunner

from host_bridge.cli import app
from host_bridge.ledger import alerts, open_ledger
from host_bridge.wire import Outcome
from tests.faults.balance import balanced
from tests.faults.site_with_terminals import CODES, SITE, Person, stage
from tests.system.waiting import until, until_engine

_SECTORS = 8  # the smaller terminal's: a dozen records in each
_BEFORE, _SINCE, _TURN_OVER = 3, 6, 150  # scans before the backup, and since; these fill the smaller flash anew
_BACK_S = 60


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as made:
        made.platform.know(CODES)
        yield made


def test_what_a_ring_still_holds_comes_back_and_what_none_holds_is_an_alert_with_its_range(site: Stage) -> None:
    (site.folder / "d-small-01").mkdir()
    (site.folder / "d-small-01" / "twin.json").write_text(json.dumps({"sectors": _SECTORS}))
    codes = iter(CODES)
    large, small = (Person(site.terminal(name, SITE), codes) for name in ("d-large-01", "d-small-01"))
    for person in (large, small):
        until_engine(person.twin, 0)
        _scan(person, _BEFORE)
        balanced(site, person, within=_BACK_S, heads=False)
    backup = site.folder / "backup.sqlite"
    _by_hand(site, "backup", "--to", str(backup))
    _scan(large, _SINCE)
    _scan(small, _TURN_OVER)
    for person in (large, small):
        balanced(site, person, within=_BACK_S, heads=False)

    site.bridge.kill()
    assert "2 terminals will be asked" in _by_hand(site, "restore", "--from", str(backup))
    site.broker.stop()
    site.broker.start()  # each terminal says where its chain ends when it connects
    site.bridge.start()

    balanced(site, large, within=_BACK_S, heads=False)
    gone = _lost(site, "d-small-01")
    with Books(site.site) as books:
        assert books.wait_until_final("d-small-01", range(gone[1] + 1, len(small.kept) + 1), _BACK_S)
        entries = books.entries("d-small-01")
    there = [*range(1, _BEFORE + 1), *range(gone[1] + 1, len(small.kept) + 1)]
    assert [entry.seq for entry in entries] == there
    assert gone[0] == _BEFORE + 1
    assert {entry.outcome for entry in entries} == {Outcome.ACCEPTED}
    assert {code: len(site.platform.sales(code)) for code in small.kept} == dict.fromkeys(small.kept, 1)

    _scan(large, 1)
    _scan(small, 1)
    balanced(site, large, within=_BACK_S, heads=False)
    for person in (large, small):
        until(lambda person=person: _seen(person.twin)[-2:], "lights")
        assert not {"attention", "fault"} & set(_seen(person.twin)), "a receipt or verdict of the past alarms nobody"
    balanced(site, large, small, within=_BACK_S, lost={"d-small-01": range(gone[0], gone[1] + 1)})


def _scan(person: Person, count: int) -> None:
    while count:
        said = person.scan()
        count -= said == "kept"


def _seen(twin: Twin) -> list[str]:
    """All that its light said."""
    eye = shown.Eye()
    return [seen.name for seen in map(eye.see, twin.trace()) if seen is not None]


def _lost(site: Stage, device: str) -> tuple[int, int]:
    """The range of its one alert, once that is there."""
    ledger = open_ledger(site.site.ledger_url)
    found: list[tuple[str, int, int]] = []

    def told() -> bool:
        with ledger.read() as connection:
            found[:] = [(one.kind, one.first, one.last) for one in alerts.listed(connection, device)]
        return any(kind == "lost" for kind, _, _ in found)

    until(told, "the alert", _BACK_S)
    ledger.close()
    assert [kind for kind, _, _ in found] == ["lost"]
    return found[0][1], found[0][2]


def _by_hand(site: Stage, *words: str) -> str:
    """A command of the bridge on this site."""
    done = CliRunner().invoke(app, [*words, "--config", str(site.site.configs[0])])
    assert done.exit_code == 0, done.output
    return done.output
