"""Rows of what the platform is to be told or asked: written before the call, settled by the answer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from host_bridge.errors import LedgerBusy
from host_bridge.ledger.bulk import Bulk, Query, among
from host_bridge.ledger.devices import AHEAD_MS
from host_bridge.ledger.open import row_lock
from host_bridge.ledger.schema import IS_HELD, OPEN, UNSETTLED, outbox
from host_bridge.texts import text

WAITING, SENDING, UNKNOWN, HELD, DONE, CANCELLED = "waiting", "sending", "unknown", "held", "done", "cancelled"
PARKED = "parked"  # kept out of the queue by a person
SALE, REVERSE, QUERY = "sale", "reverse", "query"
_HASTENED = 1_000  # rows that are called up early in one transaction


@dataclass(slots=True)
class OutboxRow:
    """One submission; columns are described in schema.py."""

    key: str
    kind: str
    state: str
    device: str
    seq: int
    digest: bytes
    code: str
    site: str
    session: str | None
    captured_at: int
    reverses: str | None
    made_at: int
    attempts: int
    next_at: int
    pending_at: int | None
    trouble: int | None = None
    payer: str = "insured"
    split: bool = False
    detail: str | None = None
    turn: int = 0  # given by `insert`
    claimed_by: str | None = None


_NAMES = list(OutboxRow.__dataclass_fields__)
_INSERT = Bulk(sa.insert(outbox), _NAMES)
_SELECT = sa.select(*(outbox.c[name] for name in _NAMES))
_OPEN = sa.text(OPEN)
_OURS = sa.select(outbox.c.key).where(_OPEN)
_HELD = sa.text(IS_HELD)
_UNSETTLED = sa.text(UNSETTLED)
_SETTLE = Bulk(
    sa.update(outbox)
    .where(outbox.c.key == sa.bindparam("of"))
    .values(
        state=sa.bindparam("now_state"),
        next_at=sa.bindparam("now_next"),
        pending_at=sa.bindparam("now_pending"),
        trouble=sa.bindparam("now_trouble"),
        detail=sa.bindparam("now_detail"),
    ),
    ["of", "now_state", "now_next", "now_pending", "now_trouble", "now_detail"],
    each_once=True,
)
_GIVE_BACK = Bulk(
    sa.update(outbox)
    .where(
        outbox.c.key == sa.bindparam("of"),
        outbox.c.state == SENDING,
        outbox.c.claimed_by == sa.bindparam("by"),
        outbox.c.attempts == sa.bindparam("times"),
    )
    .values(state=sa.bindparam("now_state"), attempts=outbox.c.attempts - 1),
    ["of", "by", "times", "now_state"],
)
_THESE = among(outbox.c.key, "keys")
_LAST_TURNS = Query(
    sa.select(outbox.c.code, sa.func.max(outbox.c.turn))
    .where(_UNSETTLED, among(outbox.c.code, "codes"))
    .group_by(outbox.c.code)
)
# A row goes only when every earlier one of its code is settled. A query changes nothing, so nothing waits for it.
_before = outbox.alias("before")
_ITS_TURN = sa.or_(
    outbox.c.turn == 0,
    ~sa.exists().where(
        sa.text(f"before.{UNSETTLED}"),
        _before.c.code == outbox.c.code,
        _before.c.turn < outbox.c.turn,
        _before.c.kind != QUERY,
    ),
)
_DUE = {  # the state stands in the statement: beside an index over some states SQLite plans it anew for each value
    state: Query(
        _SELECT.where(
            _OPEN,
            sa.text(f"outbox.state = '{state}'"),
            outbox.c.next_at > sa.bindparam("since"),
            outbox.c.next_at <= sa.bindparam("now"),
            _ITS_TURN,
        )
        .order_by(outbox.c.next_at, outbox.c.seq)
        .limit(sa.bindparam("most"))
        .with_for_update(skip_locked=True)  # another bridge is at the rest
    )
    for state in (WAITING, UNKNOWN)
}
_NEXT_DUE = Query(
    sa.select(sa.func.min(outbox.c.next_at)).where(
        _OPEN, sa.text("outbox.state IN ('waiting', 'unknown')"), outbox.c.next_at > sa.bindparam("after")
    )
)
_CLAIM = Query(
    sa.update(outbox)
    .where(_THESE)
    .values(
        state=SENDING,
        claimed_by=sa.bindparam("by"),
        claimed_at=sa.bindparam("now"),
        attempts=outbox.c.attempts + 1,
    )
)
_CANCEL = Query(
    sa.update(outbox)
    .where(_THESE, sa.or_(*(outbox.c.state == one for one in (WAITING, HELD, PARKED))), outbox.c.attempts == 0)
    .values(state=CANCELLED, pending_at=None)
)
_LOCK = Query(row_lock(_SELECT.where(_THESE).order_by(outbox.c.key)))
_SOME = Query(_SELECT.where(_THESE))
_CLAIMS = Query(sa.select(outbox.c.key, outbox.c.state, outbox.c.claimed_by, outbox.c.attempts).where(_THESE))
_LATER = outbox.alias("later")
_AHEAD = Query(
    sa.select(_LATER.c.key, _before.c.key)
    .join_from(_LATER, _before, sa.and_(_before.c.code == _LATER.c.code, _before.c.turn < _LATER.c.turn))
    .where(among(_LATER.c.key, "keys"), sa.text(f"before.{UNSETTLED}"), _before.c.kind != QUERY)
    .order_by(_before.c.turn.desc())
)
_HELD_FOR = Query(row_lock(_SELECT.where(_HELD, among(outbox.c.reverses, "keys")).order_by(outbox.c.key)))


def insert(connection: sa.Connection, rows: Sequence[OutboxRow]) -> None:
    """Add submissions; those of one code, whose row is locked, take their turns in the order given."""
    if not rows:
        return
    found: Any = _LAST_TURNS.run(connection, codes=list({row.code for row in rows}))
    last: dict[str, int] = {row[0]: row[1] for row in found}
    for row in rows:
        row.turn = last[row.code] = last.get(row.code, -1) + 1
    _INSERT.run_with(connection, rows)


def claim(connection: sa.Connection, state: str, by: str, now: int, limit: int, since: int = -1) -> list[OutboxRow]:
    """Take up to `limit` rows in this state that fell due after `since`, oldest first, for `by` to send.

    `claimed_by` and `attempts` of a row are those of the claim; `state` is what it was before.
    """
    rows = _plain(_DUE[state].run(connection, now=now, most=limit, since=since))
    if rows:
        _CLAIM.run(connection, keys=[row.key for row in rows], by=by, now=now)
    for row in rows:
        row.claimed_by, row.attempts = by, row.attempts + 1
    return rows


def give_back(connection: sa.Connection, rows: Iterable[OutboxRow]) -> None:
    """Claimed rows that were never sent are again what they were."""
    ordered = sorted(rows, key=lambda row: row.key)  # as everybody locks them
    _GIVE_BACK.run(connection, [(row.key, row.claimed_by, row.attempts, row.state) for row in ordered])


def ahead_of(connection: sa.Connection, keys: Sequence[str]) -> dict[str, str]:
    """Of these the ones that are not the next of their code: the key of the submission whose turn it is."""
    found: Any = _AHEAD.run(connection, keys=list(keys))
    return {row[0]: row[1] for row in found}


def settle(connection: sa.Connection, rows: Sequence[OutboxRow]) -> None:
    """Write back state, next_at, pending_at, trouble and detail."""
    values = [
        (row.key, row.state, row.next_at, row.pending_at, row.trouble and int(row.trouble), row.detail) for row in rows
    ]
    _SETTLE.run(connection, values)


def some(connection: sa.Connection, keys: Sequence[str]) -> list[OutboxRow]:
    """These rows, unlocked."""
    return _plain(_SOME.run(connection, keys=list(keys)))


def still_claimed(connection: sa.Connection, rows: Sequence[OutboxRow]) -> list[OutboxRow]:
    """Of rows as `claim` gave them those that nobody has taken up since."""
    found: Any = _CLAIMS.run(connection, keys=[row.key for row in rows])
    held = {(key, by, attempts) for key, state, by, attempts in found if state == SENDING}
    return [row for row in rows if (row.key, row.claimed_by, row.attempts) in held]


def lock(connection: sa.Connection, keys: Sequence[str]) -> dict[str, OutboxRow]:
    """These rows, locked."""
    return {row.key: row for row in _plain(_LOCK.run(connection, keys=list(keys)))}


def held_for(connection: sa.Connection, keys: Sequence[str]) -> dict[str, OutboxRow]:
    """Submissions that wait for the answers to these, by the key of the one waited for."""
    return {row.reverses: row for row in _plain(_HELD_FOR.run(connection, keys=list(keys))) if row.reverses}


def cancel(connection: sa.Connection, keys: Sequence[str]) -> None:
    """Take back submissions that were never claimed.

    Raises LedgerBusy where one was claimed since it was read: to be decided again on what is so now.
    """
    if keys and _CANCEL.run(connection, keys=list(keys)).rowcount != len(keys):
        raise LedgerBusy(text("a submission left while it was being taken back"))


def pending_due(connection: sa.Connection, now: int, limit: int) -> list[OutboxRow]:
    """Rows whose pending verdict has to go out, oldest first; not locked, for their devices come before them."""
    statement = _SELECT.where(outbox.c.pending_at.is_not(None), outbox.c.pending_at <= now)
    return _rows(connection, statement.order_by(outbox.c.pending_at).limit(limit))


def pending_told(connection: sa.Connection, keys: Sequence[str]) -> None:
    """The pending verdicts of these rows go out now."""
    if keys:
        connection.execute(sa.update(outbox).where(outbox.c.key.in_(keys)).values(pending_at=None))


def next_pending(connection: sa.Connection) -> int | None:
    """When the next pending verdict falls due, ms UTC."""
    return connection.scalar(sa.select(sa.func.min(outbox.c.pending_at)).where(outbox.c.pending_at.is_not(None)))


def renew(connection: sa.Connection, by: str, now: int) -> None:
    """`by` lives, and is still at the rows that it claimed."""
    mine = _OURS.where(outbox.c.state == SENDING, outbox.c.claimed_by == by)
    _update(connection, mine, claimed_at=now)


def orphaned(connection: sa.Connection, by: str, claimed_before: int, now: int) -> int:
    """Rows in `sending` whose sender `by` restarted, or that nobody has answered for since: now unknown."""
    at, ahead = outbox.c.claimed_at, now + AHEAD_MS  # claimed before the clock went back
    left = sa.or_(outbox.c.claimed_by == by, at < claimed_before, at > ahead)
    return _update(connection, _OURS.where(outbox.c.state == SENDING, left), state=UNKNOWN, next_at=0)


def call_back(connection: sa.Connection, now: int) -> int:
    """Rows that would fall due far ahead were written before the clock went back (`now`, ms UTC): they are due now."""
    # No row is put off for so long.
    later = _OURS.where(outbox.c.state.in_((WAITING, UNKNOWN)), outbox.c.next_at > now + AHEAD_MS)
    return _update(connection, later.order_by(outbox.c.next_at, outbox.c.seq).limit(_HASTENED), next_at=now)


def hasten(connection: sa.Connection, now: int, attempts_below: int) -> None:
    """The platform answers again: nothing that has not failed more often than others needs to wait any longer."""
    later = _OURS.where(outbox.c.state.in_((WAITING, UNKNOWN)), outbox.c.next_at > now)
    later = later.where(outbox.c.attempts < attempts_below).limit(_HASTENED)
    _update(connection, later, next_at=outbox.c.made_at)


def next_due(connection: sa.Connection, after: int) -> int | None:
    """When the next row in waiting or unknown falls due after a time, ms UTC."""
    return _NEXT_DUE.run(connection, after=after).scalar()


def open_count(connection: sa.Connection) -> int:
    """How many submissions have no answer yet."""
    return connection.scalar(sa.select(sa.func.count()).select_from(outbox).where(_UNSETTLED)) or 0


def unsettled(connection: sa.Connection, limit: int, attempts_from: int = 0) -> list[OutboxRow]:
    """Submissions without an answer, oldest first: all, or those tried so often, and those kept back by hand."""
    statement = _SELECT.where(_UNSETTLED)
    if attempts_from:
        statement = statement.where(sa.or_(outbox.c.attempts >= attempts_from, outbox.c.state == PARKED))
    return _rows(connection, statement.order_by(outbox.c.made_at, outbox.c.turn, outbox.c.key).limit(limit))


def _update(connection: sa.Connection, which: sa.Select[tuple[str]], **values: Any) -> int:
    """Change the rows that a select gives, but for those that another bridge has in hand."""
    keys = list(connection.scalars(which.with_for_update(skip_locked=True)))
    if keys:
        connection.execute(sa.update(outbox).where(outbox.c.key.in_(keys)).values(**values))
    return len(keys)


def _rows(connection: sa.Connection, statement: sa.Executable) -> list[OutboxRow]:
    return [OutboxRow(*row) for row in connection.execute(statement).all()]


def _plain(found: sa.CursorResult[Any]) -> list[OutboxRow]:
    """From what the driver gives: SQLite has no booleans."""
    rows = [OutboxRow(*row) for row in found.all()]
    for row in rows:
        row.split = bool(row.split)
    return rows
