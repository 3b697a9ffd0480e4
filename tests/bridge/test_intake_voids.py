"""Taking a sale back: before it left, while the platform has it, and what can not be taken back."""

import pytest

from host_bridge.wire import Operation
from tests.bridge import shop
from tests.bridge.world import CODES, OTHER_SITE, World

ACCEPTED, REJECTED, DUPLICATE, PENDING, ERROR = 0, 1, 2, 3, 5


def test_void_before_the_sale_left_cancels_it_and_frees_the_code(world: World) -> None:
    till, other = world.terminal(), world.terminal("d-window-02", OTHER_SITE)
    world.deliver(till, till.scan(CODES[0]))
    world.deliver(till, till.void(1))
    world.settle()
    assert sorted(till.outcomes()) == [(1, REJECTED, 23), (2, ACCEPTED, 0)]
    assert world.platform.submitted == []
    world.sell(other, CODES[0])
    assert other.outcomes() == [(1, ACCEPTED, 0)]


def test_sale_and_its_void_in_one_batch(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.scan(CODES[0]), till.void(1), till.scan(CODES[0]))
    world.settle()
    assert sorted(till.outcomes()) == [(1, REJECTED, 23), (2, ACCEPTED, 0), (3, ACCEPTED, 0)]
    assert world.platform.submitted == ["d-window-01/3"]


def test_void_of_a_settled_sale_reverses_it_under_its_own_key(world: World) -> None:
    till = world.terminal()
    world.sell(till, CODES[0])
    world.deliver(till, till.void(1))
    world.settle()
    assert till.outcomes() == [(1, ACCEPTED, 0), (2, ACCEPTED, 0)]
    assert world.platform.submitted == ["d-window-01/1", "d-window-01/2"]
    assert world.platform.taken["d-window-01/2"].reverses == "d-window-01/1"
    assert world.platform.sold(CODES[0]) == 0
    world.sell(till, CODES[0])
    assert till.outcomes()[-1] == (3, ACCEPTED, 0)


def test_void_while_the_answer_is_unknown_waits_and_then_reverses(world: World) -> None:
    till = world.terminal()
    world.platform.loses_answers = True
    world.sell(till, CODES[0])
    world.deliver(till, till.void(1))
    world.later(1_000)
    assert sorted(till.outcomes()) == [(1, PENDING, 15), (2, PENDING, 14)]
    world.platform.loses_answers = False
    world.later(20_000)
    world.settle()
    assert sorted(till.outcomes()[2:]) == [(1, REJECTED, 23), (2, ACCEPTED, 0)]
    assert world.platform.sold(CODES[0]) == 0


def test_void_of_a_sale_that_turns_out_refused_has_nothing_to_reverse(world: World) -> None:
    till = world.terminal()
    world.platform.refuses[CODES[0]] = 2
    world.platform.loses_answers = True
    world.sell(till, CODES[0])
    world.deliver(till, till.void(1))
    world.platform.loses_answers = False
    world.later(20_000)
    world.settle()
    assert sorted(till.outcomes()[-2:]) == [(1, REJECTED, 23), (2, ACCEPTED, 0)]
    assert world.platform.submitted == ["d-window-01/1"]


def test_sale_stands_where_the_platform_refuses_to_reverse_it(world: World) -> None:
    till = world.terminal()
    world.platform.refuses_reversals = True
    world.sell(till, CODES[0])
    world.deliver(till, till.void(1))
    world.settle()
    assert till.outcomes() == [(1, ACCEPTED, 0), (2, REJECTED, 13)]
    world.sell(till, CODES[0])
    assert till.outcomes()[-1] == (3, DUPLICATE, 1)
    world.platform.refuses_reversals = False
    world.deliver(till, till.void(1))
    world.settle()
    assert till.outcomes()[-1] == (4, ACCEPTED, 0)


@pytest.mark.parametrize("settled", [True, False])
def test_second_void_of_the_same_sale_finds_nothing(world: World, settled: bool) -> None:
    till = world.terminal()
    world.sell(till, CODES[0])
    world.deliver(till, till.void(1))
    if settled:
        world.settle()
    world.deliver(till, till.void(1))
    assert till.outcomes()[-1] == (3, REJECTED, 22)


def test_void_of_what_is_not_there_finds_nothing(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.void(7))
    world.deliver(till, till.void(2))
    assert till.outcomes() == [(1, REJECTED, 22), (2, REJECTED, 22)]


def test_void_of_a_refused_sale_finds_nothing(world: World) -> None:
    till = world.terminal()
    world.sell(till, CODES[0], CODES[0])
    world.deliver(till, till.void(2))
    assert till.outcomes()[-1] == (3, REJECTED, 22)


def test_void_from_another_session_finds_nothing(world: World) -> None:
    till = world.terminal()
    shop.session(world, till, "S-1")
    world.deliver(till, till.scan(CODES[0], session="S-1"))
    world.deliver(till, till.void(1))
    world.deliver(till, till.void(1, session="S-2"))
    world.deliver(till, till.void(1, session="S-1"))
    assert sorted(till.outcomes()) == [(1, REJECTED, 23), (2, REJECTED, 22), (3, REJECTED, 22), (4, ACCEPTED, 0)]


def test_void_of_another_devices_record_finds_nothing(world: World) -> None:
    till, other = world.terminal(), world.terminal("d-window-02")
    world.sell(till, CODES[0])
    world.deliver(other, other.void(1))
    assert other.outcomes() == [(1, REJECTED, 22)]


def test_return_takes_the_sale_back_and_the_code_may_be_sold_again(world: World) -> None:
    till, other = world.terminal(), world.terminal("d-window-02")
    world.sell(till, CODES[0])
    world.deliver(other, other.scan(CODES[0], Operation.RETURN))
    world.settle()
    assert other.outcomes() == [(1, ACCEPTED, 0)]
    world.sell(other, CODES[0])
    assert other.outcomes()[-1] == (2, ACCEPTED, 0)


def test_return_of_a_sale_under_way_waits_for_it(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.scan(CODES[0]), till.scan(CODES[0], Operation.RETURN))
    world.settle()
    assert till.outcomes() == [(1, ACCEPTED, 0), (2, ACCEPTED, 0)]
    assert world.platform.sold(CODES[0]) == 0


def test_return_of_what_was_not_sold_here_is_refused(world: World) -> None:
    till, other = world.terminal(), world.terminal("d-window-02", OTHER_SITE)
    world.deliver(till, till.scan(CODES[1], Operation.RETURN))
    world.sell(till, CODES[0])
    world.deliver(other, other.scan(CODES[0], Operation.RETURN))
    assert till.outcomes()[0] == (1, REJECTED, 11)
    assert other.outcomes() == [(1, REJECTED, 11)]


def test_second_return_of_a_box_on_its_way_back_is_refused(world: World) -> None:
    till = world.terminal()
    world.sell(till, CODES[0])
    world.deliver(till, till.scan(CODES[0], Operation.RETURN), till.scan(CODES[0], Operation.RETURN))
    assert till.outcomes()[-1] == (3, REJECTED, 11)
