"""What tests of records' times share: what the ledger says, and a terminal whose clock was never set."""

from typing import NamedTuple

import sqlalchemy as sa

from host_bridge.ledger.schema import scans
from host_bridge.wire import Clock, Operation
from tests.bridge.world import CODES, Terminal, World

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
BUILT = 1_767_225_600_000  # 2026-01-01: where a clock that was never set begins


class Said(NamedTuple):
    own: int | None  # the terminal's word
    at: int | None  # the bridge's
    by: str | None


def times(world: World) -> list[Said]:
    """What the ledger says of each record's time, in the order of seq."""
    columns = scans.c.captured_at, scans.c.corrected_at, scans.c.corrected_by
    with world.ledger.read() as connection:
        return [Said(*row) for row in connection.execute(sa.select(*columns).order_by(scans.c.device, scans.c.seq))]


def unset(till: Terminal, code: str = CODES[0], operation: Operation = Operation.STOCK_TAKE) -> bytes:
    """A record of a clock that was never set: it counts from its floor."""
    return till.scan(code, operation, clock=Clock.NEVER_SET, captured_at=BUILT + till.ran(), offline=True)


def hello(world: World, till: Terminal) -> None:
    world.deliver(till, till.head(), kind="head")


def pass_by(world: World, ms: int) -> int:
    """Time passes, without a bridge's rounds; what it is then."""
    world.clock.ms += ms
    return world.clock.ms
