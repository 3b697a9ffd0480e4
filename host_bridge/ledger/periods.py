"""Records of a session or of a period, found by the primary key alone: no index on the hot path is for reports."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from host_bridge.late import LATE_MS
from host_bridge.ledger.alerts import LOST
from host_bridge.ledger.scans import pair_of
from host_bridge.ledger.schema import alerts, devices, outbox, scans, sessions, verdicts

_SKEW_MS = 300_000  # by which bridges' clocks may differ
_SUBMISSION = outbox.c.key == scans.c.device + "/" + sa.cast(scans.c.seq, sa.String)  # as in scans.py


class Scanned(NamedTuple):
    """One decided record: today's outcome, and whether it was taken back since, by what was not taken back itself."""

    device: str
    seq: int
    operation: int | None
    code: str | None
    session: str | None
    outcome: int
    reason: int
    decided_at: int
    voided: bool
    payer: str | None  # of its session; None without one
    split: bool
    timed: str | None  # how its time is known; None where it came before that was looked at
    late: bool  # it came long after it was captured, see late.py


_DECIDED = (
    sa.select(
        scans.c.device,
        scans.c.seq,
        scans.c.operation,
        scans.c.code,
        scans.c.session,
        sa.func.coalesce(verdicts.c.outcome, scans.c.outcome),
        sa.func.coalesce(verdicts.c.reason, scans.c.reason),
        scans.c.decided_at,
        scans.c.voided_by,
        sessions.c.payer,
        sa.func.coalesce(outbox.c.split, sa.false()),
        scans.c.corrected_by,
        scans.c.received_at - sa.func.coalesce(scans.c.corrected_at, scans.c.captured_at) > LATE_MS,
    )
    .select_from(
        scans.outerjoin(verdicts, sa.and_(verdicts.c.device == scans.c.device, verdicts.c.seq == scans.c.seq))
        .outerjoin(sessions, sessions.c.id == scans.c.session)
        .outerjoin(outbox, _SUBMISSION)
    )
    .where(scans.c.device == sa.bindparam("of"), scans.c.outcome.is_not(None), scans.c.fault.is_(None))
    .order_by(scans.c.seq)
)
_NEXT = (
    sa.select(scans.c.seq, scans.c.decided_at)
    .where(scans.c.device == sa.bindparam("of"), scans.c.seq >= sa.bindparam("at"))
    .order_by(scans.c.seq)
    .limit(1)
)
_TAKEN_BY = sa.select(scans.c.voided_by).where(scans.c.device == sa.bindparam("of"), scans.c.seq == sa.bindparam("at"))
_NEWEST = sa.select(sa.func.max(scans.c.seq)).where(scans.c.device == sa.bindparam("of"))


def of_session(connection: sa.Connection, session: str) -> list[Scanned]:
    """All decided records of a session, in the order of capture."""
    row = connection.execute(sa.select(sessions.c.device, sessions.c.opened_at).where(sessions.c.id == session)).first()
    if row is None:
        return []
    first = _first_since(connection, row.device, row.opened_at)
    statement = _DECIDED.where(scans.c.seq >= first, scans.c.session == session)
    return list(_scanned(connection, connection.execute(statement, {"of": row.device})))


def of_site(connection: sa.Connection, site: str, start: int, end: int) -> Iterator[Scanned]:
    """Records captured at a site and decided at `start` <= ms UTC < `end`, by device, in the order of capture."""
    there = _DECIDED.where(scans.c.site == site, scans.c.decided_at >= start, scans.c.decided_at < end)
    for row in connection.execute(sa.select(devices.c.id, devices.c.site, devices.c.former_sites)).all():
        if site not in (row.site, *row.former_sites):
            continue
        first = _first_since(connection, row.id, start)
        yield from _scanned(connection, connection.execute(there.where(scans.c.seq >= first), {"of": row.id}))
        yield from _found_again(connection, there.where(scans.c.seq < first), row.id, start)


def _found_again(connection: sa.Connection, there: Any, device: str, start: int) -> Iterator[Scanned]:
    """Records that were declared lost and came after all: decided out of the order that `_first_since` counts on."""
    closed = sa.select(alerts.c.first, alerts.c.last).where(
        alerts.c.device == device, alerts.c.kind == LOST, alerts.c.closed_at >= start
    )
    seen: set[int] = set()
    for first, last in connection.execute(closed).all():
        rows = connection.execute(there.where(scans.c.seq.between(first, last)), {"of": device})
        for found in _scanned(connection, rows):
            if found.seq not in seen:
                seen.add(found.seq)
                yield found


def _first_since(connection: sa.Connection, device: str, at: int) -> int:
    """Lowest seq that may have been decided at `at` (ms UTC) or later: a device's records are decided in order."""
    at -= _SKEW_MS
    low, high = 1, (connection.scalar(_NEWEST, {"of": device}) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(_NEXT, {"of": device, "at": middle}).first()
        if row is None or row.decided_at is None or row.decided_at >= at:
            high = middle
        else:
            low = row.seq + 1
    return low


def _scanned(connection: sa.Connection, rows: Iterable[Any]) -> Iterator[Scanned]:
    for row in rows:
        told = Scanned(*row)
        by: Any = told.voided
        yield told._replace(
            voided=by is not None and _stands(connection, by), split=bool(told.split), late=bool(told.late)
        )


def _stands(connection: sa.Connection, key: str) -> bool:
    """Whether a void or return stands; a return that was voided does not, unless the box came back once more."""
    stands = False
    at: str | None = key
    while (pair := pair_of(at)) is not None:
        stands = not stands
        at = connection.scalar(_TAKEN_BY, {"of": pair[0], "at": pair[1]})
    return stands
