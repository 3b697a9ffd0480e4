"""Taking a return back: its sale stands again, at the platform and in the ledger, unless the box has moved on."""

import pytest

from host_bridge.config import Site
from host_bridge.wire import Operation
from tests.bridge import shop
from tests.bridge.shop import boxes, pieces
from tests.bridge.world import CODES, OTHER_SITE, SITE, Terminal, World

ACCEPTED, REJECTED, DUPLICATE, PENDING = 0, 1, 2, 3
BOX, SECOND, CASE = CODES[:3]
HOUR_MS = 3_600_000


def give_back(world: World, till: Terminal, code: str = BOX, session: str | None = None) -> int:
    """A return, answered; its seq."""
    world.deliver(till, till.scan(code, Operation.RETURN, session=session))
    world.settle()
    return till.seq


def void(world: World, till: Terminal, target: int, session: str | None = None) -> tuple[int, int]:
    """A void, answered; outcome and reason."""
    world.deliver(till, till.void(target, session=session))
    world.settle()
    return told(till, till.seq)


def told(till: Terminal, seq: int) -> tuple[int, int]:
    """The last verdict on a record."""
    return [(outcome, reason) for at, outcome, reason in till.outcomes() if at == seq][-1]


def test_the_sale_stands_again_for_platform_and_ledger(world: World) -> None:
    till, other = world.terminal(), world.terminal("d-window-02", OTHER_SITE)
    world.sell(till, BOX)
    sold_at = world.clock.now()
    world.clock.ms += HOUR_MS
    back = give_back(world, till)
    assert void(world, till, back) == (ACCEPTED, 0)
    assert world.platform.submitted == [f"d-window-01/{seq}" for seq in (1, 2, 3)]
    again = world.platform.taken["d-window-01/3"]
    assert (again.kind, again.code, again.reverses, again.captured_at) == ("sale", BOX, None, sold_at)
    assert (shop.code(world, BOX), shop.stock(world, [BOX])) == (("sold", 0), [None])
    world.sell(till, BOX)
    world.sell(other, BOX)
    assert (told(till, 4), told(other, 1)) == ((DUPLICATE, 1), (REJECTED, 2))
    assert void(world, till, back) == (REJECTED, 22)
    assert void(world, till, 3) == (REJECTED, 22)
    assert void(world, till, 1) == (REJECTED, 22)


def test_a_sale_that_stands_again_is_returned_as_any_other(world: World) -> None:
    till = world.terminal()
    world.sell(till, BOX)
    void(world, till, give_back(world, till))
    assert told(till, give_back(world, till)) == (ACCEPTED, 0)
    assert world.platform.taken["d-window-01/4"].reverses == "d-window-01/3"
    assert world.platform.sold(BOX) == 0
    assert void(world, till, 4) == (ACCEPTED, 0)
    assert told(till, give_back(world, till)) == (ACCEPTED, 0)
    world.sell(till, BOX)
    assert told(till, till.seq) == (ACCEPTED, 0)


def test_the_hours_for_a_return_count_from_the_sale_itself(world: World) -> None:
    till = world.terminal()
    world.sell(till, BOX)
    world.clock.ms += 239 * HOUR_MS
    void(world, till, give_back(world, till))
    world.clock.ms += 2 * HOUR_MS
    assert told(till, give_back(world, till)) == (REJECTED, 11)


@pytest.mark.parametrize("site", [SITE, OTHER_SITE])
def test_what_was_sold_again_since_is_not_taken_from_its_buyer(world: World, site: str) -> None:
    till, other = world.terminal(), world.terminal("d-window-02", site)
    world.sell(till, BOX)
    back = give_back(world, till)
    world.sell(other, BOX)
    assert void(world, till, back) == (REJECTED, 22)
    assert world.platform.sold(BOX) == 1
    assert told(other, 1) == (ACCEPTED, 0)


@pytest.mark.parametrize(("site", "operation"), [(OTHER_SITE, Operation.RECEIVE), (SITE, Operation.DISPATCH)])
def test_what_left_the_shelf_since_is_not_there_to_be_sold_again(world: World, site: str, operation: Operation) -> None:
    till, dock = world.terminal(), world.terminal("d-dock-01", site)
    world.sell(till, BOX)
    back = give_back(world, till)
    world.deliver(dock, dock.scan(BOX, operation))
    assert void(world, till, back) == (REJECTED, 22)


def test_a_box_whose_case_was_sold_since_does_not_stand_beside_it(world: World) -> None:
    till = world.terminal()
    world.sites[SITE] = Site("Clinic 7", sales_level=3)
    shop.unit(world, CASE, level=3)
    shop.unit(world, BOX, parent=CASE)
    world.sell(till, BOX)
    back = give_back(world, till)
    world.sell(till, CASE)
    assert void(world, till, back) == (REJECTED, 22)


