"""Engines for both databases: how they are connected, how a transaction begins, how long it may wait."""

import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

# SQLite
_CACHE_KIB = 65_536  # pages kept in memory, a connection
_CHECKPOINT_PAGES = 4_000  # WAL pages before SQLite moves them into the file, 16 MB
_WRITES = "scanlatch_writes"
# PostgreSQL
_CONNECT_S = 10
_HUNG_MS = 15_000  # a bridge that stops inside a transaction gives its locks back after this
_SILENT_S = 30  # a server that does not answer the network for this long is gone
_POOL = 5  # connections a bridge; it writes with one at a time


def make(url: str, busy_timeout_ms: int) -> sa.Engine:
    """An engine for a SQLAlchemy URL: sqlite:/// or postgresql://. Raises ValueError for any other."""
    parsed = sa.make_url(url)
    match parsed.get_backend_name():
        case "sqlite":
            return _sqlite(parsed, busy_timeout_ms)
        case "postgresql":
            return _postgresql(parsed.set(drivername="postgresql+psycopg"), busy_timeout_ms)
        case other:
            raise ValueError(f"{other!r} is neither sqlite nor postgresql")


def writer(engine: sa.Engine) -> sa.Engine:
    """The engine for transactions that write: on PostgreSQL each statement sees what its row locks waited for."""
    return engine.execution_options(**{_WRITES: True})


def reader(engine: sa.Engine) -> sa.Engine:
    """The engine for transactions that only read, all of one moment."""
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _sqlite(url: sa.URL, busy_timeout_ms: int) -> sa.Engine:
    if url.database and not Path(url.database).parent.is_dir():
        raise ValueError(f"there is no folder {Path(url.database).parent}")
    engine = sa.create_engine(url)

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

    return engine


def _postgresql(url: sa.URL, busy_timeout_ms: int) -> sa.Engine:
    from host_bridge.ledger import strings  # psycopg: a tenth of a second that SQLite need not pay

    limits = {
        "lock_timeout": busy_timeout_ms,
        "idle_in_transaction_session_timeout": _HUNG_MS,
        "synchronous_commit": "on",  # whatever the server's own setting: kept is kept
        "plan_cache_mode": "force_custom_plan",  # one made for a small table reads a grown one whole
    }
    told = url.query.get("options", "")
    options = told if isinstance(told, str) else " ".join(told)
    arguments: dict[str, Any] = {
        "application_name": "scanlatch",
        "connect_timeout": _CONNECT_S,
        "keepalives_idle": _SILENT_S // 3,
        "keepalives_interval": _SILENT_S // 6,
        "keepalives_count": 4,
        "tcp_user_timeout": _SILENT_S * 1000,
        "options": " ".join([*(f"-c {name}={value}" for name, value in limits.items()), options]).strip(),
    }
    engine = sa.create_engine(url, connect_args=arguments, pool_size=_POOL, max_overflow=0, pool_timeout=_CONNECT_S)

    event.listen(engine, "connect", strings.settle)
    return engine
