"""Rows of what the platform is to be told or asked: written before the call, settled by the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from host_bridge.ledger.bulk import Bulk, many
from host_bridge.ledger.open import row_lock
from host_bridge.ledger.schema import IS_HELD, OPEN, outbox

WAITING, SENDING, UNKNOWN, HELD, DONE, CANCELLED = "waiting", "sending", "unknown", "held", "done", "cancelled"
SALE, REVERSE, QUERY = "sale", "reverse", "query"


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


_NAMES = list(OutboxRow.__dataclass_fields__)
_INSERT = Bulk(sa.insert(outbox), _NAMES)
_SELECT = sa.select(*(outbox.c[name] for name in _NAMES))
_OPEN = sa.text(OPEN)
_HELD = sa.text(IS_HELD)
_SETTLE = Bulk(
    sa.update(outbox)
    .where(outbox.c.key == sa.bindparam("of"))
    .values(
        state=sa.bindparam("now_state"),
        next_at=sa.bindparam("now_next"),
        pending_at=sa.bindparam("now_pending"),
        trouble=sa.bindparam("now_trouble"),
    ),
    ["of", "now_state", "now_next", "now_pending", "now_trouble"],
)
_KEYS = many("keys")
_DUE = row_lock(
    _SELECT.where(_OPEN, outbox.c.state == sa.bindparam("in_state"), outbox.c.next_at <= sa.bindparam("now"))
    .order_by(outbox.c.next_at, outbox.c.seq)
    .limit(sa.bindparam("most"))
)
_CLAIM = (
    sa.update(outbox)
    .where(outbox.c.key.in_(_KEYS))
    .values(
        state=SENDING,
        claimed_by=sa.bindparam("by"),
        claimed_at=sa.bindparam("now"),
        attempts=outbox.c.attempts + 1,
    )
)
_LOCK = row_lock(_SELECT.where(outbox.c.key.in_(_KEYS)).order_by(outbox.c.key))
_HELD_FOR = row_lock(_SELECT.where(_HELD, outbox.c.reverses.in_(_KEYS)))


def insert(connection: sa.Connection, rows: Sequence[OutboxRow]) -> None:
    """Add submissions."""
    _INSERT.run_with(connection, rows)


def claim(connection: sa.Connection, state: str, by: str, now: int, limit: int) -> list[OutboxRow]:
    """Take up to `limit` due rows in this state, oldest first, and mark them as being sent by `by`."""
    rows = _rows(connection, _DUE, {"in_state": state, "now": now, "most": limit})
    if rows:
        connection.execute(_CLAIM, {"keys": [row.key for row in rows], "by": by, "now": now})
    return rows


def settle(connection: sa.Connection, rows: Sequence[OutboxRow]) -> None:
    """Write back state, next_at, pending_at and trouble."""
    _SETTLE.run(connection, [(row.key, row.state, row.next_at, row.pending_at, row.trouble) for row in rows])


def lock(connection: sa.Connection, keys: Sequence[str]) -> dict[str, OutboxRow]:
    """These rows, locked."""
    return {row.key: row for row in _rows(connection, _LOCK, {"keys": keys})}


def held_for(connection: sa.Connection, sales: Sequence[str]) -> dict[str, OutboxRow]:
    """Reversals that wait for the answer to these sales, by the sale's key."""
    return {row.reverses: row for row in _rows(connection, _HELD_FOR, {"keys": sales}) if row.reverses}


def cancel(connection: sa.Connection, keys: Sequence[str]) -> None:
    """Take back submissions that were never claimed."""
    if keys:
        connection.execute(sa.update(outbox).where(outbox.c.key.in_(keys)).values(state=CANCELLED, pending_at=None))


def pending_due(connection: sa.Connection, now: int, limit: int) -> list[OutboxRow]:
    """Rows whose pending verdict has to go out, oldest first."""
    statement = _SELECT.where(outbox.c.pending_at.is_not(None), outbox.c.pending_at <= now)
    return _rows(connection, row_lock(statement.order_by(outbox.c.pending_at).limit(limit)))


def pending_told(connection: sa.Connection, keys: Sequence[str]) -> None:
    """The pending verdicts of these rows go out now."""
    if keys:
        connection.execute(sa.update(outbox).where(outbox.c.key.in_(keys)).values(pending_at=None))


def next_pending(connection: sa.Connection) -> int | None:
    """When the next pending verdict falls due, ms UTC."""
    return connection.scalar(sa.select(sa.func.min(outbox.c.pending_at)).where(outbox.c.pending_at.is_not(None)))


def orphaned(connection: sa.Connection, by: str, claimed_before: int) -> int:
    """Rows in `sending` whose sender `by` restarted, or that nobody has answered for since: now unknown."""
    statement = (
        sa.update(outbox)
        .where(_OPEN, outbox.c.state == SENDING)
        .where(sa.or_(outbox.c.claimed_by == by, outbox.c.claimed_at < claimed_before))
        .values(state=UNKNOWN, next_at=0)
    )
    return connection.execute(statement).rowcount


def hasten(connection: sa.Connection, now: int) -> None:
    """The platform answers again: nothing needs to wait any longer."""
    connection.execute(
        sa.update(outbox).where(_OPEN, outbox.c.state != SENDING, outbox.c.next_at > now).values(next_at=now)
    )


def next_due(connection: sa.Connection) -> int | None:
    """When the next row in waiting or unknown falls due, ms UTC."""
    return connection.scalar(
        sa.select(sa.func.min(outbox.c.next_at)).where(_OPEN, outbox.c.state.in_((WAITING, UNKNOWN)))
    )


def open_count(connection: sa.Connection) -> int:
    """How many submissions have no answer yet."""
    count = sa.select(sa.func.count()).select_from(outbox)
    return sum(connection.scalar(count.where(condition)) or 0 for condition in (_OPEN, _HELD))


def _rows(connection: sa.Connection, statement: sa.Executable, values: dict[str, Any] | None = None) -> list[OutboxRow]:
    return [OutboxRow(*row) for row in connection.execute(statement, values).all()]
