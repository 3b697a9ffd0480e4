"""Fills a ledger with sales of the past, decided, settled and told. Straight SQL: nothing here is measured."""

# ruff: noqa: S608  # every name in these texts is ours

import sqlite3
import time

import psycopg

from scanlatch_tools.bench import fleet
from scanlatch_tools.bench.ledgers import Database

_AT = "clinic-7"
_DEVICES = 997  # of the past
_STEP = 1_000_000  # rows a transaction on PostgreSQL
# What a code leaves in each table, in the order of each table's key: a heap and index as dense as can be.
_CODES = "INSERT INTO codes (code, state, device, seq, site, since)"
_SCANS = (
    "INSERT INTO scans (device, seq, message, digest, prev, operation, code, site, captured_at, received_at, outcome,"
    " reason, decided_at)"
)
_OUTBOX = (
    "INSERT INTO outbox (key, kind, state, device, seq, digest, code, site, captured_at, made_at, attempts, next_at)"
)
_VERDICTS = "INSERT INTO verdicts (device, seq, outcome, reason, decided_at, repeat, sent)"
_SETTLED = "device || '/' || seq, 'sale', 'done', device, seq"
_TOLD = "SELECT device, seq, 0, 0, since, {false}, 2 FROM codes ORDER BY device, seq"


def fill(database: Database, url: str, size: int) -> None:
    """Put `size` codes into an empty ledger, as scattered as those that `fleet.code` gives after them."""
    now = time.time_ns() // 1_000_000
    if database.server is None:
        _sqlite(url.removeprefix("sqlite:///"), size, now)
    else:
        _postgresql(url.replace("postgresql+psycopg", "postgresql", 1), size, now)


def _sqlite(path: str, size: int, now: int) -> None:
    plain = sqlite3.connect(path, isolation_level=None)
    plain.create_function("trace_code", 1, fleet.code, deterministic=True)
    for pragma in ("synchronous = OFF", "cache_size = -1000000", "temp_store = FILE"):
        plain.execute(f"PRAGMA {pragma}")
    plain.execute("BEGIN")
    numbers = f"WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {size - 1})"
    plain.execute(
        f"{numbers} {_CODES} SELECT trace_code(n), 'sold', 'd-past-' || (n % {_DEVICES}), n / {_DEVICES} + 1, ?, ?"
        " FROM numbers ORDER BY 1",
        (_AT, now),
    )
    plain.execute(
        f"{_SCANS} SELECT device, seq, randomblob(300), randomblob(32), randomblob(32), 1, code, site, since, since,"
        " 3, 14, since FROM codes ORDER BY device, seq"
    )
    plain.execute(f"{_OUTBOX} SELECT {_SETTLED}, randomblob(32), code, site, since, since, 1, 0 FROM codes ORDER BY 1")
    plain.execute(f"{_VERDICTS} {_TOLD.format(false='0')}")
    plain.execute("COMMIT")
    plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    plain.close()


def _postgresql(url: str, size: int, now: int) -> None:
    some = "uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())"  # 32 bytes
    message = " || ".join([some] * 9)
    spread = f"mod(n::numeric * {fleet.SPREAD}, 1e19)::numeric(19, 0)::text"
    settings = ["SET synchronous_commit = off", "SET work_mem = '512MB'"]
    codes = [
        f"{_CODES} SELECT '8' || lpad({spread}, 19, '0'), 'sold', 'd-past-' || mod(n, {_DEVICES}), n / {_DEVICES} + 1,"
        f" '{_AT}', {now} FROM generate_series({first}, {min(size, first + _STEP) - 1}) AS n"
        for first in range(0, size, _STEP)
    ]
    rest = [
        f"{_SCANS} SELECT device, seq, {message}, {some}, {some}, 1, code, site, since, since, 3, 14, since"
        " FROM codes ORDER BY device, seq",
        f"{_OUTBOX} SELECT {_SETTLED}, {some}, code, site, since, since, 1, 0 FROM codes ORDER BY 1",
        f"{_VERDICTS} {_TOLD.format(false='false')}",
        "VACUUM ANALYZE",
        "CHECKPOINT",
    ]
    with psycopg.connect(url, autocommit=True) as plain:
        for statement in (*settings, *codes, *rest):
            plain.execute(statement.encode())
