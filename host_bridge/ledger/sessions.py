"""Rows of the sessions and of what they may dispense; nothing of a person in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from host_bridge.ledger.bulk import Bulk, many
from host_bridge.ledger.open import row_lock
from host_bridge.ledger.schema import sessions
from host_bridge.ledger.schema_books import session_lines

INSURED, SELF_PAY, WORK_INJURY = "insured", "self-pay", "work-injury"  # who pays


@dataclass(slots=True)
class Line:
    """One line of a session: boxes of a product, or parts of it where it is split."""

    line: int
    product: str
    quantity: int
    split: bool
    taken: int = 0


@dataclass(slots=True)
class SessionRow:
    """One session; times in ms UTC. `expects`: its lines are all that it may dispense."""

    id: str
    device: str
    site: str
    kind: str
    until: int
    closed_at: int | None
    payer: str
    expects: bool
    lines: list[Line] = field(default_factory=list[Line])


_THESE = many("these")
_GET = (
    sa.select(*(sessions.c[name] for name in list(SessionRow.__dataclass_fields__)[:-1]))
    .where(sessions.c.id.in_(_THESE))
    .order_by(sessions.c.id)
)
_LOCK = row_lock(_GET)
_LINES = (
    sa.select(session_lines.c.session, *(session_lines.c[name] for name in Line.__dataclass_fields__))
    .where(session_lines.c.session.in_(_THESE))
    .order_by(session_lines.c.session, session_lines.c.line)
)
_TAKE = Bulk(
    sa.update(session_lines)
    .where(session_lines.c.session == sa.bindparam("of"), session_lines.c.line == sa.bindparam("at"))
    .values(taken=session_lines.c.taken + sa.bindparam("delta")),
    ["of", "at", "delta"],
)


def insert(
    connection: sa.Connection,
    session: str,
    device: str,
    site: str,
    kind: str,
    now: int,
    until: int,
    payer: str = INSURED,
    expects: bool = False,
) -> None:
    """Open a session; times in ms UTC."""
    values = {"id": session, "device": device, "site": site, "kind": kind, "opened_at": now, "until": until}
    connection.execute(sa.insert(sessions), [{**values, "payer": payer, "expects": expects}])


def insert_lines(connection: sa.Connection, session: str, lines: Sequence[Line]) -> None:
    """What it may dispense."""
    if lines:
        names = Line.__dataclass_fields__
        rows = [{"session": session, **{name: getattr(line, name) for name in names}} for line in lines]
        connection.execute(sa.insert(session_lines), rows)


def get(connection: sa.Connection, ids: Iterable[str], locked: bool = True) -> dict[str, SessionRow]:
    """Those of these that are known, with their lines; locked in order of id until the transaction ends."""
    these = sorted(set(ids))
    if not these:
        return {}
    statement = _LOCK if locked else _GET
    found = {row[0]: SessionRow(*row) for row in connection.execute(statement, {"these": these}).all()}
    if found:
        for session, *values in connection.execute(_LINES, {"these": sorted(found)}).all():
            found[session].lines.append(Line(*values))
    return found


def take(connection: sa.Connection, taken: Iterable[tuple[str, int, int]]) -> None:
    """(session, line, delta): so many boxes or parts more, or less where it is negative, went out on a line."""
    _TAKE.run(connection, taken)


def open_ones(connection: sa.Connection, ids: Sequence[str]) -> set[str]:
    """Those of these that were opened and not closed."""
    statement = sa.select(sessions.c.id).where(sessions.c.id.in_(ids), sessions.c.closed_at.is_(None))
    return set(connection.scalars(statement))


def close(connection: sa.Connection, ids: Sequence[str], now: int) -> None:
    """Close these."""
    if ids:
        connection.execute(sa.update(sessions).where(sessions.c.id.in_(ids)).values(closed_at=now))


def replace_lines(connection: sa.Connection, session: str, lines: Sequence[Line], expects: bool) -> None:
    """Other lines, and whether they are all that it may dispense."""
    connection.execute(sa.delete(session_lines).where(session_lines.c.session == session))
    insert_lines(connection, session, lines)
    connection.execute(sa.update(sessions).where(sessions.c.id == session).values(expects=expects))
