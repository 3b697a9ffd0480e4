"""The ledger says which records came late: in the audit by their ranges, in a site's report by their number."""

from collections.abc import Sequence

from host_bridge import reports
from host_bridge.audit.findings import MOST
from host_bridge.audit.run import audit
from host_bridge.late import LATE_MS
from host_bridge.wire import Clock
from tests.bridge.world import SITE, Terminal, World

_HOUR = 3_600_000


def _outages(world: World, till: Terminal, waits: Sequence[int]) -> None:
    """A sale after each wait's beginning, delivered at its end, ms."""
    for number, wait in enumerate(waits):
        message = till.scan(f"8338652{number:013}")
        world.clock.ms += wait
        world.deliver(till, message)


def test_an_audit_and_a_report_tell_which_records_came_late(world: World) -> None:
    till, start = world.terminal(), world.clock.now()
    _outages(world, till, (0, 3 * _HOUR, LATE_MS + 1, LATE_MS, 2 * _HOUR, 0))
    found = audit(world.url, world.sites, world.clock.now())
    (told,) = found.devices
    assert (told.late, told.came_late) == (3, [(2, 3), (5, 5)])
    assert found.lines()[0].endswith("; 3 came over 60 s late: 2 to 3, 5")
    assert found.clean
    assert reports.period(world.ledger, SITE, start, world.clock.now() + 1).late == 3


def test_an_audit_names_the_latest_of_many_late_ranges_and_counts_them_all(world: World) -> None:
    till = world.terminal()
    _outages(world, till, (_HOUR, 0) * (MOST + 5))
    (told,) = audit(world.url, world.sites, world.clock.now()).devices
    last = 2 * (MOST + 5) - 1
    assert (told.late, len(told.came_late), told.came_late[-1]) == (MOST + 5, MOST, (last, last))


def test_what_came_is_not_late_where_nobody_knows_when_it_was_captured(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.scan(clock=Clock.NEVER_SET, captured_at=1_000))
    (told,) = audit(world.url, world.sites, world.clock.now()).devices
    assert (told.late, told.came_late, told.times) == (0, [], {"receipt": 1})
