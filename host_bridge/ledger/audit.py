"""What an audit reads: the ledger as it is at one moment, in order and piece by piece; nothing is changed or locked."""

import re
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError

from host_bridge.errors import LedgerBroken
from host_bridge.ledger import engines
from host_bridge.ledger.faults import told
from host_bridge.ledger.open import newest_revision
from host_bridge.ledger.partitions import ARCHIVE
from host_bridge.ledger.schema import codes, conflicts, devices, heads, outbox, quarantine, scans, verdicts
from host_bridge.texts import text

_AT_ONCE = 500  # rows that are held in memory
_BUSY_MS = 5_000
_FOREVER = (1 << 63) - 1
_MONTH = re.compile(r"scans_(\d{4})_(\d{2})\Z")
_TABLES = sa.text("SELECT tablename FROM pg_tables WHERE schemaname = :schema ORDER BY 1")


class Kept(NamedTuple):
    """One record with what hangs on it; the columns are those of schema.py."""

    seq: int
    message: bytes
    digest: bytes
    prev: bytes | None
    fault: str | None
    operation: int | None
    code: str | None
    site: str | None
    session: str | None
    target: int | None
    captured_at: int | None
    corrected_at: int | None
    corrected_by: str | None
    received_at: int
    outcome: int | None  # its first verdict
    reason: int | None
    decided_at: int | None
    voided_by: str | None
    final: int | None  # outcome of the verdict after a pending one
    final_reason: int | None
    final_at: int | None
    submission: str | None  # state of its outbox row
    submitted: bytes | None  # digest that its outbox row has
    submitted_code: str | None
    voider: str | None  # state of the outbox row of what took it back


class Held(NamedTuple):
    """A sale's submission, and the code that it is about. No `outcome` where its record is not here."""

    key: str
    code: str
    device: str
    seq: int
    site: str
    state: str
    split: bool
    here: bool  # its record is in the ledger
    outcome: int | None  # today's
    voided_by: str | None
    voider: str | None
    holds: str | None  # the code's state; None: there is no such code
    holder: str | None  # <device>/<seq>
    holder_site: str | None


class Claim(NamedTuple):
    """A code that is not free: who is said to hold it, and that one's submission as in `Held`."""

    code: str
    state: str
    device: str | None
    seq: int | None
    parts: int
    kind: str | None  # None: there is no submission
    submission: str | None
    submitted_code: str | None
    here: bool
    outcome: int | None
    voided_by: str | None
    voider: str | None


