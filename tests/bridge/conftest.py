"""A fresh bridge for each test, on each database that a ledger may lie in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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
