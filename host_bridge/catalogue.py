"""The catalogue: products and their codes, batches, packaging relations, recalls, exemptions.

Packaging levels count from the smallest: 1 is the box that is sold, 2 the inner pack, 3 and above cases. Sources in
use number both ways; `from_largest` turns a number that counts from the largest package, here and nowhere else.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

from host_bridge import inputs
from host_bridge.errors import BadInput, NotFound, PackageTooBig
from host_bridge.gtin import fourteen
from host_bridge.ledger import Connection, Ledger, goods
from host_bridge.ledger.catalogue import LEVELS, TREE, descendants
from host_bridge.ledger.goods import RecallRow

CONTENT_MAX = 10_000  # parts of one box
CATALOGUE_CODE_MAX = 50  # characters of an insurance code
ROWS_MAX = 20_000  # rows of one import: on SQLite terminals wait while it is written, a second or so
_Row = TypeVar("_Row")
_PREFIX = re.compile(r"[0-9]{7}\Z")


@dataclass(frozen=True, slots=True)
class Product:
    """One product, with the three codes under which it is known.

    prefixes: first 7 digits of its twenty-digit trace codes, several where it has several package codes; gtin and
    barcode (the "69 code"): 8, 12, 13 or 14 digits, kept in 14; catalogue_code: the insurance's; content: parts that
    one box can be dispensed in; exempt: why it carries no trace code.
    """

    id: str
    name: str
    prefixes: tuple[str, ...] = ()
    gtin: str | None = None  # where none is given, the barcode is it
    barcode: str | None = None
    catalogue_code: str | None = None
    content: int = 1
    exempt: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch and the last day (yyyymmdd) on which it may be dispensed."""

    product: str
    batch: str
    expires_on: int


@dataclass(frozen=True, slots=True)
class Unit:
    """One code: what it is, and the package that it lies in. Levels count from the smallest, 1 to 5."""

    code: str
    level: int = 1
    parent: str | None = None
    product: str | None = None
    batch: str | None = None
    expires_on: int | None = None


def from_largest(number: int, levels: int) -> int:
    """Our level of a package that its source numbers from the largest (1), of so many levels in all."""
    inputs.count("levels", levels, 1, LEVELS)
    return levels + 1 - inputs.count("number", number, 1, levels)


def import_products(ledger: Ledger, rows: Iterable[Product]) -> int:
    """Enter products, or replace those that are there; all or none. How many.

    Raises BadInput where a field cannot be used, or one code would name two products.
    """
    ready = [_checked(row) for row in _bounded("products", rows)]
    _unique("product", [row.id for row in ready])
    with ledger.write() as connection:
        ids = {row.id for row in ready}
        for column, title in (("gtin", "GTIN"), ("barcode", "barcode")):
            pairs = [(value, row.id) for row in ready if (value := getattr(row, column))]
            _one_owner(title, pairs, goods.ids_by(connection, column, [value for value, _ in pairs]), ids)
        prefixes = [(prefix, row.id) for row in ready for prefix in row.prefixes]
        _one_owner("prefix", prefixes, goods.ids_by_prefix(connection, [prefix for prefix, _ in prefixes]), ids)
        columns = [{name: value for name, value in asdict(row).items() if name != "prefixes"} for row in ready]
        goods.put_products(connection, columns, dict(prefixes))
    return len(ready)


def import_batches(ledger: Ledger, rows: Iterable[Batch]) -> int:
    """Enter batches or replace them; all or none. How many. Raises BadInput, NotFound for a product."""
    ready = _bounded("batches", rows)
    for row in ready:
        where = f"batch {row.batch!r} of {row.product!r}"
        inputs.batch(where, row.batch)
        inputs.day(f"{where}: expires_on", row.expires_on)
    _unique("batch", [(row.product, row.batch) for row in ready])
    with ledger.write() as connection:
        _need_products(connection, {row.product for row in ready})
        goods.put_batches(connection, [asdict(row) for row in ready])
    return len(ready)


def add_units(ledger: Ledger, rows: Iterable[Unit]) -> int:
    """Enter what is known of codes and of the packages that they lie in, or replace it; all or none. How many.

    Raises BadInput (a package must be known, and of a higher level than what lies in it), NotFound for a product,
    PackageTooBig.
    """
    ready = _bounded("units", rows)
    for row in ready:
        where = f"unit {row.code[:40]!r}"
        inputs.code(where, row.code)
        inputs.count(f"{where}: level", row.level, 1, LEVELS)
        inputs.batch(f"{where}: batch", row.batch)
        inputs.day(f"{where}: expires_on", row.expires_on)
    _unique("unit", [row.code for row in ready])
    with ledger.write() as connection:
        _need_products(connection, {row.product for row in ready if row.product})
        _check_levels(connection, {row.code: row for row in ready})
        goods.put_units(connection, [asdict(row) for row in ready])
        check_trees(connection, {row.code for row in ready if row.parent})
    return len(ready)


def check_trees(connection: Connection, codes: set[str]) -> None:
    """Raises PackageTooBig where one of these now lies in an outermost package that holds too much."""
    above = goods.parents(connection, codes)
    roots = (codes | set(above.values())) - above.keys()
    for root, inside in descendants(connection, roots).items():
        if len(inside) > TREE:
            raise PackageTooBig(root, len(inside), TREE)


