"""A terminal's day in a ledger, and what an audit says of it, for tests that damage it."""

import sqlalchemy as sa

from host_bridge.audit.findings import Findings
from host_bridge.audit.run import audit
from host_bridge.wire import Operation
from tests.bridge.world import CODES, Terminal, World

DEVICE = "d-window-01"
LATER = 3_600_000


def a_day(world: World) -> Terminal:
    """A terminal after sales, one refused, one returned, one voided, and a query; a head at its end."""
    till = world.terminal(DEVICE)
    world.sell(till, CODES[0], CODES[1], CODES[0], CODES[2])
    world.deliver(till, till.scan(CODES[1], Operation.RETURN))
    world.settle()
    world.deliver(till, till.void(4))
    world.settle()
    world.deliver(till, till.scan(CODES[3], Operation.QUERY))
    world.settle()
    world.deliver(till, till.head(), kind="head")
    world.intake.publish_unsent()
    return till


def audited(world: World, device: str | None = None, later: int = LATER) -> Findings:
    return audit(world.url, world.sites, world.clock.now() + later, device)


def found(world: World, later: int = LATER) -> list[tuple[str, str, int, int]]:
    return [(one.kind, one.device, one.first, one.last) for one in audited(world, later=later).listed]


def change(world: World, *statements: sa.Executable) -> None:
    with world.ledger.write() as connection:
        for statement in statements:
            connection.execute(statement)


def of(table: sa.Table, seq: int) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.device == DEVICE, table.c.seq == seq)
