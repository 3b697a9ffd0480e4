"""Releases: a supervisor lets boxes go whose code cannot be read; recorded with reason and names, never silent."""

from host_bridge import inputs, sessions
from host_bridge.errors import NotFound
from host_bridge.ledger import Ledger, goods
from host_bridge.ledger import register as rows
from host_bridge.ledger.register import Release

QUANTITY_MAX = 100  # boxes in one release: it is an exception


def release(
    ledger: Ledger,
    site: str,
    product: str,
    quantity: int,
    reason: str,
    operator: str,
    supervisor: str,
    now: int,
    session: str | None = None,
) -> int:
    """Let boxes go without a code; the release's id.

    Args:
        ledger: where it is kept.
        site: where it happens.
        product: of the catalogue.
        quantity: boxes.
        reason: why no code can be read; never empty.
        operator: who hands them over.
        supervisor: who answers for it. That this person may do so is for the caller to see to.
        now: ms UTC.
        session: the sale that they belong to; open, of this site, and its lines are counted.

    Raises BadInput, NotFound for product or session, NotOpen, MayNotDispense.
    """
    inputs.site("site", site)
    inputs.count("quantity", quantity, 1, QUANTITY_MAX)
    values = {
        "site": site,
        "session": session,
        "product": product,
        "quantity": quantity,
        "reason": inputs.text("reason", reason),
        "operator": inputs.ident("operator", operator),
        "supervisor": inputs.ident("supervisor", supervisor),
        "released_at": now,
    }
    with ledger.write() as connection:
        if product not in goods.products_of(connection, [product]):
            raise NotFound("product", product)
        if session is not None:
            sessions.dispense(connection, session, site, product, quantity, now)
        return rows.add_release(connection, values)


def listed(ledger: Ledger, site: str, start: int, end: int) -> list[Release]:
    """Releases of a site at `start` <= ms UTC < `end`, in order."""
    with ledger.read() as connection:
        return rows.released(connection, site, start, end)
