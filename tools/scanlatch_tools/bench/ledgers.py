"""The databases that a bench lays its ledgers in: SQLite in its folder, or a PostgreSQL server of its own."""

import contextlib
import itertools
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from scanlatch_tools.bench.child import cpu_of_tree, parent_of
from scanlatch_tools.errors import ToolError
from scanlatch_tools.postgres import NoPostgres, Postgres
from scanlatch_tools.postgres import find as find_postgres

SQLITE, POSTGRESQL = "sqlite", "postgresql"
# The distribution's 128 MB would be a measure of its default; a quarter of a small server's memory is what is advised.
_SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "4GB"}


@dataclass(slots=True)
class Database:
    """One kind of ledger. Every `place` is a new, empty one."""

    name: str
    server: Postgres | None = None
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def place(self, folder: Path) -> str:
        """URL of a new ledger; `folder` takes its files where it has any."""
        if self.server is None:
            return f"sqlite:///{folder / 'ledger.sqlite'}"
        return self.server.create(f"bench_{next(self._numbers)}")

    def remove(self, url: str) -> None:
        """Drop a ledger of the server; a file is its folder's owner's to remove."""
        if self.server is not None:
            self.server.drop(_database(url))

    def disk(self, url: str) -> int:
        """Bytes that a ledger takes, its write-ahead log included where that is a file of its own."""
        if self.server is None:
            path = Path(url.removeprefix("sqlite:///"))
            return sum(one.stat().st_size for one in path.parent.glob(f"{path.name}*"))
        with self._connected(url) as connection:
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return int(row[0]) if row else 0

    def cpu(self) -> float:
        """Seconds of CPU that the server has used; 0 where the ledger is in the bridge's own process."""
        if self.server is None:
            return 0.0
        with self._connected(self.server.url("postgres")) as connection:
            return cpu_of_tree(parent_of(connection.info.backend_pid))

    def version(self) -> str:
        """Of the program that keeps it."""
        if self.server is None:
            import sqlite3

            return f"SQLite {sqlite3.sqlite_version}"
        with self._connected(self.server.url("postgres")) as connection:
            return f"PostgreSQL {connection.info.server_version // 10_000}.{connection.info.server_version % 10_000}"

    @staticmethod
    def _connected(url: str) -> "psycopg.Connection[tuple[int]]":
        return psycopg.connect(url.replace("postgresql+psycopg", "postgresql", 1), autocommit=True)


@contextlib.contextmanager
def opened(name: str) -> Generator[Database]:
    """A kind of ledger by name. Raises ToolError where PostgreSQL is wanted and not installed."""
    if name == SQLITE:
        yield Database(SQLITE)
        return
    try:
        server = Postgres(durable=True, settings=_SETTINGS)
    except NoPostgres as error:
        raise ToolError(str(error)) from error
    with server:
        yield Database(POSTGRESQL, server)


def has_postgresql() -> bool:
    """Whether PostgreSQL is installed."""
    try:
        find_postgres()
    except NoPostgres:
        return False
    return True


def _database(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]
