"""A backup of any moment of a day is a whole ledger, and the terminals' rings bring back the rest of the day."""

import os
import random
from contextlib import closing
from pathlib import Path

import pytest
from scanlatch_tools.postgres import Postgres

from host_bridge import due
from host_bridge.audit.run import audit
from host_bridge.ledger.backup import back_up, restore
from host_bridge.ledger.open import connect
from tests.bridge.days import Runner, clean, folder, runner
from tests.bridge.deadly_run import Run
from tests.bridge.dying import Points
from tests.bridge.strict import Witness
from tests.bridge.world import CODES

__all__ = ["clean", "folder", "runner"]

FULL = bool(os.environ.get("SCANLATCH_FULL"))
BACKUPS = {"sqlite": 200 if FULL else 8, "postgresql": 20 if FULL else 2}

FORK = ("d-dock-01", "fork")  # what an audit may say of this day
FOUND_LATER = ("d-window-02", "lost")
LOST = [("d-window-02", 7)]  # what the terminal had called lost stays so, unless it comes by itself, as it did that day


def test_a_backup_made_at_any_point_is_whole_and_the_rings_bring_back_the_rest(
    request: pytest.FixtureRequest, runner: Runner, clean: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = request.node.callspec.params["runner"]
    if database == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        monkeypatch.setenv("PATH", f"{postgres.programs}{os.pathsep}{os.environ['PATH']}")
    points = sorted(random.sample(range(len(clean.points.names)), BACKUPS[database]))

    committed: dict[int, int] = {}

    def look(point: int, url: str) -> None:
        if point in points:
            with closing(Witness(url)) as witness:
                committed[point] = _records(witness)
            back_up(connect(url), tmp_path / f"{point}")

    day = runner(look=look)
    assert (day.books, day.told) == (clean.books, []), "a backup changes nothing"
    for number, point in enumerate(points):
        ledger = connect(day.url)
        restore(ledger, tmp_path / f"{point}", day.now + number * 1_000)
        with closing(Witness(day.url)) as witness:
            assert _records(witness) == committed[point]
        found = audit(day.url, {}, day.now)
        assert not set(found.counts) - {FORK, FOUND_LATER}, (point, found.lines())
        with ledger.write() as connection:
            due.ask_all(connection, day.now)
        ledger.close()
        evening = _evening(day)
        still_lost = [seq for seq in LOST if FOUND_LATER in found.counts]
        _check(evening, day, still_lost, f"the backup of point {point}")


def _records(witness: Witness) -> int:
    return witness.ask("SELECT count(*) FROM scans")[0][0]


def _evening(day: Run) -> Run:
    """The day's ledger is that of the backup: what follows."""
    made = Run(day.day, day.url, Points(), day.template, steps=day.day.evening())
    made.now = day.now
    made.platform.taken, made.platform.refused = dict(day.platform.taken), dict(day.platform.refused)
    try:
        made.through()
        return made
    finally:
        made.close()


def _check(evening: Run, day: Run, still_lost: list[tuple[str, int]], at: str) -> None:
    assert evening.told == [], at
    assert set(evening.records) <= set(day.records), at
    assert {one[:2] for one in day.records} - {one[:2] for one in evening.records} <= set(still_lost), at
    assert evening.waiting == [], f"{at}: records without a final answer"
    assert evening.platform.taken.keys() >= day.platform.taken.keys(), at
    assert {code for code in CODES if evening.platform.sold(code) > 1} == set(), f"{at}: sold twice"
    found = audit(evening.url, {}, evening.now)
    assert not set(found.counts) - ({FORK, FOUND_LATER} if still_lost else {FORK}), (at, found.lines())
