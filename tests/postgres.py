"""Real PostgreSQL for tests: one throw-away server a session, a fresh ledger in it for each test."""

import itertools
from collections.abc import Iterator

import pytest
from scanlatch_tools.postgres import Postgres

from host_bridge.ledger import open_ledger

_TEMPLATE = "template_ledger"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server; tests/conftest.py makes this known everywhere. tools/scripts/test_tools.sh installs it."""
    with Postgres(durable=False) as server:
        open_ledger(server.create(_TEMPLATE)).close()
        yield server


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    """URL of a ledger that nobody has written to."""
    name = f"ledger_{next(_numbers)}"
    yield postgres.create(name, _TEMPLATE)
    postgres.drop(name)
