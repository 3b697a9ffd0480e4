"""Clocks that are wrong, and nonsense for times: neither is believed, and neither stops anything."""

import pytest

from host_bridge.ledger.times import GIVEN, NEIGHBOURS, RECEIPT, UPTIME
from host_bridge.wire import Clock
from tests.bridge.timed import DAY, HOUR, MINUTE, hello, pass_by, times, unset
from tests.bridge.world import CODES, World

DEEP = (1 << 63) - 1


@pytest.mark.parametrize("clock", [Clock.KEPT, Clock.SYNCHRONISED])
def test_a_clock_that_is_ahead_of_what_was_heard_is_not_believed(world: World, clock: Clock) -> None:
    till = world.terminal()
    at = pass_by(world, 10 * MINUTE)
    message = till.scan(captured_at=at + 4 * HOUR, clock=clock)
    pass_by(world, 6 * HOUR)
    hello(world, till)
    world.deliver(till, message)
    (said,) = times(world)
    assert said.own == at + 4 * HOUR
    assert said.by == UPTIME and said.at is not None and abs(said.at - at) <= 200


def test_a_clock_that_steps_back_amid_a_boot_is_put_right_by_the_records_before(world: World) -> None:
    till = world.terminal()
    hello(world, till)
    world.deliver(till, till.scan())
    at = pass_by(world, HOUR)
    world.deliver(till, till.scan(CODES[1], captured_at=at - DAY))
    said = times(world)[1]
    assert (said.own, said.by) == (at - DAY, UPTIME)
    assert said.at is not None and abs(said.at - at) <= 200


def test_a_clock_that_was_wrong_before_it_was_set_right_holds_nothing_up(world: World) -> None:
    till = world.terminal()
    at = world.clock.now()
    wrong, right = till.scan(captured_at=at + 2 * HOUR, clock=Clock.KEPT), till.scan(CODES[1])
    pass_by(world, 3 * HOUR)
    world.deliver(till, wrong, right)
    pass_by(world, MINUTE)
    world.deliver(till, till.scan(CODES[2]))
    said = times(world)
    assert [(one.at, one.by) for one in said[1:]] == [(at, GIVEN), (world.clock.now(), GIVEN)]


def test_a_clock_that_drifts_for_months_is_believed(world: World) -> None:
    till = world.terminal()
    for _ in range(100):
        hello(world, till)
        pass_by(world, DAY)
        till.uptime += 9 * DAY // 10_000  # 900 ppm fast
    world.deliver(till, till.scan())
    assert times(world)[0].by == GIVEN


NONSENSE: list[dict[str, object]] = [
    {"captured_at": 0},
    {"captured_at": 1},
    {"captured_at": 946_684_800_000},  # 2000: what an ESP32 counts from
    {"captured_at": DEEP},
    {"captured_at": DEEP, "clock": Clock.NEVER_SET},
    {"uptime": DEEP, "clock": Clock.NEVER_SET},
    {"uptime": 0, "clock": Clock.NEVER_SET},
    {"boot": DEEP, "clock": Clock.NEVER_SET},
    {"boot": 0, "clock": Clock.NEVER_SET},
    {"boot": DEEP, "uptime": DEEP, "captured_at": 0, "clock": Clock.KEPT},
]


def test_nonsense_never_stops_intake_and_never_is_a_time(world: World) -> None:
    till = world.terminal()
    start = world.clock.now()
    for number, wrong in enumerate(NONSENSE):
        messages = [till.scan(CODES[number], **wrong), till.scan(CODES[20 + number], **wrong)]  # type: ignore[arg-type]
        if number % 2:
            messages.reverse()
        world.deliver(till, *messages)
        pass_by(world, MINUTE)
        hello(world, till)
    world.settle()
    assert len(till.outcomes()) == 2 * len(NONSENSE)
    assert len(world.acked) == 3 * len(NONSENSE)
    for said in times(world):
        assert said.at is not None and 0 <= said.at <= world.clock.now()
        assert said.by in (UPTIME, NEIGHBOURS, RECEIPT)
    last = times(world)[-1]
    assert last.at is not None and last.at >= start - MINUTE


def test_heads_of_nonsense_bound_nothing_wrongly(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.head(boot=1, uptime=DEEP), kind="head")
    at = world.clock.now()
    world.deliver(till, till.scan(boot=2))
    assert times(world)[0][1:] == (at, GIVEN)
    world.deliver(till, unset(till, CODES[1]))
    assert len(till.outcomes()) == 1 or till.outcomes()[-1][0] == 2