def test_sale_return_and_void_in_one_batch_leave_the_sale(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.scan(BOX), till.scan(BOX, Operation.RETURN), till.void(2), till.scan(BOX))
    world.settle()
    assert sorted(till.outcomes()) == [(1, ACCEPTED, 0), (2, REJECTED, 23), (3, ACCEPTED, 0), (4, DUPLICATE, 1)]
    assert world.platform.submitted == ["d-window-01/1"]
    assert told(till, give_back(world, till)) == (ACCEPTED, 0)


def test_a_return_that_never_left_is_cancelled(world: World) -> None:
    till = world.terminal()
    world.sell(till, BOX)
    world.deliver(till, till.scan(BOX, Operation.RETURN))
    assert void(world, till, 2) == (ACCEPTED, 0)
    assert (told(till, 2), world.platform.sold(BOX)) == ((REJECTED, 23), 1)
    assert told(till, give_back(world, till)) == (ACCEPTED, 0)


@pytest.mark.parametrize("refused", [False, True])
def test_a_return_whose_answer_is_unknown_is_asked_about_first(world: World, refused: bool) -> None:
    till = world.terminal()
    world.sell(till, BOX)
    world.platform.loses_answers, world.platform.refuses_reversals = True, refused
    give_back(world, till)
    world.deliver(till, till.void(2), till.scan(BOX))
    world.later(1_000)
    assert sorted(till.outcomes()[1:]) == [(2, PENDING, 15), (3, PENDING, 14), (4, DUPLICATE, 1)]
    world.deliver(till, till.scan(BOX, Operation.RETURN))
    assert told(till, 5) == (REJECTED, 11)  # it is not known yet which sale there is to return
    world.platform.loses_answers = False
    world.later(40_000)
    world.settle()
    assert (told(till, 2), told(till, 3)) == ((REJECTED, 23), (ACCEPTED, 0))
    assert world.platform.sold(BOX) == 1
    assert world.platform.submitted == [f"d-window-01/{seq}" for seq in ((1, 2) if refused else (1, 2, 3))]
    world.platform.refuses_reversals = False
    assert told(till, give_back(world, till)) == (ACCEPTED, 0)
    assert world.platform.sold(BOX) == 0


@pytest.mark.parametrize("known", [True, False])
def test_where_the_platform_does_not_take_the_sale_anew_the_return_stands(world: World, known: bool) -> None:
    till = world.terminal()
    world.sell(till, BOX)
    world.platform.loses_answers = not known
    back = give_back(world, till)
    world.platform.loses_answers, world.platform.refuses[BOX] = False, 13
    world.deliver(till, till.void(back))
    world.later(40_000)
    world.settle()
    assert (told(till, 2), told(till, 3)) == ((ACCEPTED, 0), (REJECTED, 13))
    assert (shop.code(world, BOX), shop.stock(world, [BOX])) == (("free", 0), [SITE])
    world.platform.refuses.clear()
    assert void(world, till, back) == (ACCEPTED, 0)


def test_a_return_of_the_sale_under_way_again_waits_for_it(world: World) -> None:
    till = world.terminal()
    world.sell(till, BOX)
    back = give_back(world, till)
    world.deliver(till, till.void(back), till.scan(BOX, Operation.RETURN))
    world.settle()
    assert (told(till, 3), told(till, 4)) == ((ACCEPTED, 0), (ACCEPTED, 0))
    assert world.platform.sold(BOX) == 0


def test_its_line_counts_it_again_and_who_pays_is_told_again(world: World) -> None:
    till = world.terminal()
    shop.product(world)
    shop.session(world, till, "S-1", boxes(1), payer="self-pay")
    world.deliver(till, till.scan(BOX, session="S-1"))
    back = give_back(world, till, session="S-1")
    assert (shop.lines(world), void(world, till, back, "S-1"), shop.lines(world)) == ([0], (ACCEPTED, 0), [1])
    assert {one.payer for one in world.platform.taken.values()} == {"self-pay"}
    back = give_back(world, till, session="S-1")
    assert shop.lines(world) == [0]
    world.deliver(till, till.scan(SECOND, session="S-1"))
    assert void(world, till, back, "S-1") == (REJECTED, 22)  # the line has another box now
    shop.session(world, till, "S-2")
    assert void(world, till, back, "S-2") == (REJECTED, 22)


@pytest.mark.parametrize("others", [0, 1])
def test_a_part_of_an_opened_box_is_dispensed_again(world: World, others: int) -> None:
    till = world.terminal()
    shop.product(world, content=3)
    shop.session(world, till, "S-1", pieces(3))
    for _ in range(others + 1):
        world.deliver(till, till.scan(BOX, session="S-1"))
        world.settle()
    back = give_back(world, till, session="S-1")
    assert (shop.code(world, BOX)[1], shop.lines(world)) == (others, [others])
    assert void(world, till, back, "S-1") == (ACCEPTED, 0)
    assert (shop.code(world, BOX), shop.lines(world)) == (("opened", others + 1), [others + 1])
    for _ in range(others + 1):
        assert told(till, give_back(world, till, session="S-1")) == (ACCEPTED, 0)
    assert (shop.code(world, BOX), shop.lines(world)) == (("free", 0), [0])
    assert told(till, give_back(world, till, session="S-1")) == (REJECTED, 11)
