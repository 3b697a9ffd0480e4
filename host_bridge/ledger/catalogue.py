"""What is known of codes beside their state: product, batch, expiry, package, recall; read in bulk for decisions."""

import time
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from host_bridge.gtin import unit_of
from host_bridge.ledger.bulk import many
from host_bridge.ledger.chunks import select_many
from host_bridge.ledger.schema_books import batches, product_prefixes, products, recalls, units

LEVELS = 5  # packaging levels, 1 the box that is sold; a package's is above those of all that lies in it
TREE = 5_000  # most codes in one outermost package
_BOX, _PACKAGE = 1, 2
_EMPTY_S = 1.0  # how long a process may go on taking an empty catalogue for empty


@dataclass(frozen=True, slots=True)
class Claim:
    """What a code says by itself: first 7 of a twenty-digit code, GTIN in 14 digits, batch, last day (yyyymmdd)."""

    prefix: str | None = None
    gtin: str | None = None
    batch: str | None = None
    expires_on: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one code; None where nothing is. `recalled` and `exempt` say why."""

    code: str
    product: str | None = None
    content: int = 1  # parts that an opened box can be dispensed in
    exempt: str | None = None
    batch: str | None = None
    expires_on: int | None = None  # last day on which it may be dispensed, yyyymmdd
    level: int = _BOX
    parent: str | None = None
    recalled: str | None = None


_THESE = many("these")
_UNITS = sa.select(
    units.c.code, units.c.product, units.c.batch, units.c.expires_on, units.c.level, units.c.parent
).where(units.c.code.in_(_THESE))
_PREFIXES = sa.select(product_prefixes.c.prefix, product_prefixes.c.product).where(
    product_prefixes.c.prefix.in_(_THESE)
)
_GTINS = sa.select(products.c.gtin, products.c.id).where(products.c.gtin.in_(_THESE))
_PRODUCTS = sa.select(products.c.id, products.c.content, products.c.exempt).where(products.c.id.in_(_THESE))
_BATCHES = sa.select(batches.c.product, batches.c.batch, batches.c.expires_on).where(
    batches.c.product.in_(_THESE), batches.c.batch.in_(many("batches"))
)
_RECALLS = (
    sa.select(recalls.c.product, recalls.c.batch, recalls.c.why)
    .where(
        recalls.c.product.in_(_THESE),
        recalls.c.since <= sa.bindparam("now"),
        sa.or_(recalls.c.until.is_(None), recalls.c.until > sa.bindparam("now")),
    )
    .order_by(recalls.c.id.desc())
)
_UP = sa.select(units.c.code, units.c.parent).where(units.c.code.in_(_THESE), units.c.parent.is_not(None))
_DOWN = sa.select(units.c.parent, units.c.code).where(units.c.parent.in_(_THESE), units.c.parent.is_not(None))
_ANY = sa.select(sa.or_(sa.exists(sa.select(products.c.id)), sa.exists(sa.select(units.c.code))))

_found_empty: "weakref.WeakKeyDictionary[sa.Engine, float]" = weakref.WeakKeyDictionary()
_found_full: "weakref.WeakSet[sa.Engine]" = weakref.WeakSet()


def facts(connection: sa.Connection, claims: Mapping[str, Claim], now: int) -> dict[str, Facts]:
    """What is known of each code at `now` (ms UTC).

    The product is the unit's own, else that of the prefix, else of the GTIN (a package's GTIN leads to what lies in
    it); batch and expiry are those that the code itself carries, else the unit's, else the batch's. A recall of one
    batch holds for what is known to be of it. A code of which nothing is known is taken for a box.
    """
    stored = {row.code: row for row in select_many(connection, _UNITS, claims)}
    found = _products_of(connection, claims, {code: row.product for code, row in stored.items() if row.product})
    rows = {row.id: row for row in select_many(connection, _PRODUCTS, {product for product, _ in found.values()})}
    batch_of = {code: claim.batch or getattr(stored.get(code), "batch", None) for code, claim in claims.items()}
    expiries = _expiries(connection, {(found[code][0], batch) for code, batch in batch_of.items() if code in found})
    recalled = _recalled(connection, rows, now)
    told: dict[str, Facts] = {}
    for code, claim in claims.items():
        product, level = found.get(code, (None, _BOX))
        unit, row, batch = stored.get(code), rows.get(product or ""), batch_of[code]
        told[code] = Facts(
            code=code,
            product=product,
            content=row.content if row else 1,
            exempt=row.exempt if row else None,
            batch=batch,
            expires_on=claim.expires_on or (unit.expires_on if unit else None) or expiries.get((product, batch)),
            level=unit.level if unit else level,
            parent=unit.parent if unit else None,
            recalled=recalled.get((product, None)) or (recalled.get((product, batch)) if batch else None),
        )
    return told


def relatives(connection: sa.Connection, codes: Iterable[str]) -> dict[str, set[str]]:
    """For each code the packages that it lies in and all that lies in it, by the packaging relations."""
    wanted = set(codes)
    parents = _walk(connection, _UP, wanted)
    children = _walk(connection, _DOWN, wanted)
    return {code: (_reached(parents, code) | _reached(children, code)) - {code} for code in wanted}


def descendants(connection: sa.Connection, codes: Iterable[str]) -> dict[str, set[str]]:
    """For each code all that lies in it."""
    wanted = set(codes)
    children = _walk(connection, _DOWN, wanted)
    return {code: _reached(children, code) - {code} for code in wanted}


def empty(connection: sa.Connection) -> bool:
    """Whether the catalogue has nothing at all. Another process's first entry is seen a second late at most."""
    engine = connection.engine
    if engine in _found_full:
        return False
    now = time.monotonic()
    if now - _found_empty.get(engine, -_EMPTY_S) < _EMPTY_S:
        return True
    if connection.scalar(_ANY):
        _found_full.add(engine)
        return False
    _found_empty[engine] = now
    return True


