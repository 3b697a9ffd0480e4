"""What the registry says of a device decides what intake does with its records."""

from host_bridge.ledger import scans
from tests.bridge.world import CODES, SITE, World

ACCEPTED, REJECTED, DUPLICATE, PENDING, ERROR = 0, 1, 2, 3, 5


def test_suspended_device_gets_receipts_and_claims_nothing(world: World) -> None:
    till = world.terminal()
    world.registry.suspend("d-window-01")
    world.sell(till, CODES[0])
    world.deliver(till, till.head(), kind="head")
    assert till.outcomes() == [(1, ERROR, 17)]
    assert till.verdicts()[0].kept
    assert till.receipts()[-1].upto == 1
    world.registry.reinstate("d-window-01")
    world.deliver(till, till.messages[1])
    assert till.outcomes()[-1] == (1, ERROR, 17)
    world.sell(till, CODES[0])
    assert till.outcomes()[-1] == (2, ACCEPTED, 0)


def test_revoked_device_gets_nothing_in_and_nothing_out(world: World) -> None:
    till = world.terminal()
    world.platform.reachable = False
    world.deliver(till, till.scan(CODES[0]))
    world.settle()
    world.registry.revoke("d-window-01")
    second = till.scan(CODES[1])
    world.deliver(till, second)
    world.deliver(till, till.head(), kind="head")
    world.platform.reachable = True
    world.later(30_000)
    world.settle()
    assert world.outlet.sent == []
    assert len(world.acked) == 3
    with world.ledger.read() as connection:
        assert scans.present(connection, "d-window-01", 1, 9) == [1]


def test_device_moved_while_the_bridge_runs_is_known_at_once(world: World) -> None:
    till = world.terminal(site="depot-1")
    world.sell(till, CODES[0])
    world.registry.move("d-window-01", SITE)
    till.site = SITE
    world.sell(till, CODES[1])
    assert till.outcomes()[-1] == (2, ACCEPTED, 0)
