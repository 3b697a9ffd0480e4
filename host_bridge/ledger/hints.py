"""What each terminal said last of itself, its status and its health: one row of each, never evidence."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from host_bridge.ledger.chunks import chunks
from host_bridge.ledger.devices import OUT
from host_bridge.ledger.schema import devices, metadata

hints = sa.Table(
    "hints",
    metadata,
    sa.Column("device", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(8), primary_key=True),  # status | health
    sa.Column("message", sa.Text, nullable=False),  # JSON as the terminal wrote it
    sa.Column("received_at", sa.BigInteger, nullable=False),
)


class Hint(NamedTuple):
    """A terminal's last word of one kind, and when the bridge had it, ms UTC."""

    told: dict[str, Any]
    received_at: int


def put(connection: sa.Connection, said: Mapping[tuple[str, str], tuple[str, int]]) -> None:
    """Keep the newest of each (device, kind): (JSON, when it came). Of what is no terminal, or is one no more, nothing.

    Rows are written in one order, so that bridges that share a ledger never wait for each other in a circle.
    """
    named = sorted({device for device, _ in said})
    known: set[str] = set()
    for some in chunks(named):
        known.update(
            connection.scalars(sa.select(devices.c.id).where(devices.c.id.in_(some), devices.c.status.not_in(OUT)))
        )
    rows = [
        {"device": device, "kind": kind, "message": message, "received_at": at}
        for (device, kind), (message, at) in sorted(said.items())
        if device in known
    ]
    if not rows:
        return
    insert = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(hints)
    new = {"message": insert.excluded.message, "received_at": insert.excluded.received_at}
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["device", "kind"], set_=new, where=hints.c.received_at <= insert.excluded.received_at
        ),
        rows,
    )


def of_device(connection: sa.Connection, device: str) -> dict[str, Hint]:
    """By kind, "status" and "health", what this terminal said last; empty where it said nothing yet."""
    rows = connection.execute(sa.select(hints).where(hints.c.device == device))
    return {row.kind: Hint(json.loads(row.message), row.received_at) for row in rows}


def every(connection: sa.Connection, kind: str) -> dict[str, Hint]:
    """The last word of this kind of all terminals, by device."""
    rows = connection.execute(sa.select(hints).where(hints.c.kind == kind))
    return {row.device: Hint(json.loads(row.message), row.received_at) for row in rows}
