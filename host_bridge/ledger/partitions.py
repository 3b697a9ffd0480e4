"""Records by month on PostgreSQL: a partition of `scans` for each, made ahead and taken away when it is old."""

import re
from datetime import UTC, datetime

import sqlalchemy as sa

from host_bridge.errors import PermanentError
from host_bridge.texts import text

AHEAD = 3  # months for which there is a partition before the first record comes
KEPT = 3  # whole months that are never taken away: terminals may still hold their records
ARCHIVE = "archive"  # schema that old months are moved to
_LOCK = 0x5CA71A7C  # of the advisory lock that one bridge at a time holds while tables change
_MONTH = re.compile(r"scans_(\d{4})_(\d{2})\Z")
_REST = "scans_other"  # takes what no month takes
_PARTITIONS = sa.text(
    "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid"
    " WHERE inhparent = to_regclass('scans') ORDER BY 1"
)

_REMEMBER = (
    "UPDATE devices SET archived = greatest(archived, gone.seq)"
    " FROM (SELECT device, max(seq) AS seq FROM {table} GROUP BY device) gone WHERE id = gone.device"
)


def lock(connection: sa.Connection) -> None:
    """Wait until no other bridge changes tables; until the transaction ends."""
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})


def missing(connection: sa.Connection, now: int) -> list[str]:
    """Months (yyyy-mm) from `now` (ms UTC) on that have no partition yet; none on SQLite, which needs none."""
    if connection.dialect.name != "postgresql":
        return []
    there = set(connection.scalars(_PARTITIONS))
    first = _number(now)
    return [name for number in range(first, first + AHEAD + 1) if _table(name := _name(number)) not in there]


def make_ahead(connection: sa.Connection, now: int) -> None:
    """Make those partitions. Records that came meanwhile move into them."""
    lock(connection)
    for month in missing(connection, now):
        _make(connection, month)


def listed(connection: sa.Connection) -> list[str]:
    """Months (yyyy-mm) that have a partition, oldest first."""
    if connection.dialect.name != "postgresql":
        return []
    found = (_MONTH.match(name) for name in connection.scalars(_PARTITIONS))
    return [f"{one[1]}-{one[2]}" for one in found if one]


def archive(connection: sa.Connection, before: str, now: int) -> list[str]:
    """Take the partitions of all months before `before` (yyyy-mm) out of `scans`; their tables, as archive.<name>.

    Raises PermanentError where a month is too young, or holds records that are not decided or not settled.
    """
    if connection.dialect.name != "postgresql":
        raise PermanentError(text("only a ledger on PostgreSQL keeps records by month; one on SQLite keeps them all"))
    latest = _name(_number(now) - KEPT)
    if not re.fullmatch(r"\d{4}-\d{2}", before) or before > latest:
        raise PermanentError(
            text(
                "{before!r}: a month as yyyy-mm, {latest} at the latest, can be archived up to",
                before=before,
                latest=latest,
            )
        )
    lock(connection)
    months = [month for month in listed(connection) if month < before]
    for month in months:
        _refuse_open(connection, month)
    connection.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {ARCHIVE}"))
    tables = [_table(month) for month in months]
    connection.execute(sa.text("SELECT 1 FROM devices ORDER BY id FOR UPDATE"))
    for table in tables:
        connection.execute(sa.text(_REMEMBER.format(table=table)))
        connection.execute(sa.text(f"ALTER TABLE scans DETACH PARTITION {table}"))
        connection.execute(sa.text(f"ALTER TABLE {table} SET SCHEMA {ARCHIVE}"))
    return [f"{ARCHIVE}.{table}" for table in tables]


def _refuse_open(connection: sa.Connection, month: str) -> None:
    open_one = sa.text(
        f"SELECT s.device, s.seq FROM {_table(month)} s"  # noqa: S608  # a name of our own making
        " LEFT JOIN outbox o ON o.key = s.device || '/' || s.seq"
        " WHERE s.outcome IS NULL OR o.state NOT IN ('done', 'cancelled') LIMIT 1"
    )
    found = connection.execute(open_one).first()
    if found is not None:
        raise PermanentError(
            text(
                "month {month} is not over: record {device}/{seq} is not decided or not settled",
                month=month,
                device=found[0],
                seq=found[1],
            )
        )


def _make(connection: sa.Connection, month: str) -> None:
    table, bounds = _table(month), {"start": _start(_of(month)), "end": _start(_of(month) + 1)}
    connection.execute(sa.text(f"CREATE TABLE {table} (LIKE scans INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"))
    within = "received_at >= :start AND received_at < :end"
    stray = sa.text(f"SELECT 1 FROM {_REST} WHERE {within} LIMIT 1")  # noqa: S608  # names of our own making
    if connection.execute(stray, bounds).first() is not None:
        connection.execute(sa.text(f"LOCK TABLE {_REST} IN ACCESS EXCLUSIVE MODE"))
        moved = f"WITH moved AS (DELETE FROM {_REST} WHERE {within} RETURNING *)"  # noqa: S608
        connection.execute(sa.text(f"{moved} INSERT INTO {table} SELECT * FROM moved"), bounds)  # noqa: S608
    start, end = bounds["start"], bounds["end"]
    connection.execute(sa.text(f"ALTER TABLE scans ATTACH PARTITION {table} FOR VALUES FROM ({start}) TO ({end})"))


def _table(month: str) -> str:
    return f"scans_{month.replace('-', '_')}"


def _number(at: int) -> int:
    """Months since the year 0 of a time in ms UTC."""
    day = datetime.fromtimestamp(at / 1000, UTC)
    return 12 * day.year + day.month - 1


def _of(month: str) -> int:
    year, _, number = month.partition("-")
    return 12 * int(year) + int(number) - 1


def _name(number: int) -> str:
    return f"{number // 12:04}-{number % 12 + 1:02}"


def _start(number: int) -> int:
    """First ms UTC of a month."""
    return int(datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000
