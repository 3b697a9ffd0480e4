"""What a session makes of a sale: in force or not, its lines, who pays, boxes that are dispensed in parts."""

import pytest

from host_bridge.config import Site
from host_bridge.wire import Family, Operation
from tests.bridge import shop
from tests.bridge.shop import boxes, pieces
from tests.bridge.world import CODES, OTHER_SITE, SITE, Terminal, World

ACCEPTED, REJECTED, DUPLICATE, PENDING = 0, 1, 2, 3
BOX, SECOND, THIRD = CODES[:3]
MINUTE_MS = 60_000


def sell(world: World, till: Terminal, *codes: str, session: str | None = "S-1") -> list[tuple[int, int]]:
    """Sales in a session, one by one; (outcome, reason) of each."""
    before = len(till.outcomes())
    for code in codes:
        world.deliver(till, till.scan(code, session=session))
        world.settle()
    return [told[1:] for told in till.outcomes()[before:]]


def test_a_session_has_to_be_in_force(world: World) -> None:
    till, other = world.terminal(), world.terminal("d-window-02")
    assert sell(world, till, BOX) == [(REJECTED, 16)]
    shop.session(world, till, minutes=30)
    assert sell(world, other, BOX) == [(REJECTED, 16)]
    assert sell(world, till, BOX) == [(ACCEPTED, 0)]
    world.clock.ms += 31 * MINUTE_MS
    late = till.scan(SECOND, session="S-1")
    world.deliver(till, late)
    shop.close(world)
    assert sell(world, till, THIRD) == [(REJECTED, 16)]
    assert [one[1:] for one in till.outcomes()] == [(REJECTED, 16), (ACCEPTED, 0), (REJECTED, 16), (REJECTED, 16)]


@pytest.mark.parametrize("kind", ["receive", "stock-take", "return", "query", "dispatch"])
def test_a_sale_counts_in_a_session_for_sales_alone(world: World, kind: str) -> None:
    till = world.terminal()
    shop.session(world, till, kind=kind)
    assert sell(world, till, BOX) == [(REJECTED, 16)]
    assert world.platform.submitted == []


def test_a_stock_takes_scan_counts_in_a_session_for_stock_takes_alone(world: World) -> None:
    gun, other = world.terminal(), world.terminal("d-window-02")
    shop.session(world, gun, "S-1")
    shop.session(world, other, "S-2", kind="stock-take")
    for session in ("S-1", "S-2", None):
        world.deliver(gun, gun.scan(BOX, Operation.STOCK_TAKE, session=session))
    shop.session(world, gun, "S-3", kind="stock-take")
    late = gun.scan(BOX, Operation.STOCK_TAKE, session="S-3")
    shop.close(world, "S-3")
    world.deliver(gun, late)  # it was read before the end
    assert gun.outcomes() == [(1, REJECTED, 16), (2, ACCEPTED, 0), (3, ACCEPTED, 0), (4, ACCEPTED, 0)]


@pytest.mark.parametrize("operation", [Operation.RETURN, Operation.RECEIVE, Operation.DISPATCH, Operation.QUERY])
def test_what_hangs_on_the_code_alone_is_taken_in_any_session(world: World, operation: Operation) -> None:
    till = world.terminal()
    shop.session(world, till, "S-1")
    sell(world, till, SECOND)
    shop.session(world, till, "S-2", kind="stock-take")
    code = SECOND if operation is Operation.RETURN else BOX
    world.deliver(till, till.scan(code, operation, session="S-2"))
    world.settle()
    assert till.outcomes()[-1] == (2, ACCEPTED, 0)


def test_a_site_may_require_a_session(world: World) -> None:
    till = world.terminal()
    world.sites[SITE] = Site("Clinic 7", require_session=True)
    shop.session(world, till)
    assert sell(world, till, BOX, session=None) == [(REJECTED, 16)]
    assert sell(world, till, BOX) == [(ACCEPTED, 0)]


def test_a_sale_behind_the_sessions_end_in_one_batch_is_refused(world: World) -> None:
    till = world.terminal()
    shop.session(world, till)
    end = till.scan("END", Operation.SESSION_END, session="S-1", family=Family.CONTROL)
    world.deliver(till, end, till.scan(BOX, session="S-1"))
    assert till.outcomes() == [(1, ACCEPTED, 0), (2, REJECTED, 16)]


def test_what_is_not_on_the_lines_is_a_substitution(world: World) -> None:
    till = world.terminal()
    shop.product(world, "P-1")
    shop.product(world, "P-2", prefix="8111111")
    shop.session(world, till, "S-1", boxes(5), expects=True)
    assert sell(world, till, "81111110000000000001") == [(REJECTED, 7)]
    assert sell(world, till, "89999990000000000001") == [(REJECTED, 7)]
    assert sell(world, till, BOX) == [(ACCEPTED, 0)]
    shop.session(world, till, "S-2", boxes(5))
    assert sell(world, till, "81111110000000000001", session="S-2") == [(ACCEPTED, 0)]