class Books:
    """A ledger at one moment. Everything is given in order, a few rows in memory at a time."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.months = _archived(connection)  # archived months that are still in the database
        self._scans: Any = _with_archive(self.months) if self.months else scans

    def records(self, device: str, first: int = 0, last: int = _FOREVER) -> Iterator[Kept]:
        """Records of a device in order of seq, archived ones included where they are still there."""
        of, voider = self._scans, outbox.alias("voider")
        key = of.c.device + "/" + sa.cast(of.c.seq, sa.String)
        statement = (
            sa.select(
                *(of.c[name] for name in Kept._fields[:18]),
                verdicts.c.outcome,
                verdicts.c.reason,
                verdicts.c.decided_at,
                outbox.c.state,
                outbox.c.digest,
                outbox.c.code,
                voider.c.state,
            )
            .select_from(
                of.outerjoin(verdicts, sa.and_(verdicts.c.device == of.c.device, verdicts.c.seq == of.c.seq))
                .outerjoin(outbox, outbox.c.key == key)
                .outerjoin(voider, voider.c.key == of.c.voided_by)
            )
            .where(of.c.device == device, of.c.seq.between(first, last))
            .order_by(of.c.seq)
        )
        return (Kept(*row) for row in self._flow(statement))

    def find(self, device: str, seq: int) -> Kept | None:
        """One record."""
        return next(self.records(device, seq, seq), None)

    def heads(self, device: str) -> Iterator[tuple[tuple[int, int, int], bytes, int]]:
        """(boot, connection, uptime), message and time of arrival of a device's heads, in their order."""
        places = heads.c.boot, heads.c.connection, heads.c.uptime
        statement = sa.select(*places, heads.c.message, heads.c.received_at).where(heads.c.device == device)
        return (((row[0], row[1], row[2]), row[3], row[4]) for row in self._flow(statement.order_by(*places)))

    def conflicts(self, device: str, first: int = 0, last: int = _FOREVER) -> Iterator[tuple[int, bytes, bytes]]:
        """Seq, digest and message of records under a used seq."""
        statement = (
            sa.select(conflicts.c.seq, conflicts.c.digest, conflicts.c.message)
            .where(conflicts.c.device == device, conflicts.c.seq.between(first, last))
            .order_by(conflicts.c.seq, conflicts.c.digest)
        )
        return ((row[0], row[1], row[2]) for row in self._flow(statement))

    def quarantined(self, device: str) -> Iterator[tuple[bytes, str, bytes, str]]:
        """Digest, kind and message of what came under a device's name and claims nothing, and why."""
        statement = sa.select(quarantine.c.digest, quarantine.c.kind, quarantine.c.message, quarantine.c.why)
        found = self._flow(statement.where(quarantine.c.device == device).order_by(quarantine.c.digest))
        return ((row[0], row[1], row[2], row[3]) for row in found)

    def sales(self, device: str | None = None, code: str | None = None) -> Iterator[Held]:
        """Submissions of sales that were not cancelled; of one device's or of one code's parts alone."""
        joined, today = self._with_record(outbox)
        statement = (
            sa.select(
                *(outbox.c[name] for name in Held._fields[:7]),
                *today,
                codes.c.state,
                codes.c.device + "/" + sa.cast(codes.c.seq, sa.String),
                codes.c.site,
            )
            .select_from(joined.outerjoin(codes, codes.c.code == outbox.c.code))
            .where(outbox.c.kind == "sale", outbox.c.state != "cancelled")
        )
        if device is not None:
            statement = statement.where(outbox.c.device == device)
        if code is not None:
            statement = statement.where(sa.text("outbox.split"), outbox.c.code == code)
        found = (Held(*row) for row in self._flow(statement))
        return (one._replace(split=bool(one.split), here=bool(one.here)) for one in found)

    def claims(self, device: str | None = None) -> Iterator[Claim]:
        """Codes that are not free; those that one device is said to hold."""
        key = codes.c.device + "/" + sa.cast(codes.c.seq, sa.String)
        joined, today = self._with_record(codes.outerjoin(outbox, outbox.c.key == key))
        submission = outbox.c.kind, outbox.c.state, outbox.c.code
        statement = sa.select(*(codes.c[name] for name in Claim._fields[:5]), *submission, *today).select_from(joined)
        statement = statement.where(codes.c.state != "free")
        if device is not None:
            statement = statement.where(codes.c.device == device)
        return (Claim(*row)._replace(here=bool(row[8])) for row in self._flow(statement))

    def _with_record(self, joined: Any) -> tuple[Any, list[Any]]:
        """Beside each submission its record: whether it is here, today's outcome, and what took it back."""
        of, voider = self._scans, outbox.alias("voider")
        joined = joined.outerjoin(of, sa.and_(of.c.device == outbox.c.device, of.c.seq == outbox.c.seq))
        joined = joined.outerjoin(
            verdicts, sa.and_(verdicts.c.device == outbox.c.device, verdicts.c.seq == outbox.c.seq)
        ).outerjoin(voider, voider.c.key == of.c.voided_by)
        outcome = sa.func.coalesce(verdicts.c.outcome, of.c.outcome)
        return joined, [of.c.seq.is_not(None), outcome, of.c.voided_by, voider.c.state]

    def strays(self, table: str, device: str | None = None) -> Iterator[tuple[str, int, bool]]:
        """Rows of `verdicts` or `outbox` without a record: device, seq, and whether its month may be archived."""
        of, rows = self._scans, {"verdicts": verdicts, "outbox": outbox}[table]
        statement = (
            sa.select(rows.c.device, rows.c.seq, sa.func.coalesce(rows.c.seq <= devices.c.archived, sa.false()))
            .select_from(
                rows.outerjoin(of, sa.and_(of.c.device == rows.c.device, of.c.seq == rows.c.seq)).outerjoin(
                    devices, devices.c.id == rows.c.device
                )
            )
            .where(of.c.seq.is_(None))
        )
        if device is not None:
            statement = statement.where(rows.c.device == device)
        return ((row[0], row[1], bool(row[2])) for row in self._flow(statement))

    def unregistered(self) -> list[str]:
        """Devices with records that the registry does not know."""
        of = self._scans
        known = sa.exists().where(devices.c.id == of.c.device)
        return list(self.connection.scalars(sa.select(of.c.device).where(~known).distinct().order_by(of.c.device)))

    def about(self, code: str) -> Iterator[tuple[str, int, str | None]]:
        """Device and seq of every record of a code, and what took it back. Reads all records: no index is for this."""
        of = self._scans
        statement = sa.select(of.c.device, of.c.seq, of.c.voided_by).where(of.c.code == code)
        return ((row[0], row[1], row[2]) for row in self._flow(statement.order_by(of.c.device, of.c.seq)))

    def captured(self, device: str, site: str, start: int, end: int) -> Iterator[int]:
        """Seqs of a device's records that were captured at a site at `start` <= ms UTC < `end`."""
        of = self._scans
        at = sa.func.coalesce(of.c.corrected_at, of.c.captured_at)
        statement = sa.select(of.c.seq).where(of.c.device == device, of.c.site == site, at >= start, at < end)
        return (row[0] for row in self._flow(statement.order_by(of.c.seq)))

    def _flow(self, statement: Any) -> Iterator[Any]:
        yield from self.connection.execute(statement, execution_options={"yield_per": _AT_ONCE})


