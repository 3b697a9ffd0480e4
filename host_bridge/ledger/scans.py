"""Rows of the records: evidence first, then what was decided on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from host_bridge.ledger.bulk import Bulk
from host_bridge.ledger.schema import outbox, scans, sessions, verdicts

Pair = tuple[str, int]  # device, seq
_CHUNK = 500  # seqs in one statement


@dataclass(slots=True)
class Record:
    """One record as the ledger has it; columns are described in schema.py."""

    device: str
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
    received_at: int
    outcome: int | None = None
    reason: int | None = None
    decided_at: int | None = None
    corrected_at: int | None = None
    corrected_by: str | None = None


class Today(NamedTuple):
    """The verdict on a record as of now."""

    device: str
    seq: int
    digest: bytes
    outcome: int
    reason: int
    text: str | None
    decided_at: int
    submission: str | None  # state of its outbox row
    trouble: int | None  # why the platform did not answer for it


class TargetRow(NamedTuple):
    """A record that is to be taken back; of a void that made a sale stand again, that sale's code and time."""

    device: str
    seq: int
    digest: bytes
    operation: int | None
    session: str | None
    site: str | None
    code: str | None
    voided_by: str | None
    outcome: int | None  # today's; None while a lower seq is missing
    submission: str | None  # state of its outbox row
    attempts: int | None
    pending_at: int | None  # None: its pending verdict went out, or is not needed any more
    session_closed: bool
    captured_at: int | None
    received_at: int
    payer: str | None  # as its submission says; None where it has none
    split: bool  # a part of an opened box
    reverses: str | None  # key of the submission that its own undoes
    sold_in: str | None  # session whose line it counted on


_NAMES = list(Record.__dataclass_fields__)
_INSERT = Bulk(sa.insert(scans), _NAMES)
_WHOLE = sa.select(*(scans.c[name] for name in _NAMES))
_DECIDE = Bulk(
    sa.update(scans)
    .where(scans.c.device == sa.bindparam("of"), scans.c.seq == sa.bindparam("at"))
    .values(outcome=sa.bindparam("is"), reason=sa.bindparam("why"), decided_at=sa.bindparam("when")),
    ["of", "at", "is", "why", "when"],
)
# The outbox has no index on (device, seq): its key is made of them.
_SUBMISSION = outbox.c.key == scans.c.device + "/" + sa.cast(scans.c.seq, sa.String)


def key_of(device: str, seq: int) -> str:
    """Identity of a record wherever one text is needed; the platform's idempotency key."""
    return f"{device}/{seq}"


def pair_of(key: str | None) -> Pair | None:
    """Device and seq of a record's key."""
    if key is None:
        return None
    device, _, seq = key.rpartition("/")
    return device, int(seq)


def insert(connection: sa.Connection, records: Sequence[Record]) -> None:
    """Add records that are not there yet."""
    _INSERT.run_with(connection, records)


def decided(connection: sa.Connection, records: Sequence[Record]) -> None:
    """Write the first verdicts of records that waited for a lower seq."""
    _DECIDE.run(connection, [(one.device, one.seq, one.outcome, one.reason, one.decided_at) for one in records])


def digests(connection: sa.Connection, pairs: Sequence[Pair]) -> dict[Pair, bytes]:
    """Digest of each of these records that is there."""
    found: dict[Pair, bytes] = {}
    for device, seqs in _by_device(pairs):
        statement = sa.select(scans.c.device, scans.c.seq, scans.c.digest).where(_are(device, seqs))
        found.update({(row.device, row.seq): row.digest for row in connection.execute(statement)})
    return found


def prevs(connection: sa.Connection, pairs: Sequence[Pair]) -> dict[Pair, bytes | None]:
    """`prev` of each of these records that is there."""
    found: dict[Pair, bytes | None] = {}
    for device, seqs in _by_device(pairs):
        statement = sa.select(scans.c.device, scans.c.seq, scans.c.prev).where(_are(device, seqs))
        found.update({(row.device, row.seq): row.prev for row in connection.execute(statement)})
    return found


def run(connection: sa.Connection, device: str, first: int, limit: int) -> list[Record]:
    """The records that follow each other without a gap from seq `first` on."""
    statement = _WHOLE.where(scans.c.device == device, scans.c.seq >= first).order_by(scans.c.seq).limit(limit)
    found: list[Record] = []
    for row in connection.execute(statement):
        record = Record(*row)
        if record.seq != first + len(found):
            break
        found.append(record)
    return found


def present(connection: sa.Connection, device: str, first: int, last: int) -> list[int]:
    """Seqs in a range, both ends included, that have a record, lowest first."""
    statement = (
        sa.select(scans.c.seq).where(scans.c.device == device, scans.c.seq.between(first, last)).order_by(scans.c.seq)
    )
    return list(connection.scalars(statement))


