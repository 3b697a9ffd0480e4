"""The platform fails in every way: nothing is sold twice, nothing is forgotten, waits grow and end."""

import pytest

from host_bridge.ledger import outbox
from host_bridge.settlement.port import Answer, Submission
from tests.bridge.world import CODES, World

ACCEPTED, REJECTED, DUPLICATE, PENDING, ERROR = 0, 1, 2, 3, 5


def _open(world: World) -> int:
    with world.ledger.read() as connection:
        return outbox.open_count(connection)


def test_lost_answer_is_asked_for_and_never_sent_again(world: World) -> None:
    till = world.terminal()
    world.platform.loses_answers = True
    world.sell(till, CODES[0])
    world.later(1_000)
    assert till.outcomes() == [(1, PENDING, 15)]
    world.settle()
    assert till.outcomes() == [(1, PENDING, 15), (1, ACCEPTED, 0)]
    assert world.platform.submitted == ["d-window-01/1"]
    assert world.platform.asked == ["d-window-01/1"]


def test_key_that_the_platform_never_saw_is_sent_under_the_same_key(world: World) -> None:
    till = world.terminal()
    world.platform.reachable = False
    world.sell(till, CODES[0])
    world.platform.reachable = True
    world.later(1_000)
    world.settle()
    assert world.platform.submitted == ["d-window-01/1"] * 2
    assert world.platform.asked == ["d-window-01/1"]
    assert till.outcomes()[-1] == (1, ACCEPTED, 0)


def test_platform_that_is_away_is_asked_ever_more_rarely(world: World) -> None:
    till = world.terminal()
    world.platform.reachable = False
    world.deliver(till, *[till.scan(code) for code in CODES])
    for _ in range(600):
        world.settle()
        world.later(1_000)
    calls = len(world.platform.submitted) + len(world.platform.asked)
    assert 60 <= calls <= 260
    assert _open(world) == len(CODES)


def test_outbox_empties_soon_after_the_platform_is_back(world: World) -> None:
    till = world.terminal()
    world.platform.reachable = False
    world.deliver(till, *[till.scan(code) for code in CODES])
    for _ in range(100):
        world.settle()
        world.later(1_000)
    world.platform.reachable = True
    world.later(10_000)
    world.settle()
    assert _open(world) == 0
    finals = [one for one in till.verdicts() if one.final]
    assert sorted(one.seq for one in finals) == list(range(1, len(CODES) + 1))


def test_one_call_carries_no_more_than_the_platform_takes(world: World) -> None:
    till = world.terminal()
    world.platform.batch_limit = 3
    sizes: list[int] = []
    submit = world.platform.submit

    def counted(items: list[Submission]) -> list[Answer]:
        sizes.append(len(items))
        return submit(items)

    world.platform.submit = counted  # type: ignore[assignment,method-assign]
    world.deliver(till, *[till.scan(code) for code in CODES[:8]])
    world.settle()
    assert sizes == [3, 3, 2]


def test_answer_that_is_missing_from_a_batch_is_unknown(world: World) -> None:
    submit = world.platform.submit
    world.platform.submit = lambda items: submit(items)[1:]  # type: ignore[method-assign]
    till = world.terminal()
    world.deliver(till, till.scan(CODES[0]), till.scan(CODES[1]))
    world.settle()
    assert till.outcomes() == [(2, ACCEPTED, 0)]
    world.later(1_000)
    world.settle()
    assert world.platform.asked == ["d-window-01/1"]
    assert till.outcomes()[-1] == (1, ACCEPTED, 0)


@pytest.mark.parametrize("taken", [True, False])
def test_power_cut_during_a_call_asks_before_it_sends_again(world: World, taken: bool) -> None:
    class PowerCut(BaseException):
        pass

    submit = world.platform.submit

    def cut(items: list[Submission]) -> list[Answer]:
        if taken:
            submit(items)
        raise PowerCut

    till = world.terminal()
    world.deliver(till, till.scan(CODES[0]))
    world.platform.submit = cut  # type: ignore[assignment,method-assign]
    with pytest.raises(PowerCut):
        world.settle()
    world.platform.submit = submit  # type: ignore[method-assign]
    world.start()
    world.settle()
    assert world.platform.asked == ["d-window-01/1"]
    assert world.platform.sold(CODES[0]) == 1
    assert till.outcomes() == [(1, ACCEPTED, 0)]


def test_restart_sends_the_pending_verdict_that_was_held_back(world: World) -> None:
    till = world.terminal()
    world.platform.reachable = False
    world.deliver(till, till.scan())
    world.start()
    world.later(900)
    assert till.outcomes() == [(1, PENDING, 14)]


def test_restart_sends_finals_that_the_broker_never_got(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.scan())
    world.outlet.down = True
    world.settle()
    world.outlet.down = False
    world.start()
    assert till.outcomes() == [(1, ACCEPTED, 0)]


def test_final_in_flight_is_not_sent_twice_by_the_same_run(world: World) -> None:
    till = world.terminal()
    world.outlet.silent = True
    world.deliver(till, till.scan())
    world.settle()
    world.later(60_000)
    assert till.outcomes() == [(1, ACCEPTED, 0)]


def test_final_that_the_broker_refuses_is_sent_again(world: World) -> None:
    till = world.terminal()
    world.outlet.refuses = True
    world.sell(till, CODES[0])
    world.outlet.refuses = False
    world.later(25_000)
    assert till.outcomes() == [(1, ACCEPTED, 0)] * 2  # refused, taken


def test_record_committed_and_never_acknowledged_is_not_decided_twice(world: World) -> None:
    till = world.terminal()
    message = till.scan(CODES[0])
    world.sell(till)
    world.deliver(till, message)
    world.start()
    world.deliver(till, message)
    world.settle()
    world.deliver(till, message)
    assert world.platform.submitted == ["d-window-01/1"]
    assert till.outcomes()[-1] == (1, ACCEPTED, 0)


def test_what_follows_a_call_without_an_answer_is_not_sent_and_not_asked_about(world: World) -> None:
    world.platform.batch_limit = 2
    world.platform.reachable = False
    till = world.terminal()
    world.deliver(till, *(till.scan(code) for code in CODES[:7]))
    world.settle()
    assert world.platform.submitted == [f"{till.peer.device}/1", f"{till.peer.device}/2"]
    world.platform.reachable = True
    world.later(20_000)
    world.settle()
    assert len(world.platform.taken) == 7
    assert set(world.platform.asked) <= {f"{till.peer.device}/1", f"{till.peer.device}/2"}


def test_outbox_sleeps_while_a_submission_rests_longer_than_its_platform(world: World) -> None:
    world.platform.reachable = False
    terminal = world.terminal()
    world.deliver(terminal, terminal.scan())
    end, rounds = world.clock.ms + 300_000, 0
    while world.clock.ms < end:
        rounds += 1
        busy = world.outbox.step()
        world.clock.ms += 1 if busy else max(1, int(world.outbox.idle_s() * 1000))
    assert len(world.platform.submitted) + len(world.platform.asked) > 5
    assert rounds < 100
