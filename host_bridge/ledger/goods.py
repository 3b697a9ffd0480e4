"""Rows of products, batches, recalls and packaging relations: entered and looked up."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from host_bridge.ledger import catalogue
from host_bridge.ledger.bulk import many
from host_bridge.ledger.chunks import chunks, select_many
from host_bridge.ledger.schema_books import batches, product_prefixes, products, recalls, units

_THESE = many("these")
_PRODUCTS = sa.select(products).where(products.c.id.in_(_THESE)).order_by(products.c.id)
_PREFIXES_OF = (
    sa.select(product_prefixes.c.product, product_prefixes.c.prefix)
    .where(product_prefixes.c.product.in_(_THESE))
    .order_by(product_prefixes.c.prefix)
)
_UNITS = sa.select(units.c.code, units.c.level, units.c.parent).where(units.c.code.in_(_THESE))
_CHILDREN = sa.select(units.c.parent, units.c.code, units.c.level).where(
    units.c.parent.in_(_THESE), units.c.parent.is_not(None)
)


class RecallRow(NamedTuple):
    """One recall; `batch` None: every batch, `until` None: in force. Times in ms UTC."""

    id: int
    product: str
    batch: str | None
    why: str
    since: int
    until: int | None


def put(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], fill: bool = False) -> None:
    """Insert rows, each with every column of `table`; those that are there are replaced.

    `fill`: only what they have none of yet is taken over.
    """
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    keys = [column.name for column in table.primary_key]
    insert = make(table)
    new = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in keys}
    if fill:
        new = {name: sa.func.coalesce(table.c[name], value) for name, value in new.items()}
    statement = insert.on_conflict_do_update(index_elements=keys, set_=new)
    ordered = sorted(rows, key=lambda row: [row[key] for key in keys])
    for part in chunks(ordered):
        connection.execute(statement, part)
    catalogue.changed()


def put_products(connection: sa.Connection, rows: Sequence[Mapping[str, Any]], prefixes: Mapping[str, str]) -> None:
    """Insert or replace products; `prefixes` (prefix to product) are all that these have from now on."""
    put(connection, products, rows)
    for part in chunks(row["id"] for row in rows):
        connection.execute(sa.delete(product_prefixes).where(product_prefixes.c.product.in_(part)))
    if prefixes:
        put(connection, product_prefixes, [{"prefix": prefix, "product": of} for prefix, of in prefixes.items()])


def put_batches(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert or replace batches."""
    put(connection, batches, rows)


def put_units(connection: sa.Connection, rows: Sequence[Mapping[str, Any]], fill: bool = False) -> None:
    """Insert or replace what is known of codes; `fill`: what is known already stays."""
    put(connection, units, rows, fill)


def products_of(connection: sa.Connection, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Products by id, each with its prefixes."""
    found = {row.id: {**row._mapping, "prefixes": ()} for row in select_many(connection, _PRODUCTS, ids)}
    for row in select_many(connection, _PREFIXES_OF, found):
        found[row.product]["prefixes"] += (row.prefix,)
    return found


def ids_by(connection: sa.Connection, column: str, values: Iterable[str]) -> list[tuple[str, str]]:
    """(value, product) for each product that has one of these values: gtin, barcode or catalogue_code."""
    of = products.c[column]
    rows = select_many(connection, sa.select(of, products.c.id).where(of.in_(_THESE)).order_by(products.c.id), values)
    return [(row[0], row[1]) for row in rows]


def ids_by_prefix(connection: sa.Connection, values: Iterable[str]) -> list[tuple[str, str]]:
    """(prefix, product) for each of these prefixes that is somebody's."""
    columns = product_prefixes.c.prefix, product_prefixes.c.product
    return [
        (row[0], row[1])
        for row in select_many(connection, sa.select(*columns).where(product_prefixes.c.prefix.in_(_THESE)), values)
    ]


def set_exempt(connection: sa.Connection, product: str, why: str | None) -> bool:
    """Why a product carries no code, None where it does; False where there is no such product."""
    statement = sa.update(products).where(products.c.id == product).values(exempt=why)
    return connection.execute(statement).rowcount == 1


def add_recall(connection: sa.Connection, product: str, batch: str | None, why: str, now: int) -> int:
    """Note a recall; its id."""
    values = {"product": product, "batch": batch, "why": why, "since": now}
    return connection.scalars(sa.insert(recalls).returning(recalls.c.id), [values]).one()


def end_recall(connection: sa.Connection, recall: int, now: int) -> bool:
    """End a recall; False where there is none of this id in force."""
    statement = sa.update(recalls).where(recalls.c.id == recall, recalls.c.until.is_(None)).values(until=now)
    return connection.execute(statement).rowcount == 1


def recalls_listed(connection: sa.Connection, only_open: bool) -> list[RecallRow]:
    """Recalls, oldest first."""
    statement = sa.select(*(recalls.c[name] for name in RecallRow._fields)).order_by(recalls.c.id)
    if only_open:
        statement = statement.where(recalls.c.until.is_(None))
    return [RecallRow(*row) for row in connection.execute(statement)]


def places(connection: sa.Connection, codes: Iterable[str]) -> dict[str, tuple[int, str | None]]:
    """Level and package of each of these codes that is known."""
    return {row.code: (row.level, row.parent) for row in select_many(connection, _UNITS, codes)}


def contents(connection: sa.Connection, codes: Iterable[str]) -> list[tuple[str, str, int]]:
    """(package, code, its level) of all that lies in one of these directly."""
    return [(row.parent, row.code, row.level) for row in select_many(connection, _CHILDREN, codes)]


def parents(connection: sa.Connection, codes: Iterable[str]) -> dict[str, str]:
    """Package of each of these codes, of that package, and so on to the outermost."""
    found: dict[str, str] = {}
    front = set(codes)
    while front:
        above = {code: parent for code, (_, parent) in places(connection, front).items() if parent}
        front = set(above.values()) - found.keys() - above.keys()
        found.update(above)
    return found
