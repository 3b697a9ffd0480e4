"""Rows of the sessions: opened, closed; nothing of a person in them."""

from collections.abc import Sequence

import sqlalchemy as sa

from host_bridge.ledger.schema import sessions


def insert(connection: sa.Connection, session: str, device: str, site: str, kind: str, now: int, until: int) -> None:
    """Open a session; times in ms UTC."""
    values = {"id": session, "device": device, "site": site, "kind": kind, "opened_at": now, "until": until}
    connection.execute(sa.insert(sessions), [values])


def open_ones(connection: sa.Connection, ids: Sequence[str]) -> set[str]:
    """Those of these that were opened and not closed."""
    statement = sa.select(sessions.c.id).where(sessions.c.id.in_(ids), sessions.c.closed_at.is_(None))
    return set(connection.scalars(statement))


def close(connection: sa.Connection, ids: Sequence[str], now: int) -> None:
    """Close these."""
    if ids:
        connection.execute(sa.update(sessions).where(sessions.c.id.in_(ids)).values(closed_at=now))
