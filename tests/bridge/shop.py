"""What a site is told before its boxes come: products, recalls, packages, deliveries, sessions with their lines."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from host_bridge.ledger import catalogue, sessions
from host_bridge.ledger.alerts import listed
from host_bridge.ledger.schema import codes
from host_bridge.ledger.schema_books import (
    batches,
    deliveries,
    delivery_items,
    product_prefixes,
    products,
    recalls,
    session_lines,
    units,
)
from host_bridge.ledger.sessions import INSURED, Line
from tests.bridge.world import SITE, Terminal, World

PREFIX = "8338652"  # of every code in world.CODES
GTIN = "06901234567892"


def write(world: World, table: sa.Table, *rows: Mapping[str, object]) -> None:
    with world.ledger.write() as connection:
        for row in rows:
            connection.execute(sa.insert(table), [dict(row)])
    catalogue.changed()


def product(
    world: World, name: str = "P-1", prefix: str | None = PREFIX, content: int = 1, exempt: str | None = None
) -> None:
    """A product whose boxes have codes with this prefix, or with GTIN where there is none."""
    gtin = None if prefix else GTIN
    write(world, products, {"id": name, "name": name, "content": content, "exempt": exempt, "gtin": gtin})
    if prefix:
        write(world, product_prefixes, {"prefix": prefix, "product": name})


def batch(world: World, name: str, expires_on: int, of: str = "P-1") -> None:
    write(world, batches, {"product": of, "batch": name, "expires_on": expires_on})


def recall(world: World, name: str | None = None, of: str = "P-1") -> None:
    write(world, recalls, {"product": of, "batch": name, "why": "particles", "since": world.clock.now()})


def unit(
    world: World,
    code: str,
    level: int = 1,
    parent: str | None = None,
    lot: str | None = None,
    expires_on: int | None = None,
    of: str | None = None,
) -> None:
    row = {"code": code, "level": level, "parent": parent, "batch": lot, "expires_on": expires_on, "product": of}
    write(world, units, row)


def announce(
    world: World,
    name: str,
    *these: str,
    direction: str = "in",
    site: str = SITE,
    inside: Mapping[str, str] | None = None,
    lot: str | None = None,
    expires_on: int | None = None,
) -> None:
    """An open delivery; `inside` says in which package a code lies."""
    partner = "a wholesaler"
    row = {"id": name, "site": site, "direction": direction, "partner": partner, "opened_at": world.clock.now()}
    write(world, deliveries, row)
    for code in these:
        said = {"batch": lot, "expires_on": expires_on, "parent": (inside or {}).get(code)}
        write(world, delivery_items, {"delivery": name, "code": code, "announced": True, **said})


def seen(world: World, name: str) -> dict[str, tuple[bool, str | None, str | None]]:
    """(announced, seen by, differs) of each code of a delivery."""
    wanted = delivery_items.c.code, delivery_items.c.announced, delivery_items.c.seen, delivery_items.c.differs
    with world.ledger.read() as connection:
        rows = connection.execute(sa.select(*wanted).where(delivery_items.c.delivery == name)).all()
    return {code: (announced, by, differs) for code, announced, by, differs in rows}


def session(
    world: World,
    till: Terminal,
    name: str = "S-1",
    *lines: Line,
    payer: str = INSURED,
    expects: bool = False,
    minutes: int = 30,
    kind: str = "sale",
) -> str:
    """A session for a terminal, open for so many minutes."""
    now = world.clock.now()
    with world.ledger.write() as connection:
        until = now + minutes * 60_000
        sessions.insert(connection, name, till.peer.device, till.site, kind, now, until, payer, expects)
        sessions.insert_lines(connection, name, lines)
    return name


def close(world: World, name: str = "S-1") -> None:
    with world.ledger.write() as connection:
        sessions.close(connection, [name], world.clock.now())


def lines(world: World, name: str = "S-1") -> list[int]:
    """What was taken on each line."""
    wanted = sa.select(session_lines.c.taken).where(session_lines.c.session == name).order_by(session_lines.c.line)
    with world.ledger.read() as connection:
        return list(connection.scalars(wanted))


def boxes(count: int, of: str = "P-1", line: int = 1) -> Line:
    return Line(line, of, count, split=False)


def pieces(count: int, of: str = "P-1", line: int = 1) -> Line:
    return Line(line, of, count, split=True)


def stock(world: World, these: Sequence[str]) -> list[str | None]:
    """Where each of these lies."""
    with world.ledger.read() as connection:
        rows = connection.execute(sa.text("SELECT code, stock FROM codes")).all()
    found = {row[0]: row[1] for row in rows}
    return [found.get(one) for one in these]


def alerts(world: World) -> list[tuple[str, str, int, str | None]]:
    """(kind, device, seq, site) of each open alert, oldest first."""
    with world.ledger.read() as connection:
        return [(one.kind, one.device, one.first, one.site) for one in listed(connection)]


def code(world: World, wanted: str) -> tuple[str, int]:
    """State of a code, and how many parts of it are dispensed."""
    with world.ledger.read() as connection:
        row = connection.execute(sa.select(codes.c.state, codes.c.parts).where(codes.c.code == wanted)).one()
    return row.state, row.parts
