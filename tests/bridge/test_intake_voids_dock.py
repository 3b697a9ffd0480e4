"""Taking back what a scan at a dock or of a stock-take did, unless the goods have moved on since."""

import pytest

from host_bridge import deliveries, stock_take
from host_bridge.wire import Family, Operation
from tests.bridge import shop
from tests.bridge.world import CODES, OTHER_SITE, SITE, Terminal, World

ACCEPTED, REJECTED, DUPLICATE, PENDING, EXEMPT = 0, 1, 2, 3, 4
CASE, INNER, BOX, SECOND, LOOSE, EXTRA = CODES[:6]
INSIDE = {INNER: CASE, BOX: INNER, SECOND: INNER}
RECEIVE, DISPATCH = Operation.RECEIVE, Operation.DISPATCH


def scan(world: World, gun: Terminal, operation: Operation, code: str, session: str | None = None) -> int:
    """One scan; its seq."""
    world.deliver(gun, gun.scan(code, operation, session=session))
    return gun.seq


def void(world: World, gun: Terminal, target: int, session: str | None = None) -> tuple[int, int]:
    """A void; outcome and reason."""
    world.deliver(gun, gun.void(target, session=session))
    world.settle()
    return gun.outcomes()[-1][1:]


def test_a_receipt_taken_back_was_not_seen_and_is_nowhere(world: World) -> None:
    gun = world.terminal()
    shop.announce(world, "D-1", CASE, INNER, BOX, SECOND, LOOSE, inside=INSIDE)
    case, loose = scan(world, gun, RECEIVE, CASE), scan(world, gun, RECEIVE, LOOSE)
    assert void(world, gun, case) == (ACCEPTED, 0)
    assert shop.stock(world, [CASE, INNER, BOX, SECOND, LOOSE]) == [None] * 4 + [SITE]
    unseen = dict.fromkeys([CASE, INNER, BOX, SECOND], (True, None, None))
    assert shop.seen(world, "D-1") == {**unseen, LOOSE: (True, f"d-window-01/{loose}", None)}
    assert void(world, gun, case) == (REJECTED, 22)
    box = scan(world, gun, RECEIVE, BOX)  # the case was opened: boxes one by one
    assert gun.outcomes()[-1] == (box, ACCEPTED, 0)
    assert shop.stock(world, [CASE, BOX, SECOND]) == [None, SITE, None]


def test_receipt_void_and_receipt_in_one_batch(world: World) -> None:
    gun = world.terminal()
    shop.announce(world, "D-1", CASE, BOX, inside={BOX: CASE})
    world.deliver(gun, gun.scan(CASE, RECEIVE), gun.void(1), gun.scan(BOX, RECEIVE), gun.void(1))
    assert gun.outcomes() == [(1, ACCEPTED, 0), (2, ACCEPTED, 0), (3, ACCEPTED, 0), (4, REJECTED, 22)]
    assert shop.seen(world, "D-1") == {CASE: (True, None, None), BOX: (True, "d-window-01/3", None)}
    assert shop.stock(world, [CASE, BOX]) == [None, SITE]


def test_what_was_not_announced_lies_again_where_it_lay(world: World) -> None:
    gun, other = world.terminal(), world.terminal("d-dock-02", OTHER_SITE)
    scan(world, other, RECEIVE, BOX)
    there = scan(world, gun, RECEIVE, BOX)
    again = scan(world, gun, RECEIVE, BOX)
    assert void(world, gun, again) == (ACCEPTED, 0)
    assert shop.stock(world, [BOX]) == [SITE]  # the first receipt stands
    assert void(world, gun, there) == (ACCEPTED, 0)
    assert shop.stock(world, [BOX]) == [OTHER_SITE]
    assert void(world, other, 1) == (ACCEPTED, 0)
    assert shop.stock(world, [BOX]) == [None]


def test_a_second_scan_taken_back_leaves_the_count(world: World) -> None:
    gun = world.terminal()
    shop.announce(world, "D-1", BOX)
    first, second = scan(world, gun, RECEIVE, BOX), scan(world, gun, RECEIVE, BOX)
    assert void(world, gun, second) == (ACCEPTED, 0)
    assert shop.seen(world, "D-1") == {BOX: (True, f"d-window-01/{first}", None)}
    assert shop.stock(world, [BOX]) == [SITE]


def test_a_dispatch_taken_back_is_in_stock_again_and_its_receipt_too_can_be(world: World) -> None:
    gun = world.terminal()
    shop.announce(world, "D-1", CASE, BOX, inside={BOX: CASE})
    came = scan(world, gun, RECEIVE, CASE)
    shop.announce(world, "D-2", CASE, BOX, inside={BOX: CASE}, direction="out")
    went = scan(world, gun, DISPATCH, CASE)
    assert void(world, gun, came) == (REJECTED, 22)
    assert void(world, gun, went) == (ACCEPTED, 0)
    assert shop.stock(world, [CASE, BOX]) == [SITE, SITE]
    assert set(shop.seen(world, "D-2").values()) == {(True, None, None)}
    assert void(world, gun, came) == (ACCEPTED, 0)
    assert shop.stock(world, [CASE, BOX]) == [None, None]


@pytest.mark.parametrize("sold", [CASE, BOX])
def test_what_was_sold_since_stays_received(world: World, sold: str) -> None:
    gun = world.terminal()
    shop.announce(world, "D-1", CASE, BOX, SECOND, inside={BOX: CASE, SECOND: CASE})
    scan(world, gun, RECEIVE, CASE)
    world.sell(gun, sold)
    assert void(world, gun, 1) == (REJECTED, 22)
    assert shop.seen(world, "D-1")[SECOND] == (True, "d-window-01/1", None)
    assert void(world, gun, 2) == (ACCEPTED, 0)
    assert void(world, gun, 1) == (ACCEPTED, 0)  # the sale is taken back too: it lies where the receipt put it
    assert shop.stock(world, [CASE, BOX, SECOND]) == [None] * 3


