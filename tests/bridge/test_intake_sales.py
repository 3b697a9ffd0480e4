"""A sale from its bytes to its verdict: what is decided, in which order, and what is said when."""

import pytest

from host_bridge.wire import Family, Operation, Outcome, digest
from tests.bridge.world import CODES, OTHER_SITE, World

ACCEPTED, REJECTED, DUPLICATE, PENDING, ERROR = 0, 1, 2, 3, 5


def test_sale_is_accepted_once_the_platform_took_it(world: World) -> None:
    till = world.terminal()
    message = till.scan(CODES[0])
    world.deliver(till, message)
    assert till.verdicts() == []
    world.settle()
    (verdict,) = till.verdicts()
    assert (verdict.seq, verdict.digest, verdict.outcome) == (1, digest(message), Outcome.ACCEPTED)
    assert verdict.final
    assert verdict.kept
    assert world.platform.sold(CODES[0]) == 1
    assert world.acked == [message]


def test_second_sale_at_the_same_site_is_a_duplicate_here(world: World) -> None:
    till = world.terminal()
    world.sell(till, CODES[0], CODES[0])
    assert till.outcomes() == [(1, ACCEPTED, 0), (2, DUPLICATE, 1)]


def test_second_sale_elsewhere_is_rejected(world: World) -> None:
    till, other = world.terminal(), world.terminal("d-window-02", OTHER_SITE)
    world.sell(till, CODES[0])
    world.sell(other, CODES[0])
    assert other.outcomes() == [(1, REJECTED, 2)]


def test_same_code_twice_in_one_batch_is_accepted_once(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.scan(CODES[0]), till.scan(CODES[0]))
    world.settle()
    assert sorted(till.outcomes()) == [(1, ACCEPTED, 0), (2, DUPLICATE, 1)]
    assert world.platform.submitted == ["d-window-01/1"]


def test_code_that_the_platform_refuses_may_be_tried_again(world: World) -> None:
    till = world.terminal()
    world.platform.refuses[CODES[0]] = 3
    world.sell(till, CODES[0])
    world.platform.refuses.clear()
    world.sell(till, CODES[0])
    assert till.outcomes() == [(1, REJECTED, 3), (2, ACCEPTED, 0)]
    assert till.verdicts()[0].text == "not with us"


def test_platform_that_knows_of_a_sale_here_makes_a_duplicate(world: World) -> None:
    till = world.terminal()
    world.platform.refuses[CODES[0]] = 1
    world.sell(till, CODES[0])
    assert till.outcomes() == [(1, DUPLICATE, 1)]


def test_gs1_code_is_the_same_box_in_any_order_of_its_elements(world: World) -> None:
    till = world.terminal()
    one = b"01069012345678922112345ABC\x1d17270101\x1d10LOT"
    two = b"\x1d0106901234567892172701012112345ABC"
    for data in (one, two):
        world.deliver(till, till.scan(data=data, family=Family.GS1))
        world.settle()
    assert till.outcomes() == [(1, ACCEPTED, 0), (2, DUPLICATE, 1)]
    assert world.platform.taken["d-window-01/1"].code == "01069012345678922112345ABC"


@pytest.mark.parametrize(
    ("data", "family"),
    [
        (b"833865200019416533", Family.TWENTY_DIGIT),
        (b"0106901234567892", Family.GS1),
        (b"\xff\xfe", Family.MAKERS_OWN),
    ],
)
def test_data_that_is_no_box_is_kept_and_claims_nothing(world: World, data: bytes, family: Family) -> None:
    till = world.terminal()
    world.deliver(till, till.scan(data=data, family=family))
    world.settle()
    assert till.outcomes() == [(1, ERROR, 20)]
    assert till.verdicts()[0].kept
    assert world.platform.submitted == []


def test_site_never_given_claims_no_code(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.scan(site="elsewhere"))
    assert till.outcomes() == [(1, ERROR, 20)]
    assert world.platform.submitted == []


def test_record_of_a_former_site_counts_there(world: World) -> None:
    till, neighbour = world.terminal(), world.terminal("d-window-02")
    backlog = till.scan(CODES[0])
    world.registry.move("d-window-01", OTHER_SITE)
    till.site = OTHER_SITE
    world.deliver(till, backlog)
    world.settle()
    assert till.outcomes() == [(1, ACCEPTED, 0)]
    world.sell(neighbour, CODES[0])
    assert neighbour.outcomes() == [(1, DUPLICATE, 1)]


def test_pending_goes_out_at_the_deadline_and_the_final_one_follows(world: World) -> None:
    till = world.terminal()
    world.platform.reachable = False
    world.deliver(till, till.scan())
    world.settle()
    world.later(899)
    assert till.verdicts() == []
    world.later(1)
    assert till.outcomes() == [(1, PENDING, 14)]
    assert not till.verdicts()[0].final
    world.platform.reachable = True
    world.later(20_000)
    world.settle()
    assert till.outcomes() == [(1, PENDING, 14), (1, ACCEPTED, 0)]


def test_answer_in_time_sends_no_pending(world: World) -> None:
    till = world.terminal()
    world.sell(till, CODES[0])
    world.later(5_000)
    assert till.outcomes() == [(1, ACCEPTED, 0)]


def test_final_after_pending_comes_once_more_after_the_next_head(world: World) -> None:
    till = world.terminal()
    world.platform.reachable = False
    world.deliver(till, till.scan())
    world.settle()
    world.later(1_000)
    world.platform.reachable = True
    world.later(20_000)
    world.settle()
    world.later(2_000)
    for _ in range(3):
        world.deliver(till, till.head(), kind="head")
        world.later(2_000)
    assert till.outcomes() == [(1, PENDING, 14), (1, ACCEPTED, 0), (1, ACCEPTED, 0)]


def test_final_is_sent_until_the_broker_has_it(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.scan())
    world.outlet.down = True
    world.settle()
    world.later(20_000)
    assert till.verdicts() == []
    world.outlet.down = False
    world.later(11_000)
    assert till.outcomes() == [(1, ACCEPTED, 0)]


def test_query_is_answered_by_the_platform_and_claims_nothing(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.scan(operation=Operation.QUERY))
    world.settle()
    world.platform.refuses[CODES[1]] = 24
    world.deliver(till, till.scan(CODES[1], Operation.QUERY))
    world.settle()
    world.platform.refuses.clear()
    world.sell(till, CODES[0])
    world.deliver(till, till.scan(CODES[0], Operation.QUERY))
    assert till.outcomes() == [(1, ACCEPTED, 0), (2, REJECTED, 24), (3, ACCEPTED, 0), (4, DUPLICATE, 1)]


def test_goods_in_and_counted_are_accepted_at_once(world: World) -> None:
    till = world.terminal()
    for operation in (Operation.RECEIVE, Operation.STOCK_TAKE, Operation.DISPATCH):
        world.deliver(till, till.scan(operation=operation))
    assert [outcome for _, outcome, _ in till.outcomes()] == [ACCEPTED] * 3


def test_end_of_a_session_that_nobody_opened_is_rejected(world: World) -> None:
    till = world.terminal()
    end = till.scan("END", Operation.SESSION_END, session="S-1", family=Family.CONTROL)
    world.deliver(till, end)
    assert till.outcomes() == [(1, REJECTED, 16)]