def changed() -> None:
    """Something was entered by this process: no catalogue is known to be empty any more."""
    _found_empty.clear()


def _products_of(
    connection: sa.Connection, claims: Mapping[str, Claim], by_unit: Mapping[str, str]
) -> dict[str, tuple[str, int]]:
    """Product and, by what the code itself says, packaging level of those whose product is known."""
    found = {code: (product, _BOX) for code, product in by_unit.items()}
    left = {code: claim for code, claim in claims.items() if code not in found}
    prefixes = {row.prefix: row.product for row in select_many(connection, _PREFIXES, _said(left, "prefix"))}
    found.update({code: (prefixes[claim.prefix], _BOX) for code, claim in left.items() if claim.prefix in prefixes})
    left = {code: claim.gtin for code, claim in left.items() if claim.gtin and code not in found}
    inner = {gtin: unit for gtin in left.values() if (unit := unit_of(gtin))}
    gtins = {row.gtin: row.id for row in select_many(connection, _GTINS, [*left.values(), *inner.values()])}
    for code, gtin in left.items():
        if gtin in gtins:
            found[code] = gtins[gtin], _BOX
        elif inner.get(gtin) in gtins:
            found[code] = gtins[inner[gtin]], _PACKAGE
    return found


def _said(claims: Mapping[str, Claim], name: str) -> set[str]:
    return {value for claim in claims.values() if (value := getattr(claim, name))}


def _expiries(connection: sa.Connection, pairs: set[tuple[str, str | None]]) -> dict[tuple[str | None, Any], int]:
    named = sorted({batch for _, batch in pairs if batch})
    ids = sorted({product for product, batch in pairs if batch})
    rows = connection.execute(_BATCHES, {"these": ids, "batches": named}) if named else ()
    return {(row.product, row.batch): row.expires_on for row in rows}


def _recalled(connection: sa.Connection, ids: Iterable[str], now: int) -> dict[tuple[str | None, str | None], str]:
    """Why, by product and batch; batch None is every batch."""
    these = sorted(ids)
    rows = connection.execute(_RECALLS, {"these": these, "now": now}) if these else ()
    return {(row.product, row.batch): row.why for row in rows}


def _walk(connection: sa.Connection, step: sa.Executable, wanted: set[str]) -> dict[str, set[str]]:
    """All edges that lead away from these, by where they start."""
    edges: dict[str, set[str]] = {}
    front = wanted
    for _ in range(LEVELS):
        following: set[str] = set()
        for row in select_many(connection, step, front):
            edges.setdefault(row[0], set()).add(row[1])
            following.add(row[1])
        front = following - edges.keys()
        if not front:
            break
    return edges


def _reached(edges: Mapping[str, set[str]], start: str) -> set[str]:
    reached: set[str] = set()
    front = [start]
    while front:
        for end in edges.get(front.pop(), ()):
            if end not in reached:
                reached.add(end)
                front.append(end)
    return reached


def facts_of_batch(connection: sa.Connection, product: str, batch: str, now: int) -> Facts:
    """What is known of boxes of a batch that carry no code; their `code` is empty."""
    rows = {row.id: row for row in select_many(connection, _PRODUCTS, [product])}
    recalled = _recalled(connection, rows, now)
    return Facts(
        code="",
        product=product,
        content=rows[product].content if rows else 1,
        exempt=rows[product].exempt if rows else None,
        batch=batch,
        expires_on=_expiries(connection, {(product, batch)}).get((product, batch)),
        recalled=recalled.get((product, None)) or recalled.get((product, batch)),
    )
