"""Deliveries, in and out: announced, scanned at the dock by its terminals, closed, and what came of them."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from host_bridge import inputs, packages
from host_bridge.catalogue import check_trees
from host_bridge.errors import AlreadyThere, BadInput, NotFound, NotOpen
from host_bridge.ledger import Connection, Ledger, goods
from host_bridge.ledger import deliveries as rows
from host_bridge.ledger.catalogue import LEVELS, descendants
from host_bridge.ledger.deliveries import IN, OUT, DeliveryRow, Item

ITEMS_MAX = 20_000  # codes on one delivery, with all that lies in its packages


@dataclass(frozen=True, slots=True)
class Announced:
    """One code of an announcement: a box, or a package; `parent` is the announced package that it lies in."""

    code: str
    parent: str | None = None
    product: str | None = None
    batch: str | None = None
    expires_on: int | None = None  # yyyymmdd


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a delivery. Boxes only, packages apart; codes in order.

    missing_packages: nothing of them was seen, and their boxes are among the missing; extra: scanned though nobody
    announced it; differing: code, and what of it is not as announced: it was not taken, and is not missing either.
    """

    delivery: str
    site: str
    direction: str
    closed: bool
    announced: tuple[str, ...]
    seen: tuple[str, ...]
    missing: tuple[str, ...]
    missing_packages: tuple[str, ...]
    extra: tuple[str, ...]
    differing: tuple[tuple[str, str], ...]


def announce(
    ledger: Ledger,
    delivery: str,
    site: str,
    partner: str,
    items: Iterable[Announced],
    now: int,
    direction: str = IN,
) -> None:
    """Open a delivery to a site (`in`) or from it (`out`). `partner`: whom it comes from or goes to; `now` ms UTC.

    What is known to lie in an announced package is announced with it. Codes are canonical trace codes. What the
    catalogue knows of a code stays; where it knows nothing, it learns from here.

    Raises BadInput, AlreadyThere, PackageTooBig.
    """
    inputs.name("delivery", delivery)
    inputs.site("site", site)
    said = inputs.text("partner", partner)
    if direction not in (IN, OUT):
        raise BadInput("direction", f"{direction!r} is neither {IN!r} nor {OUT!r}")
    named = _checked(list(items))
    with ledger.write() as connection:
        if rows.get(connection, delivery):
            raise AlreadyThere("delivery", delivery)
        levels = _levels(connection, named)
        learned = [{**asdict(one), "level": levels[code]} for code, one in named.items()]
        goods.put_units(connection, learned, fill=True)
        check_trees(connection, {code for code, one in named.items() if one.parent})
        everything = _with_contents(connection, named)
        if len(everything) > ITEMS_MAX:
            raise BadInput("items", f"{len(everything)} codes; at most {ITEMS_MAX}, so announce in parts")
        kept = [{name: value for name, value in asdict(one).items() if name != "product"} for one in everything]
        rows.insert(connection, DeliveryRow(delivery, site, direction, said, now, None), kept)


def close(ledger: Ledger, delivery: str, now: int) -> Result:
    """Close a delivery, whatever is missing. Raises NotFound, NotOpen."""
    with ledger.write() as connection:
        row = _need(connection, delivery)
        if not rows.close(connection, delivery, now):
            raise NotOpen("delivery", delivery, "is closed")
        return _result(connection, row._replace(closed_at=now))


def result(ledger: Ledger, delivery: str) -> Result:
    """What has come of a delivery so far. Raises NotFound."""
    with ledger.read() as connection:
        return _result(connection, _need(connection, delivery))


def open_ones(ledger: Ledger, site: str) -> list[DeliveryRow]:
    """Open deliveries of a site, oldest first."""
    with ledger.read() as connection:
        return rows.listed(connection, site)


def _checked(items: list[Announced]) -> dict[str, Announced]:
    if not items or len(items) > ITEMS_MAX:
        raise BadInput("items", f"1 to {ITEMS_MAX} codes, not {len(items)}")
    named: dict[str, Announced] = {}
    for one in items:
        where = f"item {one.code[:40]!r}"
        inputs.code(where, one.code)
        if one.product is not None:
            inputs.name(f"{where}: product", one.product)
        inputs.batch(f"{where}: batch", one.batch)
        inputs.day(f"{where}: expires_on", one.expires_on)
        if one.code in named:
            raise BadInput(where, "is there twice")
        named[one.code] = one
    for one in items:
        if one.parent is not None and one.parent not in named:
            raise BadInput(f"item {one.code[:40]!r}", f"lies in {one.parent[:40]!r}, which is not announced")
    return named


def _levels(connection: Connection, named: dict[str, Announced]) -> dict[str, int]:
    """Packaging level of each code: as known, else one above the highest that lies in it."""
    known = goods.places(connection, named)
    levels = {code: known[code][0] if code in known else 1 for code in named}
    for one in named.values():
        for above in _packages_around(named, one):
            level = levels[one.code] + 1
            if levels[above.code] < level:
                if above.code in known or level > LEVELS:
                    why = f"of level {levels[above.code]} cannot hold {one.code[:40]!r} of level {level - 1}"
                    raise BadInput(f"item {above.code[:40]!r}", why)
                levels[above.code] = level
            one = above
    return levels


def _packages_around(named: dict[str, Announced], one: Announced) -> list[Announced]:
    around: list[Announced] = []
    while one.parent is not None:
        one = named[one.parent]
        around.append(one)
        if len(around) >= LEVELS:
            raise BadInput(f"item {one.code[:40]!r}", f"lies in itself, or packages are more than {LEVELS} deep")
    return around


def _with_contents(connection: Connection, named: dict[str, Announced]) -> list[Announced]:
    """The announced codes, and what is known to lie in those packages of which nothing inside was announced."""
    told = {one.parent for one in named.values() if one.parent}
    closed = [code for code in named if code not in told]
    inside = {code for codes in descendants(connection, closed).values() for code in codes} - named.keys()
    places = goods.places(connection, inside)
    return [*named.values(), *(Announced(code, places[code][1]) for code in sorted(inside))]


def _need(connection: Connection, delivery: str) -> DeliveryRow:
    row = rows.get(connection, delivery)
    if row is None:
        raise NotFound("delivery", delivery)
    return row


def _result(connection: Connection, row: DeliveryRow) -> Result:
    items = rows.all_items(connection, row.id)
    announced = [item for item in items if item.announced]
    differing = {item.code: item.differs for item in announced if item.differs}
    counted = packages.count(
        [item.code for item in announced],
        {item.code: item.parent for item in announced},
        {item.code for item in announced if item.seen},
        set(),
    )
    return Result(
        delivery=row.id,
        site=row.site,
        direction=row.direction,
        closed=row.closed_at is not None,
        announced=counted.boxes,
        seen=counted.seen,
        missing=tuple(code for code in counted.missing if code not in differing),
        missing_packages=counted.missing_packages,
        extra=tuple(item.code for item in items if _is_extra(item)),
        differing=tuple(differing.items()),
    )


def _is_extra(item: Item) -> bool:
    return not item.announced and item.seen is not None
