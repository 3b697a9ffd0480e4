"""The no-code register: boxes bought without codes, entered by product, batch and quantity, and sold from there."""

from host_bridge import inputs, sessions
from host_bridge.clock import local_day
from host_bridge.errors import BadInput, MayNotDispense, NotFound, StockShort
from host_bridge.ledger import Connection, Ledger, catalogue, goods
from host_bridge.ledger import register as rows
from host_bridge.ledger.register import Entry

QUANTITY_MAX = 1_000_000


def enter(ledger: Ledger, site: str, product: str, batch: str, quantity: int, operator: str, now: int) -> int:
    """Enter boxes that carry no code; the entry's id. `now` ms UTC. Raises BadInput, NotFound."""
    inputs.site("site", site)
    inputs.batch("batch", batch)
    inputs.ident("operator", operator)
    inputs.count("quantity", quantity, 1, QUANTITY_MAX)
    values = {"site": site, "product": product, "batch": batch, "entered": quantity, "remaining": quantity}
    with ledger.write() as connection:
        if product not in goods.products_of(connection, [product]):
            raise NotFound("product", product)
        return rows.enter(connection, {**values, "operator": operator, "entered_at": now})


def sell(
    ledger: Ledger,
    site: str,
    product: str,
    quantity: int,
    session: str,
    operator: str,
    now: int,
    batch: str | None = None,
) -> list[tuple[Entry, int]]:
    """Sell boxes from a site's register in an open session; from which entries, and how many of each.

    The oldest entries that may be dispensed are sold first; `batch`: of this one only. All or nothing.

    Raises BadInput, StockShort, NotFound and NotOpen for the session, MayNotDispense where the product is not on its
    lines or everything in stock is recalled or expired.
    """
    inputs.ident("operator", operator)
    inputs.count("quantity", quantity, 1, QUANTITY_MAX)
    with ledger.write() as connection:
        sessions.dispense(connection, session, site, product, quantity, now)
        here = [one for one in rows.entries(connection, site, product, locked=True) if batch in (None, one.batch)]
        stock = [one for one in here if one.remaining]
        barred = {one.batch: why for one in stock if (why := _barred(connection, one, now))}
        fit = [one for one in stock if one.batch not in barred]
        if barred and not fit:
            raise MayNotDispense(product, "; ".join(f"batch {name}: {why}" for name, why in barred.items()))
        left, taken = quantity, list[tuple[Entry, int]]()
        for one in fit:
            part = min(left, one.remaining)
            if part and rows.sell(connection, one.id, session, part, operator, now):
                taken.append((one, part))
                left -= part
        if left:
            raise StockShort(product, quantity, quantity - left)
    return taken


def listed(ledger: Ledger, site: str, product: str | None = None) -> list[Entry]:
    """What a site's register has, oldest first, used up entries included. Raises BadInput."""
    if product is not None and not product:
        raise BadInput("product", "is empty")
    with ledger.read() as connection:
        return rows.entries(connection, site, product)


def _barred(connection: Connection, entry: Entry, now: int) -> str | None:
    """Why boxes of an entry must not go out; None where they may."""
    facts = catalogue.facts_of_batch(connection, entry.product, entry.batch, now)
    if facts.recalled:
        return f"recalled: {facts.recalled}"
    expired = facts.expires_on is not None and facts.expires_on < local_day(now)
    return f"expired on {facts.expires_on}" if expired else None
