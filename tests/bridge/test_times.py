"""When a record was captured: the terminal's word is kept as it is, and the bridge's own stands beside it."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from host_bridge import reports
from host_bridge.audit import choice
from host_bridge.audit.run import audit
from host_bridge.config import Site
from host_bridge.errors import NotFound
from host_bridge.ledger.audit import opened
from host_bridge.ledger.schema import devices, scans
from host_bridge.ledger.times import GIVEN, NEIGHBOURS, RECEIPT, UPTIME
from host_bridge.wire import Clock, Operation
from tests.bridge.timed import BUILT, DAY, HOUR, MINUTE, Said, hello, pass_by, times, unset
from tests.bridge.world import CODES, SITE, World


def test_a_synchronised_clock_is_believed(world: World) -> None:
    till = world.terminal()
    at = world.clock.now()
    first, second = till.scan(), till.scan(CODES[1], captured_at=at + 200, clock=Clock.KEPT)
    pass_by(world, 3 * HOUR)
    world.deliver(till, first, second)
    assert times(world) == [(at, at, GIVEN), (at + 200, at + 200, GIVEN)]


def test_an_unset_clock_is_put_right_by_the_hello_of_its_boot_hours_later(world: World) -> None:
    till = world.terminal()
    read_at = [pass_by(world, 10 * MINUTE), 0]
    first = unset(till)
    read_at[1] = pass_by(world, HOUR)
    second = unset(till, CODES[1])
    pass_by(world, 5 * HOUR)
    hello(world, till)
    world.deliver(till, first, second)
    for said, at in zip(times(world), read_at, strict=True):
        assert said.by == UPTIME
        assert said.own is not None and said.own < BUILT + DAY, "the terminal's word stays"
        assert said.at is not None and abs(said.at - at) <= 200


def test_a_hello_in_the_batch_of_its_records_counts_for_the_decision_on_them(world: World) -> None:
    till = world.terminal()
    at = world.clock.now()
    sale = unset(till, operation=Operation.SALE)
    pass_by(world, 6 * HOUR)
    topic = f"scanlatch/v1/{till.site}/{till.peer.device}"
    head = till.head()
    world.intake.process([world.inbound(f"{topic}/head", head), world.inbound(f"{topic}/scan", sale)])
    world.settle()
    (item,) = world.platform.taken.values()
    assert abs(item.captured_at - at) <= 200, "the platform is told when the box was sold"


def test_a_record_that_came_before_any_hello_is_put_right_by_it(world: World) -> None:
    till = world.terminal()
    pass_by(world, 10 * MINUTE)
    at = world.clock.now()
    message = unset(till)
    came = pass_by(world, 2 * HOUR)
    world.deliver(till, message)
    assert times(world)[0].at == came and times(world)[0].by == RECEIPT
    pass_by(world, 1_000)
    hello(world, till)
    (said,) = times(world)
    assert said.by == UPTIME and said.at is not None and abs(said.at - at) <= 200


def test_a_later_synchronised_record_of_the_boot_puts_the_earlier_ones_right(world: World) -> None:
    till = world.terminal()
    pass_by(world, 10 * MINUTE)
    at = world.clock.now()
    first = unset(till)
    pass_by(world, 2 * HOUR)
    second = till.scan(CODES[1])
    pass_by(world, HOUR)
    world.deliver(till, first)
    world.deliver(till, second)
    said = times(world)
    assert [one.by for one in said] == [UPTIME, GIVEN]
    assert said[0].at is not None and abs(said[0].at - at) <= 200


def test_hellos_that_a_broker_held_back_for_hours_move_no_record_for_good(world: World) -> None:
    till = world.terminal()
    at = world.clock.now()
    head, message = till.head(), unset(till)
    pass_by(world, 8 * HOUR)
    world.deliver(till, head, kind="head")
    world.deliver(till, message)
    hello(world, till)
    (said,) = times(world)
    assert said.by == UPTIME and said.at is not None and abs(said.at - at) <= 400


def test_a_boot_that_never_was_heard_is_bounded_by_its_neighbours(world: World) -> None:
    till = world.terminal()
    before = world.clock.now()
    world.deliver(till, till.scan())
    pass_by(world, 2 * HOUR)
    till.power_cycle()
    began = pass_by(world, HOUR) - HOUR
    messages = [unset(till, CODES[1]), unset(till, CODES[2])]
    pass_by(world, 2 * HOUR)
    till.power_cycle()
    pass_by(world, HOUR)
    hello(world, till)
    world.deliver(till, *messages)
    world.deliver(till, till.scan(CODES[3]))
    said = times(world)
    assert [one.by for one in said] == [GIVEN, NEIGHBOURS, NEIGHBOURS, GIVEN]
    latest = began + 3 * HOUR
    assert said[1].at is not None and before < said[1].at < latest
    assert said[2].at is not None and 0 < said[2].at - said[1].at < 1_000, "what its uptime says holds within the boot"
    middle = (before + latest - HOUR) // 2 + HOUR
    assert abs(said[1].at - middle) <= 2_000


def test_two_boots_that_never_were_heard_stay_in_their_order(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.scan())
    messages: list[bytes] = []
    for code in CODES[1:4]:
        pass_by(world, 2 * HOUR)
        till.power_cycle()
        pass_by(world, 10 * MINUTE)
        messages.append(unset(till, code))
    pass_by(world, HOUR)
    till.power_cycle()
    hello(world, till)
    world.deliver(till, *reversed(messages))
    said = times(world)
    assert [one.by for one in said[1:]] == [NEIGHBOURS] * 3
    order = [one.at for one in said if one.at is not None]
    assert order == sorted(set(order))


def test_a_boot_with_nothing_before_it_has_the_time_of_its_receipt(world: World) -> None:
    till = world.terminal()
    message = unset(till)
    came = pass_by(world, HOUR)
    world.deliver(till, message)
    assert [(one.at, one.by) for one in times(world)] == [(came, RECEIPT)]


def test_a_terminal_whose_times_are_known_costs_no_look_at_others(world: World) -> None:
    till = world.terminal()
    message = unset(till)
    world.deliver(till, message)
    hello(world, till)
    world.deliver(till, till.scan(CODES[1]))
    with world.ledger.read() as connection:
        assert connection.scalar(sa.select(devices.c.adrift)) == 0


def test_each_order_of_arrival_ends_with_the_same_times(world: World) -> None:
    """Ten records of three boots, one of them never heard, in orders that several bridges and resends make."""
    till = world.terminal()
    made: list[bytes] = [till.scan()]
    for boot in range(2):
        pass_by(world, HOUR)
        till.power_cycle()
        for number in range(3):
            pass_by(world, MINUTE)
            made.append(unset(till, CODES[3 * boot + number + 1]))
    till.power_cycle()
    pass_by(world, HOUR)
    hello(world, till)
    made += [till.scan(code) for code in CODES[10:13]]
    orders = [[*made], [*reversed(made)], [*made[::2], *made[1::2]]]
    found: list[list[Said]] = []
    for order in orders:
        with world.ledger.write() as connection:
            for table in (scans,):
                connection.execute(sa.delete(table))
            connection.execute(sa.update(devices).values(upto=0, newest=0, newest_at=0, adrift=0, receipt_seq=0))
            connection.execute(sa.update(devices).values(receipt_digest=bytes(32)))
        for message in order:
            world.deliver(till, message)
        found.append(times(world))
    assert [one.by for one in found[0]] == [GIVEN, *[NEIGHBOURS] * 6, *[GIVEN] * 3]
    assert found[1:] == found[:1] * 2


def test_an_audit_counts_the_times_that_were_worked_out_and_finds_nothing_wrong(world: World) -> None:
    till = world.terminal()
    hello(world, till)
    world.deliver(till, till.scan(), unset(till, CODES[1]), unset(till, CODES[2]))
    world.settle()
    hello(world, till)
    found = audit(world.url, world.sites, world.clock.now())
    assert found.clean, found.lines()
    assert found.devices[0].times == {UPTIME: 2}
    assert "times worked out: 2 by uptime" in found.lines()[0]


def test_a_sites_report_says_how_its_times_are_known(world: World) -> None:
    till = world.terminal()
    hello(world, till)
    world.deliver(till, till.scan(), unset(till, CODES[1]), unset(till, CODES[2]))
    now = world.clock.now()
    assert reports.period(world.ledger, SITE, now - HOUR, now + 1).times == {GIVEN: 1, UPTIME: 2}


def test_evidence_of_a_day_goes_by_the_corrected_time(world: World) -> None:
    till = world.terminal()
    hello(world, till)
    world.deliver(till, unset(till))
    day = datetime.fromtimestamp(world.clock.now() / 1000, UTC).date().isoformat()
    with opened(world.url) as books:
        assert choice.of_day(books, day, SITE, "+00:00").chosen == {till.peer.device: [(1, 1)]}
        with pytest.raises(NotFound):
            choice.of_day(books, "2026-01-01", SITE, "+00:00")


def test_a_return_is_in_time_by_when_it_was_read_not_when_it_came(world: World) -> None:
    till = world.terminal()
    world.sites[SITE] = Site("Clinic 7", return_hours=24)
    world.sell(till, CODES[0])
    pass_by(world, 23 * HOUR)
    back = unset(till, operation=Operation.RETURN)
    pass_by(world, 10 * HOUR)
    hello(world, till)
    world.deliver(till, back)
    world.settle()
    assert till.outcomes()[-1] == (2, 0, 0)
