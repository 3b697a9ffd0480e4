"""Rows of the moves: what each scan at a dock made of where boxes lie, so that a void can undo it."""

from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa

from host_bridge.ledger.bulk import Bulk, many
from host_bridge.ledger.chunks import select_many
from host_bridge.ledger.scans import Pair
from host_bridge.ledger.schema import codes
from host_bridge.ledger.schema_books import deliveries, delivery_items, moves


class Move(NamedTuple):
    """One code that a scan moved: where it lay before, and the key of the record that had placed it there."""

    device: str
    seq: int
    code: str
    was: str | None
    before: str | None


_MADE = (
    sa.select(*(moves.c[name] for name in Move._fields))
    .where(moves.c.device == sa.bindparam("of"), moves.c.seq == sa.bindparam("at"))
    .order_by(moves.c.code)
)
_PLACED = sa.select(codes.c.code, codes.c.placed_by).where(
    codes.c.code.in_(many("these")), codes.c.placed_by.is_not(None)
)
_INSERT = Bulk(sa.insert(moves), Move._fields)
_PLACE = Bulk(
    sa.update(codes).where(codes.c.code == sa.bindparam("of")).values(placed_by=sa.bindparam("by")), ["of", "by"]
)


def made_by(connection: sa.Connection, pair: Pair) -> list[Move]:
    """What a scan moved, in order of code."""
    return [Move(*row) for row in connection.execute(_MADE, {"of": pair[0], "at": pair[1]})]


def placed(connection: sa.Connection, wanted: Iterable[str]) -> dict[str, str]:
    """By code, the key of the record that last said where its box lies: a scan at a dock, or a return."""
    return {row.code: row.placed_by for row in select_many(connection, _PLACED, wanted)}


def add(connection: sa.Connection, made: Iterable[Move]) -> None:
    """Note what scans moved."""
    _INSERT.run(connection, made)


def place(connection: sa.Connection, by: Iterable[tuple[str, str | None]]) -> None:
    """(code, key): this record placed it. The codes have rows, and those are locked."""
    _PLACE.run(connection, sorted(by))


_ON_CLOSED = (
    sa.select(delivery_items.c.seen, deliveries.c.closed_at)
    .join_from(delivery_items, deliveries, delivery_items.c.delivery == deliveries.c.id)
    .where(delivery_items.c.seen.in_(many("these")), delivery_items.c.seen.is_not(None))
    .with_for_update(read=True, of=deliveries)  # whoever closes one waits for what is being taken back on it
)
_UNCOUNT = Bulk(
    sa.update(delivery_items)
    .where(delivery_items.c.seen == sa.bindparam("by"), delivery_items.c.announced)
    .values(seen=None),
    ["by"],
)


def on_closed(connection: sa.Connection, keys: Iterable[str]) -> set[str]:
    """Those of these scans that counted something on a delivery that is closed; the others' stay open."""
    return {row.seen for row in select_many(connection, _ON_CLOSED, keys) if row.closed_at is not None}


def uncount(connection: sa.Connection, keys: Iterable[str]) -> None:
    """What these scans counted on deliveries was not seen."""
    _UNCOUNT.run(connection, [(key,) for key in sorted(keys)])