def gap_edges(connection: sa.Connection, device: str, above: int, limit: int) -> list[tuple[int, bytes]]:
    """Records above a seq whose predecessor has no record: that predecessor's seq, and its digest as they say it."""
    before = scans.alias()
    has_before = sa.exists().where(before.c.device == scans.c.device, before.c.seq == scans.c.seq - 1)
    statement = (
        sa.select(scans.c.seq, scans.c.prev)
        .where(scans.c.device == device, scans.c.seq > above + 1, scans.c.prev.is_not(None), ~has_before)
        .order_by(scans.c.seq)
        .limit(limit)
    )
    return [(row.seq - 1, row.prev) for row in connection.execute(statement)]


def first_above(connection: sa.Connection, device: str, seq: int) -> bytes | None:
    """Message of the lowest record above a seq."""
    statement = sa.select(scans.c.message).where(scans.c.device == device, scans.c.seq > seq)
    return connection.scalar(statement.order_by(scans.c.seq).limit(1))


def today(connection: sa.Connection, pairs: Sequence[Pair]) -> dict[Pair, Today]:
    """The verdict as of now of each of these records that has one."""
    found: dict[Pair, Today] = {}
    for device, seqs in _by_device(pairs):
        statement = (
            sa.select(
                scans.c.device,
                scans.c.seq,
                scans.c.digest,
                sa.func.coalesce(verdicts.c.outcome, scans.c.outcome),
                sa.func.coalesce(verdicts.c.reason, scans.c.reason),
                verdicts.c.text,
                sa.func.coalesce(verdicts.c.decided_at, scans.c.decided_at),
                outbox.c.state,
                outbox.c.trouble,
            )
            .select_from(scans.outerjoin(verdicts, _same(verdicts)).outerjoin(outbox, _SUBMISSION))
            .where(_are(device, seqs), scans.c.outcome.is_not(None))
        )
        found.update({(row[0], row[1]): Today(*row) for row in connection.execute(statement)})
    return found


def targets(connection: sa.Connection, pairs: Sequence[Pair]) -> dict[Pair, TargetRow]:
    """What a void or return must know of each of these records that is there."""
    found: dict[Pair, TargetRow] = {}
    for device, seqs in _by_device(pairs):
        statement = (
            sa.select(
                scans.c.device,
                scans.c.seq,
                scans.c.digest,
                scans.c.operation,
                scans.c.session,
                scans.c.site,
                sa.func.coalesce(scans.c.code, outbox.c.code),
                scans.c.voided_by,
                sa.func.coalesce(verdicts.c.outcome, scans.c.outcome),
                outbox.c.state,
                outbox.c.attempts,
                outbox.c.pending_at,
                sessions.c.closed_at.is_not(None),
                sa.func.coalesce(outbox.c.captured_at, scans.c.corrected_at, scans.c.captured_at),
                scans.c.received_at,
                outbox.c.payer,
                sa.func.coalesce(outbox.c.split, sa.false()),
                outbox.c.reverses,
                outbox.c.session,
            )
            .select_from(
                scans.outerjoin(verdicts, _same(verdicts))
                .outerjoin(outbox, _SUBMISSION)
                .outerjoin(sessions, sessions.c.id == scans.c.session)
            )
            .where(_are(device, seqs))
        )
        for row in connection.execute(statement):
            found[row[0], row[1]] = TargetRow(*row)._replace(session_closed=bool(row[12]), split=bool(row[16]))
    return found


def set_voided(connection: sa.Connection, device: str, seq: int, by: str | None) -> None:
    """Say which void or return took this record back, or that none did after all."""
    statement = sa.update(scans).where(scans.c.device == device, scans.c.seq == seq).values(voided_by=by)
    connection.execute(statement)


def messages(connection: sa.Connection, device: str, first: int, last: int) -> list[tuple[int, bytes]]:
    """The evidence itself: whole messages of a range of seqs."""
    statement = (
        sa.select(scans.c.seq, scans.c.message)
        .where(scans.c.device == device, scans.c.seq.between(first, last))
        .order_by(scans.c.seq)
    )
    return [(row.seq, row.message) for row in connection.execute(statement)]


def _same(other: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(other.c.device == scans.c.device, other.c.seq == scans.c.seq)


def _are(device: str, seqs: Sequence[int]) -> sa.ColumnElement[bool]:
    return sa.and_(scans.c.device == device, scans.c.seq.in_(seqs))


def _by_device(pairs: Sequence[Pair]) -> list[tuple[str, list[int]]]:
    """One statement a device: SQLite reads the whole table for (device, seq) IN (...)."""
    seqs: dict[str, list[int]] = {}
    for device, seq in pairs:
        seqs.setdefault(device, []).append(seq)
    return [(device, mine[at : at + _CHUNK]) for device, mine in seqs.items() for at in range(0, len(mine), _CHUNK)]
