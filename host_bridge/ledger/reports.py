"""Reads for reports that no other file has: receipts that nobody announced."""

from collections.abc import Iterable

import sqlalchemy as sa

from host_bridge.ledger.bulk import many
from host_bridge.ledger.chunks import select_many
from host_bridge.ledger.deliveries import IN
from host_bridge.ledger.schema_books import deliveries, delivery_items

_ANNOUNCED = (
    sa.select(delivery_items.c.code, deliveries.c.opened_at, deliveries.c.closed_at)
    .join_from(deliveries, delivery_items, delivery_items.c.delivery == deliveries.c.id)
    .where(
        deliveries.c.id == sa.bindparam("of"),
        delivery_items.c.code.in_(many("these")),
    )
)


def on_deliveries(
    connection: sa.Connection, site: str, codes: Iterable[str], start: int, end: int
) -> list[tuple[str, int, int | None]]:
    """(code, opened_at, closed_at) wherever one of these stands on a delivery to the site that was open in the time."""
    wanted = sorted(set(codes))
    there = sa.select(deliveries.c.id).where(
        deliveries.c.site == site,
        deliveries.c.direction == IN,
        deliveries.c.opened_at < end,
        sa.or_(deliveries.c.closed_at.is_(None), deliveries.c.closed_at >= start),
    )
    found: list[tuple[str, int, int | None]] = []
    for delivery in connection.scalars(there).all() if wanted else ():
        for row in select_many(connection, _ANNOUNCED.params(of=delivery), wanted):
            found.append((row.code, row.opened_at, row.closed_at))
    return found
