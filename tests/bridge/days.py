"""Fixtures: the scripted day, ready to be run again and again on a ledger of its own, on each database."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from scanlatch_tools.postgres import Postgres

from host_bridge.audit.run import audit
from tests.bridge.conftest import DATABASES
from tests.bridge.deadly_run import Run
from tests.bridge.dying import Points
from tests.bridge.scripted_day import Day
from tests.bridge.world import World

_MEMORY = Path("/dev/shm")


class Runner(Protocol):
    """Runs the day; see Points and Run for what may be asked."""

    def __call__(self, *die_at: int, slow: bool = False, look: Callable[[int, str], None] | None = None) -> Run:
        """`look` is given the number of each point and the ledger's URL."""
        ...


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """In memory where there is one: what dies here is a process, and no disk."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as made:
        yield Path(made)


@pytest.fixture(scope="module", params=DATABASES)
def runner(request: pytest.FixtureRequest, folder: Path) -> Iterator[Runner]:
    """Runs the day on a ledger of its own that has nothing but what was there before it."""
    postgres: Postgres | None = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    url = postgres.create("day", "template_ledger") if postgres else None
    before = World(folder, url=url)
    day = Day(before)
    before.close()
    kept = folder / "before.sqlite"
    if postgres is None:
        (folder / "ledger.sqlite").rename(kept)

    def fresh() -> str:
        if postgres is not None:
            postgres.drop("day_run")
            return postgres.create("day_run", "day")
        for old in folder.glob("ledger.sqlite*"):
            old.unlink()
        shutil.copy(kept, folder / "ledger.sqlite")
        return f"sqlite:///{folder / 'ledger.sqlite'}"

    def run(*die_at: int, slow: bool = False, look: Callable[[int, str], None] | None = None) -> Run:
        url = fresh()
        made = Run(
            day, url, Points(*die_at, look=None if look is None else lambda point: look(point, url)), before, slow
        )
        try:
            made.through()
            return made
        finally:
            made.close()

    yield run
    if postgres is not None:
        postgres.drop("day_run")
        postgres.drop("day")


@pytest.fixture(scope="module")
def clean(runner: Runner) -> Run:
    """The day without a death."""
    made = runner()
    assert made.told == []
    found = audit(made.url, {}, made.now)
    assert list(found.counts) == [("d-dock-01", "fork")], found.lines()
    return made
