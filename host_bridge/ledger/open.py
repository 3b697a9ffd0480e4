"""Opens the ledger, brings its schema up to date, and hands out transactions."""

import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import event
from sqlalchemy.exc import DatabaseError, OperationalError

from host_bridge.errors import LedgerBroken, LedgerBusy

_MIGRATIONS = Path(__file__).parent / "migrations"
_CACHE_KIB = 65_536  # pages kept in memory, a connection
_CHECKPOINT_PAGES = 4_000  # WAL pages before SQLite moves them into the file, 16 MB
_WRITES = "scanlatch_writes"
# SQLite result codes that may not come again: sqlite.org/rescode.html
_PASSING = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_NOMEM")
_Select = TypeVar("_Select", bound=sa.GenerativeSelect)


class Ledger:
    """One database. One writer at a time in this process; others wait for their busy timeout."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(**{_WRITES: True})
        self._lock = threading.Lock()

    @contextmanager
    def write(self) -> Generator[sa.Connection]:
        """A transaction that is durable once the block is left without an exception.

        Raises LedgerBusy where the lock or the disk did not give, LedgerBroken where trying again cannot help;
        nothing of the block is kept then.
        """
        with self._lock:
            try:
                with self._writer.begin() as connection:
                    yield connection
            except DatabaseError as error:
                raise _told(error, self._engine) from error

    @contextmanager
    def read(self) -> Generator[sa.Connection]:
        """A consistent view; never waits for a writer. Raises LedgerBusy and LedgerBroken as `write` does."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except DatabaseError as error:
            raise _told(error, self._engine) from error

    def close(self) -> None:
        """Give back files and connections."""
        self._engine.dispose()


def open_ledger(url: str, busy_timeout_ms: int = 5_000) -> Ledger:
    """Open the database at `url` (SQLAlchemy form), creating or migrating it.

    Raises LedgerBroken where it is no ledger, is damaged, or was written by a newer version.
    """
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, busy_timeout_ms)
    try:
        _migrate(engine, url)
    except DatabaseError as error:
        raise LedgerBroken(url, str(error.orig)) from error
    return Ledger(engine)


def _prepare_sqlite(engine: sa.Engine, busy_timeout_ms: int) -> None:
    @event.listens_for(engine, "connect")
    def settle(connection: sqlite3.Connection, _record: object) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.isolation_level = None  # BEGIN is ours, below: the driver's own comes too late
        for pragma in (
            f"busy_timeout = {busy_timeout_ms}",
            "journal_mode = WAL",
            "synchronous = FULL",
            f"cache_size = -{_CACHE_KIB}",
            f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
            "temp_store = MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _migrate(engine: sa.Engine, url: str) -> None:
    config = AlembicConfig()
    config.set_main_option("script_location", str(_MIGRATIONS))
    newest = ScriptDirectory.from_config(config).get_current_head()
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found == newest:
        return
    with engine.execution_options(**{_WRITES: True}).begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise LedgerBroken(url, f"{error}; was it written by a newer version?") from error


def _told(error: DatabaseError, engine: sa.Engine) -> Exception:
    """What a person or the caller can do about it: wait, mend the ledger, or, on a broken invariant, look here."""
    if not isinstance(error, OperationalError):
        damaged = type(error) is DatabaseError
        return LedgerBroken(str(engine.url), str(error.orig)) if damaged else error
    name = getattr(error.orig, "sqlite_errorname", None)
    if name is None or name.startswith(_PASSING):
        return LedgerBusy(str(error.orig))
    return LedgerBroken(str(engine.url), str(error.orig))


def row_lock(statement: _Select) -> _Select:
    """FOR UPDATE where the database has it; SQLite's writer holds the whole database anyway."""
    return statement.with_for_update()