@contextmanager
def opened(url: str) -> Generator[Books]:
    """The ledger at `url` for reading alone, at one moment; bridges go on beside it.

    Raises LedgerBroken where it is no ledger of this version, LedgerBusy where it can't be reached.
    """
    try:
        engine = _reader(url)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise LedgerBroken(url.partition(":")[0], text("[ledger] url cannot be used: {error}", error=error)) from error
    where = engine.url.render_as_string(hide_password=True)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":  # whoever reads what is printed may take his time
                connection.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            _must_be_of_this_version(connection, where)
            yield Books(connection)
    except DatabaseError as error:
        raise told(error, where) from error
    finally:
        engine.dispose()


def _reader(url: str) -> sa.Engine:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return engines.reader(engines.make(url, _BUSY_MS))
    path = Path(parsed.database or "").resolve()
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    place = f"{path.as_uri()}?mode=ro"
    engine = sa.create_engine(
        parsed, creator=lambda: sqlite3.connect(place, uri=True, isolation_level=None, timeout=_BUSY_MS / 1000)
    )

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.exec_driver_sql("BEGIN")

    return engine


def _must_be_of_this_version(connection: sa.Connection, where: str) -> None:
    if not sa.inspect(connection).has_table("alembic_version"):
        raise LedgerBroken(where, text("there is no ledger in it"))
    found, newest = connection.scalar(sa.text("SELECT version_num FROM alembic_version")), newest_revision()
    if found != newest:
        raise LedgerBroken(
            where,
            text(
                "is of version {found}, not {newest}: `scanlatch bridge migrate` brings it up to date",
                found=found,
                newest=newest,
            ),
        )


def _archived(connection: sa.Connection) -> list[str]:
    if connection.dialect.name != "postgresql":
        return []
    return [name for name in connection.scalars(_TABLES, {"schema": ARCHIVE}) if _MONTH.match(name)]


def _with_archive(months: list[str]) -> Any:
    columns = [sa.column(column.name, column.type) for column in scans.c]
    old = [sa.select(*columns).select_from(sa.table(month, schema=ARCHIVE)) for month in months]
    return sa.union_all(sa.select(scans), *old).subquery("every_scan")
