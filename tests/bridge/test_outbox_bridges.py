"""Several bridges, one outbox: a dead one's claims are taken up, a living one's never, and late answers harm nobody."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from host_bridge.errors import LedgerBusy
from host_bridge.ledger import open_ledger, outbox
from host_bridge.settlement.outbox import LEASE_MS, RENEW_S
from host_bridge.settlement.port import Answer, Submission
from host_bridge.settlement.reach import DOWN_AFTER, FIRST_WAIT_MS, JITTER, LONGEST_WAIT_MS, STALE_S, Reach
from tests.bridge.world import CODES, NOW, TestClock, World

ACCEPTED, PENDING = 0, 3
_WITHIN_MS = 60_000  # what a dead bridge held is answered by then


class _Killed(BaseException):
    pass


def _pair(world: World) -> World:
    second = World.beside(world)
    second.clock = world.clock
    second.start()
    return second


def _kill_in_call(world: World, *, taken: bool) -> None:
    """The bridge dies with its call on its way."""
    submit = world.platform.submit

    def killed(items: Sequence[Submission]) -> list[Answer]:
        if taken:
            submit(items)
        raise _Killed

    world.platform.submit = killed  # type: ignore[method-assign]
    with pytest.raises(_Killed):
        world.settle()
    world.platform.submit = submit  # type: ignore[method-assign]


@pytest.mark.parametrize("taken", [True, False])
def test_claims_of_a_dead_bridge_are_taken_up_within_a_minute(world: World, taken: bool) -> None:
    second = _pair(world)
    till = world.terminal()
    world.deliver(till, *(till.scan(code) for code in CODES[:10]))
    _kill_in_call(world, taken=taken)
    died = world.clock.now()
    while till.outcomes().count((10, ACCEPTED, 0)) == 0:
        second.clock.ms += 1_000
        second.settle()
        assert second.clock.now() - died < _WITHIN_MS
    assert world.platform.asked == [f"d-window-01/{seq}" for seq in range(1, 11)]
    assert all(world.platform.sold(code) == 1 for code in CODES[:10])
    assert sorted(one for one in till.outcomes() if one[1] == ACCEPTED) == [(seq, ACCEPTED, 0) for seq in range(1, 11)]


def test_claims_of_a_bridge_that_waits_long_for_an_answer_stay_its_own(world: World) -> None:
    second = _pair(world)
    submit = world.platform.submit

    def slow(items: Sequence[Submission]) -> list[Answer]:
        for _ in range(int(4 * LEASE_MS / 1000 / RENEW_S)):
            world.clock.ms += int(RENEW_S * 1000)
            assert not second.outbox.step()
            world.outbox.renew()
        return submit(items)

    world.platform.submit = slow  # type: ignore[method-assign]
    till = world.terminal()
    world.deliver(till, till.scan(CODES[0]))
    world.settle()
    assert (world.platform.submitted, world.platform.asked) == (["d-window-01/1"], [])
    assert till.outcomes() == [(1, ACCEPTED, 0)]


@pytest.mark.parametrize("late", ["accepted", "unknown"])
def test_late_answer_of_a_bridge_that_lost_its_claim_changes_nothing(world: World, late: str) -> None:
    second = _pair(world)
    submit = world.platform.submit

    def stalled(items: Sequence[Submission]) -> list[Answer]:
        told = submit(items)
        world.clock.ms += 2 * LEASE_MS  # the whole machine stood still: nothing was renewed
        second.settle()
        return told if late == "accepted" else [Answer(one.key, "unknown", 15) for one in items]

    world.platform.submit = stalled  # type: ignore[method-assign]
    till = world.terminal()
    world.deliver(till, till.scan(CODES[0]))
    world.settle()
    world.clock.ms += 2 * LEASE_MS
    world.settle()
    second.settle()
    assert till.outcomes() == [(1, ACCEPTED, 0)]
    assert (len(world.platform.submitted), len(world.platform.asked)) == (1, 1)


def test_late_silence_of_a_bridge_that_lost_its_claim_takes_nothing_back(world: World) -> None:
    second = _pair(world)
    submit = world.platform.submit

    def stalled(items: Sequence[Submission]) -> list[Answer]:
        world.platform.submit = submit  # type: ignore[method-assign]
        world.clock.ms += 2 * LEASE_MS
        second.outbox.step()  # asks: the platform never saw it, so it may be sent
        return [Answer(one.key, "unknown", 15) for one in items]

    world.platform.submit = stalled  # type: ignore[method-assign]
    till = world.terminal()
    world.deliver(till, till.scan(CODES[0]))
    world.outbox.step()
    second.settle()
    assert (world.platform.submitted, world.platform.asked) == (["d-window-01/1"], ["d-window-01/1"])


def test_what_another_bridge_took_up_during_a_call_is_not_submitted_after_it(world: World) -> None:
    second = _pair(world)
    submit = world.platform.submit
    world.platform.batch_limit = 1

    def stalled(items: Sequence[Submission]) -> list[Answer]:
        world.platform.submit = submit  # type: ignore[method-assign]
        told = submit(items)
        world.clock.ms += 2 * LEASE_MS
        second.settle()
        second.settle()
        return told

    world.platform.submit = stalled  # type: ignore[method-assign]
    till = world.terminal()
    world.deliver(till, till.scan(CODES[0]), till.scan(CODES[1]))
    world.settle()
    second.settle()
    assert sorted(world.platform.submitted) == ["d-window-01/1", "d-window-01/2"]
    assert sorted(one for one in till.outcomes() if one[1] == ACCEPTED) == [(1, ACCEPTED, 0), (2, ACCEPTED, 0)]


def test_two_bridges_claim_different_rows_and_neither_waits(database: str) -> None:
    ledgers = [open_ledger(database), open_ledger(database)]
    rows = [
        outbox.OutboxRow(
            f"d/{seq}", "sale", "waiting", "d", seq, bytes(32), f"c{seq}", "s", None, NOW, None, NOW, 0, NOW, None
        )
        for seq in range(30)
    ]
    with ledgers[0].write() as connection:
        outbox.insert(connection, rows)
    with ledgers[0].write() as one, ThreadPoolExecutor(1) as other:
        first = {row.key for row in outbox.claim(one, "waiting", "bridge-1", NOW, 10)}

        def claim() -> set[str]:
            with ledgers[1].write() as two:
                return {row.key for row in outbox.claim(two, "waiting", "bridge-2", NOW, 50)}

        second = other.submit(claim).result(5)
    assert (len(first), len(second), len(first | second)) == (10, 20, 30)
    for ledger in ledgers:
        ledger.close()


def test_what_left_while_it_was_being_taken_back_is_decided_again(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.scan(CODES[0]))
    with world.ledger.write() as connection:
        outbox.claim(connection, "waiting", "bridge-2", world.clock.now(), 1)
    with pytest.raises(LedgerBusy), world.ledger.write() as connection:
        outbox.cancel(connection, ["d-window-01/1"])


def test_waits_grow_to_a_limit_and_are_spread() -> None:
    clock = TestClock()
    reach = Reach(clock, random.Random(7))
    waits: list[float] = []
    for failures in range(1, 40):
        reach.judge([Answer("k", "unknown", 15)])
        longest = min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1)) / 1000
        assert JITTER[0] * longest - 0.001 <= reach.rest_s <= JITTER[1] * longest
        waits.append(round(reach.rest_s, 3))
    assert len(set(waits[10:])) > 20
    reach.judge([Answer("k", "unseen")])
    assert (reach.rest_s, reach.in_trouble) == (0.0, False)


def test_refused_connection_is_out_of_reach_at_once_and_a_lost_answer_is_not(world: World) -> None:
    till = world.terminal()
    world.platform.loses_answers = True
    world.sell(till, CODES[0])
    assert world.outbox.reachable
    world.later(1_000)
    world.settle()
    world.platform.reachable = False
    world.sell(till, CODES[1])
    assert not world.outbox.reachable
    world.platform.reachable, world.platform.loses_answers = True, False
    world.later(1_000)
    world.settle()
    assert world.outbox.reachable


def test_answers_lost_in_a_row_are_out_of_reach_until_that_is_old_news() -> None:
    clock = TestClock()
    reach = Reach(clock, random.Random(7))
    for failures in range(1, DOWN_AFTER + 1):
        assert reach.reachable
        reach.judge([Answer("k", "unknown", 15)])
        assert reach.reachable == (failures < DOWN_AFTER)
    clock.ms += int(STALE_S * 1000)
    assert reach.reachable
