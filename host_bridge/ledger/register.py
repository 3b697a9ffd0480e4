"""Rows of what goes out without a code: the no-code register, its sales, and supervisors' releases."""

from typing import Any, NamedTuple

import sqlalchemy as sa

from host_bridge.ledger.open import row_lock
from host_bridge.ledger.schema import sessions
from host_bridge.ledger.schema_books import register, register_sales, releases


class Entry(NamedTuple):
    """Boxes of one batch that were bought without codes; `entered_at` ms UTC."""

    id: int
    site: str
    product: str
    batch: str
    entered: int
    remaining: int
    operator: str
    entered_at: int


class RegisterSale(NamedTuple):
    """Boxes sold from an entry."""

    entry: int
    product: str
    batch: str
    session: str
    payer: str
    quantity: int
    operator: str
    sold_at: int  # ms UTC


class Release(NamedTuple):
    """Boxes that a supervisor let go though their code could not be read."""

    id: int
    site: str
    session: str | None
    product: str
    quantity: int
    reason: str
    operator: str
    supervisor: str
    released_at: int  # ms UTC


_ENTRIES = sa.select(*(register.c[name] for name in Entry._fields)).order_by(register.c.entered_at, register.c.id)
_SALES = (
    sa.select(
        *((register if name in ("product", "batch") else sessions if name == "payer" else register_sales).c[name]
          for name in RegisterSale._fields)
    )
    .join_from(register_sales, register, register.c.id == register_sales.c.entry)
    .join(sessions, sessions.c.id == register_sales.c.session)
    .order_by(register_sales.c.id)
)  # fmt: skip
_RELEASES = sa.select(*(releases.c[name] for name in Release._fields)).order_by(releases.c.id)


def enter(connection: sa.Connection, values: dict[str, Any]) -> int:
    """Add an entry; its id."""
    return connection.scalars(sa.insert(register).returning(register.c.id), [values]).one()


def entries(connection: sa.Connection, site: str, product: str | None = None, locked: bool = False) -> list[Entry]:
    """What a site's register has, oldest first, used up entries included."""
    statement = _ENTRIES.where(register.c.site == site)
    if product is not None:
        statement = statement.where(register.c.product == product)
    return [Entry(*row) for row in connection.execute(row_lock(statement) if locked else statement)]


def sell(connection: sa.Connection, entry: int, session: str, quantity: int, operator: str, now: int) -> bool:
    """Take boxes from an entry; False, and nothing done, where it has fewer."""
    enough = sa.update(register).where(register.c.id == entry, register.c.remaining >= quantity)
    if connection.execute(enough.values(remaining=register.c.remaining - quantity)).rowcount != 1:
        return False
    values = {"entry": entry, "session": session, "quantity": quantity, "operator": operator, "sold_at": now}
    connection.execute(sa.insert(register_sales), [values])
    return True


def sales(connection: sa.Connection, site: str, start: int, end: int) -> list[RegisterSale]:
    """Sales from a site's register at `start` <= ms UTC < `end`."""
    within = register_sales.c.sold_at >= start, register_sales.c.sold_at < end
    return [RegisterSale(*row) for row in connection.execute(_SALES.where(register.c.site == site, *within))]


def add_release(connection: sa.Connection, values: dict[str, Any]) -> int:
    """Note a release; its id."""
    return connection.scalars(sa.insert(releases).returning(releases.c.id), [values]).one()


def released(connection: sa.Connection, site: str, start: int, end: int) -> list[Release]:
    """Releases of a site at `start` <= ms UTC < `end`, in order."""
    within = releases.c.released_at >= start, releases.c.released_at < end
    return [Release(*row) for row in connection.execute(_RELEASES.where(releases.c.site == site, *within))]