def recall(ledger: Ledger, product: str, why: str, now: int, batch: str | None = None) -> int:
    """Recall a product, or one batch of it, from `now` (ms UTC) on; the recall's id. Raises BadInput, NotFound."""
    said = inputs.text("why", why)
    inputs.batch("batch", batch)
    with ledger.write() as connection:
        _need_products(connection, {product})
        return goods.add_recall(connection, product, batch, said, now)


def lift_recall(ledger: Ledger, recall_id: int, now: int) -> None:
    """End a recall. Raises NotFound where none of this id is in force."""
    with ledger.write() as connection:
        if not goods.end_recall(connection, recall_id, now):
            raise NotFound("recall in force", str(recall_id))


def recalls(ledger: Ledger, only_open: bool = True) -> list[RecallRow]:
    """Recalls, oldest first."""
    with ledger.read() as connection:
        return goods.recalls_listed(connection, only_open)


def exempt(ledger: Ledger, product: str, why: str | None) -> None:
    """Say why a product carries no code; None: it does carry one. Raises BadInput, NotFound."""
    said = None if why is None else inputs.text("why", why)
    with ledger.write() as connection:
        if not goods.set_exempt(connection, product, said):
            raise NotFound("product", product)


def lookup(
    ledger: Ledger,
    *,
    product: str | None = None,
    prefix: str | None = None,
    gtin: str | None = None,
    barcode: str | None = None,
    catalogue_code: str | None = None,
) -> list[Product]:
    """Products under one of their codes, in order of id; an insurance code may name several. Raises BadInput."""
    given = {"gtin": gtin, "barcode": barcode, "catalogue_code": catalogue_code}
    asked = {name: value for name, value in {**given, "product": product, "prefix": prefix}.items() if value}
    if len(asked) != 1:
        raise BadInput("lookup", "ask by exactly one of product, prefix, gtin, barcode, catalogue_code")
    ((column, value),) = asked.items()
    with ledger.read() as connection:
        if column == "product":
            ids = [value]
        elif column == "prefix":
            ids = [found for _, found in goods.ids_by_prefix(connection, [value[:7]])]
        else:
            key = value if column == "catalogue_code" else _gtin(column, value)
            ids = [found for _, found in goods.ids_by(connection, column, [key])]
        return [Product(**row) for row in goods.products_of(connection, ids).values()]


def _checked(row: Product) -> Product:
    where = f"product {row.id[:40]!r}"
    inputs.name(where, row.id)
    for prefix in row.prefixes:
        if not _PREFIX.match(prefix):
            raise BadInput(f"{where}: prefixes", f"{prefix[:40]!r} is not 7 digits")
    barcode = None if row.barcode is None else _gtin(f"{where}: barcode", row.barcode)
    gtin = barcode if row.gtin is None else _gtin(f"{where}: gtin", row.gtin)
    code = None if row.catalogue_code is None else inputs.text(f"{where}: catalogue_code", row.catalogue_code)
    if code is not None and len(code) > CATALOGUE_CODE_MAX:
        raise BadInput(f"{where}: catalogue_code", f"at most {CATALOGUE_CODE_MAX} characters")
    return Product(
        id=row.id,
        name=inputs.text(f"{where}: name", row.name),
        prefixes=tuple(dict.fromkeys(row.prefixes)),
        gtin=gtin,
        barcode=barcode,
        catalogue_code=code,
        content=inputs.count(f"{where}: content", row.content, 1, CONTENT_MAX),
        exempt=None if row.exempt is None else inputs.text(f"{where}: exempt", row.exempt),
    )


def _gtin(where: str, value: str) -> str:
    found = fourteen(value)
    if found is None:
        raise BadInput(where, f"{value[:40]!r} is not 8, 12, 13 or 14 digits with a right check digit")
    return found


def _one_owner(
    title: str, wanted: Sequence[tuple[str, str]], stored: Sequence[tuple[str, str]], replaced: set[str]
) -> None:
    """A code names one product: among these, and beside those that are not replaced by them."""
    owners = {value: product for value, product in stored if product not in replaced}
    for value, product in wanted:
        owner = owners.setdefault(value, product)
        if owner != product:
            raise BadInput(f"product {product!r}", f"{title} {value} is that of product {owner!r}")


def _check_levels(connection: Connection, rows: dict[str, Unit]) -> None:
    parents = {row.parent for row in rows.values() if row.parent}
    known = {code: level for code, (level, _) in goods.places(connection, parents).items()}
    known.update({code: row.level for code, row in rows.items()})
    edges = [(row.parent, row.code, row.level) for row in rows.values() if row.parent]
    edges += [edge for edge in goods.contents(connection, rows) if edge[1] not in rows]
    for parent, code, level in edges:
        above = known.get(parent)
        if above is None:
            raise BadInput(f"unit {code[:40]!r}", f"lies in {parent[:40]!r}, which is not known; enter that too")
        if above <= level:
            raise BadInput(f"unit {code[:40]!r}", f"of level {level} cannot lie in {parent[:40]!r} of level {above}")


def _need_products(connection: Connection, ids: set[str]) -> None:
    missing = ids - goods.products_of(connection, ids).keys()
    if missing:
        raise NotFound("product", min(missing))


def _bounded(kind: str, rows: Iterable[_Row]) -> list[_Row]:
    ready = list(rows)
    if len(ready) > ROWS_MAX:
        raise BadInput(kind, f"{len(ready)} rows at once; at most {ROWS_MAX}, so import in parts")
    return ready


def _unique(kind: str, keys: Sequence[object]) -> None:
    seen: set[object] = set()
    for key in keys:
        if key in seen:
            raise BadInput(f"{kind} {key!r}", "is there twice")
        seen.add(key)