def test_what_was_received_elsewhere_since_stays_sent(world: World) -> None:
    gun, other = world.terminal(), world.terminal("d-dock-02", OTHER_SITE)
    scan(world, gun, RECEIVE, BOX)
    went = scan(world, gun, DISPATCH, BOX)
    scan(world, other, RECEIVE, BOX)
    assert void(world, gun, went) == (REJECTED, 22)
    assert shop.stock(world, [BOX]) == [OTHER_SITE]


@pytest.mark.parametrize("announced", [False, True])
def test_what_another_gun_received_since_stays_received(world: World, announced: bool) -> None:
    gun, other = world.terminal(), world.terminal("d-dock-02")
    scan(world, gun, RECEIVE, BOX)
    if announced:
        shop.announce(world, "D-1", BOX)
    scan(world, other, RECEIVE, BOX)
    assert void(world, gun, 1) == (REJECTED, 22)
    assert shop.stock(world, [BOX]) == [SITE]
    assert void(world, other, 1) == void(world, gun, 1) == (ACCEPTED, 0)
    assert shop.stock(world, [BOX]) == [None]


def test_what_went_and_came_again_is_not_taken_back_by_its_first_receipt(world: World) -> None:
    gun = world.terminal()
    for operation in (RECEIVE, DISPATCH, RECEIVE):
        scan(world, gun, operation, BOX)
    assert void(world, gun, 1) == (REJECTED, 22)
    assert void(world, gun, 3) == (ACCEPTED, 0)
    assert void(world, gun, 2) == (ACCEPTED, 0)
    assert void(world, gun, 1) == (ACCEPTED, 0)
    assert shop.stock(world, [BOX]) == [None]


def test_a_closed_delivery_stays_as_it_was_counted(world: World) -> None:
    gun = world.terminal()
    shop.announce(world, "D-1", BOX)
    scan(world, gun, RECEIVE, BOX)
    deliveries.close(world.ledger, "D-1", world.clock.now())
    assert void(world, gun, 1) == (REJECTED, 22)
    assert deliveries.result(world.ledger, "D-1").seen == (BOX,)


def test_what_was_refused_or_belongs_to_a_session_that_is_over_stays(world: World) -> None:
    gun = world.terminal()
    shop.session(world, gun, "S-1", minutes=30)
    shop.session(world, gun, "S-2", kind="receive")
    shop.announce(world, "D-1", BOX)
    assert void(world, gun, scan(world, gun, RECEIVE, EXTRA, "S-1"), "S-1") == (REJECTED, 22)
    assert shop.seen(world, "D-1")[EXTRA] == (False, "d-window-01/1", None)
    counted = scan(world, gun, RECEIVE, BOX, "S-1")
    assert void(world, gun, counted) == (REJECTED, 22)
    assert void(world, gun, counted, "S-2") == (REJECTED, 22)
    world.clock.ms += 31 * 60_000
    assert void(world, gun, counted, "S-1") == (REJECTED, 22)
    mine = scan(world, gun, RECEIVE, BOX, "S-2")
    shop.close(world, "S-2")
    assert void(world, gun, mine, "S-2") == (REJECTED, 22)
    assert shop.stock(world, [BOX]) == [SITE]


def test_neither_a_void_nor_a_sessions_end_is_taken_back(world: World) -> None:
    gun = world.terminal()
    shop.session(world, gun)
    scan(world, gun, RECEIVE, BOX)
    void(world, gun, 1)
    assert void(world, gun, 2) == (REJECTED, 22)
    world.deliver(gun, gun.scan("END", Operation.SESSION_END, session="S-1", family=Family.CONTROL))
    assert void(world, gun, 4, "S-1") == (REJECTED, 22)


def test_a_stock_takes_scan_taken_back_was_not_seen(world: World) -> None:
    gun = world.terminal()
    shop.session(world, gun, kind="stock-take")
    scan(world, gun, RECEIVE, BOX)
    scan(world, gun, RECEIVE, SECOND)
    for code in (BOX, SECOND, SECOND):
        scan(world, gun, Operation.STOCK_TAKE, code, "S-1")
    assert void(world, gun, 3, "S-1") == void(world, gun, 5, "S-1") == (ACCEPTED, 0)
    told = stock_take.differences(world.ledger, SITE, "S-1")
    assert (told.seen, told.missing) == ((SECOND,), (BOX,))
    assert shop.stock(world, [BOX, SECOND]) == [SITE, SITE]
    assert void(world, gun, 3, "S-1") == (REJECTED, 22)


def test_a_query_taken_back_has_no_answer(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.scan(BOX, Operation.QUERY), till.void(1))
    world.settle()
    assert sorted(till.outcomes()) == [(1, REJECTED, 23), (2, ACCEPTED, 0)]
    assert world.platform.submitted == []
    world.platform.loses_answers = True
    world.deliver(till, till.scan(BOX, Operation.QUERY))
    world.settle()
    world.platform.loses_answers = False
    assert void(world, till, 3) == (ACCEPTED, 0)
    world.later(20_000)
    world.settle()
    assert till.outcomes()[-1] == (3, REJECTED, 23)


def test_an_exempt_box_taken_back_changes_nothing(world: World) -> None:
    till = world.terminal()
    shop.product(world, exempt="hospital preparation")
    scan(world, till, Operation.SALE, BOX)
    assert void(world, till, 1) == (ACCEPTED, 0)
    assert void(world, till, 1) == (REJECTED, 22)
    assert world.platform.submitted == []
