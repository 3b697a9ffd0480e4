"""Ranges of seqs that are passed without a record: shown to be quarantined, or lost."""

from dataclasses import dataclass

import sqlalchemy as sa

from host_bridge.ledger.schema import passed

QUARANTINED, LOST = "quarantined", "lost"


@dataclass(frozen=True, slots=True)
class Range:
    """Seqs from `first` to `last`, both included."""

    first: int
    last: int
    how: str
    digest: bytes | None  # of the quarantined message


def covering(connection: sa.Connection, device: str, seq: int) -> Range | None:
    """The range that a seq lies in."""
    statement = (
        sa.select(passed.c.first, passed.c.last, passed.c.how, passed.c.digest)
        .where(passed.c.device == device, passed.c.first <= seq)
        .order_by(passed.c.first.desc())
        .limit(1)
    )
    row = connection.execute(statement).first()
    return Range(*row) if row and row.last >= seq else None


def overlapping(connection: sa.Connection, device: str, first: int, last: int) -> list[Range]:
    """All ranges that share a seq with [first, last], lowest first."""
    statement = (
        sa.select(passed.c.first, passed.c.last, passed.c.how, passed.c.digest)
        .where(passed.c.device == device, passed.c.first <= last, passed.c.last >= first)
        .order_by(passed.c.first)
    )
    return [Range(*row) for row in connection.execute(statement)]


def insert(connection: sa.Connection, device: str, found: Range) -> None:
    """Say that a range is passed."""
    values = {"device": device, "first": found.first, "last": found.last, "how": found.how, "digest": found.digest}
    connection.execute(sa.insert(passed), [values])
