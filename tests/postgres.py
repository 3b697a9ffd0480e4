"""Real PostgreSQL for tests: one throw-away server a session, a ledger in it for each test."""

import itertools
from collections.abc import Iterator

import psycopg
import pytest
from scanlatch_tools.postgres import Postgres

from host_bridge.ledger import open_ledger
from host_bridge.ledger.schema import metadata

_TEMPLATE, _SHARED = "template_ledger", "shared_ledger"
_numbers = itertools.count(1)
_LEAVE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_EMPTY = [f"DELETE FROM {table.name}" for table in metadata.sorted_tables]
_COUNT_ANEW = [
    f"ALTER SEQUENCE {table.name}_id_seq RESTART"
    for table in metadata.sorted_tables
    if (column := table.autoincrement_column) is not None and column.name == "id"
]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server; tests/conftest.py makes this known everywhere. tools/scripts/test_tools.sh installs it."""
    with Postgres(durable=False) as server:
        open_ledger(server.create(_TEMPLATE)).close()
        yield server


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    """URL of a ledger that nobody has written to; a test may do with its schema what it likes."""
    name = f"ledger_{next(_numbers)}"
    yield postgres.create(name, _TEMPLATE)
    postgres.drop(name)


@pytest.fixture(scope="session")
def shared_ledger(postgres: Postgres) -> str:
    return postgres.create(_SHARED, _TEMPLATE)


@pytest.fixture
def emptied_database(shared_ledger: str) -> str:
    """The same, made in a tenth of the time: its schema must stay as it is."""
    with psycopg.connect(shared_ledger.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(";".join([_LEAVE, *_EMPTY, *_COUNT_ANEW]).encode())
    return shared_ledger
