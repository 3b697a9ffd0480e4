"""A fresh bridge for each test, on each database that a ledger may lie in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bridge.world import World

DATABASES = ["sqlite", "postgresql"]


@pytest.fixture(params=DATABASES)
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a ledger may be made."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("database"))
    return f"sqlite:///{tmp_path / 'ledger.sqlite'}"


@pytest.fixture
def world(tmp_path: Path, ledger_url: str) -> Iterator[World]:
    made = World(tmp_path, url=ledger_url)
    yield made
    made.close()


@pytest.fixture
def sqlite_world(tmp_path: Path) -> Iterator[World]:
    """For what is SQLite's own: its file, its one writer."""
    made = World(tmp_path)
    yield made
    made.close()
