"""Rows of the deliveries, in and out: what was announced, what was seen of it, what came besides."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from host_bridge.ledger.bulk import Bulk, many
from host_bridge.ledger.catalogue import LEVELS
from host_bridge.ledger.chunks import chunks, select_many
from host_bridge.ledger.schema_books import deliveries, delivery_items, units

IN, OUT = "in", "out"


class Item(NamedTuple):
    """One code of a delivery. `seen` is the key of the scan that counted it, its package's where that one did."""

    delivery: str
    code: str
    announced: bool
    batch: str | None
    expires_on: int | None
    parent: str | None
    seen: str | None
    differs: str | None
    direction: str
    site: str


_THESE = many("these")
_OPEN = (deliveries.c.closed_at.is_(None), deliveries.c.direction == sa.bindparam("way"))
_OLDEST_FIRST = deliveries.c.opened_at, deliveries.c.id
_SITES = (
    sa.select(deliveries.c.site, deliveries.c.id)
    .where(deliveries.c.site.in_(_THESE), *_OPEN)
    .order_by(*_OLDEST_FIRST)
    .with_for_update(read=True)  # bridges share it; whoever closes one waits for what is being counted on it
)
_COLUMNS = [(deliveries if name in ("direction", "site") else delivery_items).c[name] for name in Item._fields]
_ITEMS = (
    sa.select(*_COLUMNS)
    .join_from(deliveries, delivery_items, delivery_items.c.delivery == deliveries.c.id)
    .where(deliveries.c.id.in_(many("among")), delivery_items.c.code.in_(_THESE))
    .order_by(delivery_items.c.announced.desc(), *_OLDEST_FIRST)
)
_ANNOUNCED_IN = sa.select(delivery_items.c.code).where(
    delivery_items.c.delivery == sa.bindparam("of"), delivery_items.c.parent.in_(_THESE)
)
_KNOWN_IN = sa.select(units.c.code).where(units.c.parent.in_(_THESE), units.c.parent.is_not(None))
_MARK = Bulk(
    sa.update(delivery_items)
    .where(delivery_items.c.delivery == sa.bindparam("of"), delivery_items.c.code == sa.bindparam("which"))
    .values(
        seen=sa.func.coalesce(sa.bindparam("by", type_=sa.String), delivery_items.c.seen), differs=sa.bindparam("what")
    ),
    ["of", "which", "by", "what"],
)


def hold_open(connection: sa.Connection, sites: Iterable[str], direction: str) -> dict[str, list[str]]:
    """By site, its open deliveries in that direction, oldest first; they stay open until the transaction ends."""
    found: dict[str, list[str]] = {}
    these = sorted(set(sites))
    for site, delivery in connection.execute(_SITES, {"these": these, "way": direction}) if these else ():
        found.setdefault(site, []).append(delivery)
    return found


def items(connection: sa.Connection, among: Sequence[str], wanted: Iterable[str]) -> dict[str, Item]:
    """What these deliveries say of these codes; of several the oldest that announces it."""
    found: dict[str, Item] = {}
    for row in select_many(connection, _ITEMS.params(among=list(among)), wanted) if among else ():
        found.setdefault(row.code, Item(*row))
    return found


def children(connection: sa.Connection, delivery: str, code: str) -> list[str]:
    """All that lies in a package, by the announcement and by the packaging relations, in order of code."""
    found: set[str] = set()
    front = {code}
    for _ in range(LEVELS):
        inside = {row.code for row in select_many(connection, _ANNOUNCED_IN.params(of=delivery), front)}
        inside |= {row.code for row in select_many(connection, _KNOWN_IN, front)}
        front = inside - found - {code}
        found |= front
        if not front:
            break
    return sorted(found)


def mark(connection: sa.Connection, marks: Iterable[tuple[str, str, str | None, str | None]]) -> None:
    """(delivery, code, seen_key, differs): counted by this scan (None: as it was), and what is not as announced."""
    _MARK.run(connection, marks)


def add_extra(connection: sa.Connection, delivery: str, code: str, seen_key: str) -> None:
    """Note a code that came though nobody announced it; the first scan of it stays."""
    values: dict[str, Any] = {"delivery": delivery, "code": code, "announced": False, "seen": seen_key}
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(delivery_items).on_conflict_do_nothing(), [values])


class DeliveryRow(NamedTuple):
    """One delivery; times in ms UTC, `closed_at` None while it is open."""

    id: str
    site: str
    direction: str
    partner: str
    opened_at: int
    closed_at: int | None


_ROW = sa.select(*(deliveries.c[name] for name in DeliveryRow._fields))


def insert(connection: sa.Connection, row: DeliveryRow, announced: Sequence[Mapping[str, Any]]) -> None:
    """Open a delivery with what is announced: code, batch, expires_on, parent."""
    connection.execute(sa.insert(deliveries), [row._asdict()])
    rows = [{**one, "delivery": row.id, "announced": True, "seen": None, "differs": None} for one in announced]
    for part in chunks(rows):
        connection.execute(sa.insert(delivery_items), part)


def get(connection: sa.Connection, delivery: str) -> DeliveryRow | None:
    """One delivery."""
    row = connection.execute(_ROW.where(deliveries.c.id == delivery)).first()
    return None if row is None else DeliveryRow(*row)


def close(connection: sa.Connection, delivery: str, now: int) -> bool:
    """Close it; False where it is not open."""
    statement = sa.update(deliveries).where(deliveries.c.id == delivery, deliveries.c.closed_at.is_(None))
    return connection.execute(statement.values(closed_at=now)).rowcount == 1


def all_items(connection: sa.Connection, delivery: str) -> list[Item]:
    """Everything on one delivery, in order of code."""
    statement = sa.select(*_COLUMNS).join_from(deliveries, delivery_items, delivery_items.c.delivery == deliveries.c.id)
    found = connection.execute(statement.where(deliveries.c.id == delivery).order_by(delivery_items.c.code))
    return [Item(*row) for row in found]


def listed(connection: sa.Connection, site: str) -> list[DeliveryRow]:
    """Open deliveries of a site, oldest first."""
    statement = _ROW.where(deliveries.c.site == site, deliveries.c.closed_at.is_(None))
    return [DeliveryRow(*row) for row in connection.execute(statement.order_by(*_OLDEST_FIRST))]