def test_a_full_line_takes_no_more_until_something_comes_back(world: World) -> None:
    till = world.terminal()
    shop.product(world)
    shop.session(world, till, "S-1", boxes(2))
    world.deliver(till, *(till.scan(code, session="S-1") for code in (BOX, SECOND, THIRD)))
    assert till.outcomes() == [(3, REJECTED, 19)]
    world.deliver(till, till.void(1, session="S-1"), till.scan(THIRD, session="S-1"))
    world.settle()
    assert shop.lines(world) == [2]
    world.deliver(till, till.void(5, session="S-1"))  # its sale is settled by now
    world.settle()
    assert shop.lines(world) == [1]
    world.platform.refuses[BOX] = 13
    assert sell(world, till, BOX) == [(REJECTED, 13)]
    assert shop.lines(world) == [1]


def test_a_return_makes_room_only_while_its_session_is_open(world: World) -> None:
    till = world.terminal()
    shop.product(world)
    shop.session(world, till, "S-1", boxes(2))
    sell(world, till, BOX, SECOND)
    world.deliver(till, till.scan(BOX, Operation.RETURN))
    world.settle()
    assert shop.lines(world) == [1]
    shop.close(world)
    world.deliver(till, till.scan(SECOND, Operation.RETURN))
    world.settle()
    assert shop.lines(world) == [1]


@pytest.mark.parametrize("payer", ["insured", "self-pay", "work-injury"])
def test_the_platform_is_told_who_pays_for_sale_and_return(world: World, payer: str) -> None:
    till = world.terminal()
    shop.session(world, till, payer=payer)
    sell(world, till, BOX)
    world.deliver(till, till.scan(BOX, Operation.RETURN))
    world.settle()
    assert [one.payer for one in world.platform.taken.values()] == [payer, payer]


def test_a_split_box_is_dispensed_in_parts_until_it_is_used_up(world: World) -> None:
    till, other = world.terminal(), world.terminal("d-window-02", OTHER_SITE)
    shop.product(world, content=3)
    shop.session(world, till, "S-1", pieces(2))
    shop.session(world, till, "S-2", pieces(9))
    assert sell(world, till, BOX, BOX) == [(ACCEPTED, 0), (ACCEPTED, 0)]
    assert sell(world, till, BOX) == [(REJECTED, 19)]  # the line is full
    assert sell(world, till, BOX, session=None) == [(DUPLICATE, 1)]
    world.sell(other, BOX)
    assert other.outcomes() == [(1, REJECTED, 2)]
    assert sell(world, till, BOX, BOX, session="S-2") == [(ACCEPTED, 0), (REJECTED, 19)]  # used up
    assert [one.split for one in world.platform.taken.values()] == [True] * 3
    assert shop.code(world, BOX) == ("opened", 3)


def test_parts_come_back_one_by_one_the_last_first(world: World) -> None:
    till = world.terminal()
    shop.product(world, content=3)
    shop.session(world, till, "S-1", pieces(3))
    sell(world, till, BOX, BOX, BOX)
    for _ in range(3):
        world.deliver(till, till.scan(BOX, Operation.RETURN))
        world.settle()
    taken = world.platform.taken
    assert [taken[f"d-window-01/{seq}"].reverses for seq in (4, 5, 6)] == [f"d-window-01/{seq}" for seq in (3, 2, 1)]
    assert all(one.split for one in taken.values())
    assert (shop.code(world, BOX), shop.stock(world, [BOX]), shop.lines(world)) == (("free", 0), [SITE], [0])
    world.deliver(till, till.scan(BOX, Operation.RETURN))
    assert till.outcomes()[-1] == (7, REJECTED, 11)


def test_parts_returned_in_one_batch_are_different_parts(world: World) -> None:
    till = world.terminal()
    shop.product(world, content=3)
    shop.session(world, till, "S-1", pieces(3))
    world.deliver(till, *(till.scan(BOX, session="S-1") for _ in range(2)))
    world.deliver(till, *(till.scan(BOX, Operation.RETURN) for _ in range(3)))
    world.settle()
    assert sorted(till.outcomes())[2:] == [(3, ACCEPTED, 0), (4, ACCEPTED, 0), (5, REJECTED, 11)]
    assert shop.code(world, BOX) == ("free", 0)


def test_a_part_that_the_platform_refuses_or_that_is_voided_leaves_the_others(world: World) -> None:
    till = world.terminal()
    shop.product(world, content=4)
    shop.session(world, till, "S-1", pieces(4))
    sell(world, till, BOX)
    world.platform.refuses[BOX] = 13
    assert sell(world, till, BOX) == [(REJECTED, 13)]
    world.platform.refuses.clear()
    world.deliver(till, till.scan(BOX, session="S-1"), till.void(3, session="S-1"))
    world.settle()
    assert (shop.code(world, BOX), shop.lines(world)) == (("opened", 1), [1])
    world.deliver(till, till.void(1, session="S-1"))
    world.settle()
    assert (shop.code(world, BOX), shop.lines(world)) == (("free", 0), [0])


def test_whole_boxes_fill_whole_lines_before_one_is_opened(world: World) -> None:
    till = world.terminal()
    shop.product(world, content=2)
    shop.session(world, till, "S-1", pieces(2, line=1), boxes(1, line=2))
    assert sell(world, till, BOX, SECOND) == [(ACCEPTED, 0), (ACCEPTED, 0)]
    assert [shop.code(world, code)[0] for code in (BOX, SECOND)] == ["sold", "opened"]
    assert shop.lines(world) == [1, 1]
