"""A fresh bridge for each test, on each database that a ledger may lie in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bridge.meeting import deadlocks
from tests.bridge.world import World

DATABASES = ["sqlite", "postgresql"]


@pytest.fixture(params=DATABASES)
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a ledger may be made, and its schema spoilt."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("database"))
    return f"sqlite:///{tmp_path / 'ledger.sqlite'}"


@pytest.fixture(params=DATABASES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    url = request.getfixturevalue("emptied_database") if request.param == "postgresql" else None
    made = World(tmp_path, url=url)
    yield made
    made.close()


@pytest.fixture
def sqlite_world(tmp_path: Path) -> Iterator[World]:
    """For what is SQLite's own: its file, its one writer."""
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def one(tmp_path: Path, emptied_database: str) -> Iterator[World]:
    """The first of two bridges on one PostgreSQL, which nothing that they do brings into a deadlock."""
    made = World(tmp_path, url=emptied_database)
    before = deadlocks(made.url)
    yield made
    made.close()
    assert deadlocks(made.url) == before


@pytest.fixture
def two(one: World) -> Iterator[World]:
    """The second."""
    made = World.beside(one)
    made.clock = one.clock
    made.start()
    yield made
    made.close()


@pytest.fixture(params=["first", "second"])
def turned(request: pytest.FixtureRequest) -> bool:
    """Whether the bridge that is named second comes first."""
    return request.param == "second"
