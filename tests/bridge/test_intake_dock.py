"""Boxes and cases that come in and go out, against what was announced."""

import pytest

from host_bridge import deliveries
from host_bridge.config import Site
from host_bridge.wire import Family, Operation
from tests.bridge import shop
from tests.bridge.world import CODES, OTHER_SITE, SITE, Terminal, World

ACCEPTED, REJECTED = 0, 1
CASE, INNER, BOX, SECOND, LOOSE, EXTRA = CODES[:6]
INSIDE = {INNER: CASE, BOX: INNER, SECOND: INNER}
RECEIVE, DISPATCH = Operation.RECEIVE, Operation.DISPATCH


def dock(world: World, gun: Terminal, operation: Operation, *codes: str) -> list[tuple[int, int]]:
    """Scans in one batch; (outcome, reason) of each."""
    before = len(gun.outcomes())
    world.deliver(gun, *(gun.scan(code, operation) for code in codes))
    return [told[1:] for told in gun.outcomes()[before:]]


def test_a_case_counts_for_all_that_lies_in_it(world: World) -> None:
    gun = world.terminal()
    shop.announce(world, "D-1", CASE, INNER, BOX, SECOND, LOOSE, inside=INSIDE)
    assert dock(world, gun, RECEIVE, CASE) == [(ACCEPTED, 0)]
    key = "d-window-01/1"
    counted = dict.fromkeys([CASE, INNER, BOX, SECOND], (True, key, None))
    assert shop.seen(world, "D-1") == {**counted, LOOSE: (True, None, None)}
    assert shop.stock(world, [CASE, INNER, BOX, SECOND, LOOSE]) == [SITE] * 4 + [None]


def test_a_case_counts_for_what_the_packaging_relations_put_in_it(world: World) -> None:
    gun = world.terminal()
    shop.unit(world, BOX, parent=CASE)
    shop.announce(world, "D-1", CASE)
    assert dock(world, gun, RECEIVE, CASE) == [(ACCEPTED, 0)]
    assert shop.stock(world, [CASE, BOX]) == [SITE, SITE]


@pytest.mark.parametrize(("first", "then"), [(CASE, BOX), (BOX, CASE), (INNER, CASE), (CASE, INNER), (BOX, INNER)])
def test_package_and_content_are_not_both_counted(world: World, first: str, then: str) -> None:
    gun = world.terminal()
    shop.announce(world, "D-1", CASE, INNER, BOX, SECOND, inside=INSIDE)
    assert dock(world, gun, RECEIVE, first, then, first) == [(ACCEPTED, 0), (REJECTED, 9), (ACCEPTED, 0)]
    assert dock(world, gun, RECEIVE, then, SECOND) == [(REJECTED, 9), (REJECTED, 9) if first != BOX else (ACCEPTED, 0)]


@pytest.mark.parametrize("announced", [(CASE,), (CASE, INNER), (CASE, BOX)])
def test_a_box_counts_with_its_outermost_package_whatever_lies_between(world: World, announced: tuple[str]) -> None:
    gun = world.terminal()
    shop.announce(world, "D-1", LOOSE, *announced)
    for code, parent in INSIDE.items():
        shop.unit(world, code, level=2 if code == INNER else 1, parent=parent)
    assert dock(world, gun, RECEIVE, CASE) == [(ACCEPTED, 0)]
    assert dock(world, gun, RECEIVE, BOX, INNER, SECOND) == [(REJECTED, 9)] * 3
    assert not [one for one in shop.seen(world, "D-1").values() if not one[0]]  # nothing extra


def test_a_package_that_nobody_announced_counts_for_nothing(world: World) -> None:
    gun = world.terminal()
    shop.announce(world, "D-1", BOX, inside={BOX: CASE})
    assert dock(world, gun, RECEIVE, CASE, BOX) == [(REJECTED, 12), (ACCEPTED, 0)]


def test_a_box_that_was_extra_does_not_bar_the_case_that_it_lies_in(world: World) -> None:
    gun = world.terminal()
    shop.announce(world, "D-1", CASE)
    shop.unit(world, BOX, parent=CASE)
    assert dock(world, gun, RECEIVE, BOX, CASE, BOX) == [(REJECTED, 12), (ACCEPTED, 0), (REJECTED, 9)]
    assert shop.stock(world, [CASE, BOX]) == [SITE, SITE]


def test_a_second_scan_of_what_is_counted_changes_nothing(world: World) -> None:
    gun = world.terminal()
    shop.announce(world, "D-1", BOX)
    assert dock(world, gun, RECEIVE, BOX) + dock(world, gun, RECEIVE, BOX) == [(ACCEPTED, 0)] * 2
    assert shop.seen(world, "D-1") == {BOX: (True, "d-window-01/1", None)}


def test_what_nobody_announced_is_extra_and_not_taken_in(world: World) -> None:
    gun = world.terminal()
    shop.announce(world, "D-1", BOX)
    assert dock(world, gun, RECEIVE, EXTRA, EXTRA) == [(REJECTED, 12)] * 2
    assert dock(world, gun, RECEIVE, EXTRA) == [(REJECTED, 12)]
    assert shop.seen(world, "D-1")[EXTRA] == (False, "d-window-01/1", None)
    assert shop.stock(world, [EXTRA]) == [None]


def test_without_a_delivery_it_is_taken_in_unannounced(world: World) -> None:
    gun = world.terminal()
    shop.announce(world, "D-1", BOX, site=OTHER_SITE)
    shop.announce(world, "D-2", BOX, direction="out")
    shop.unit(world, BOX, parent=CASE)
    assert dock(world, gun, RECEIVE, CASE) == [(ACCEPTED, 0)]
    assert shop.stock(world, [CASE, BOX]) == [SITE, SITE]
    assert shop.seen(world, "D-1") == {BOX: (True, None, None)}


def test_batch_or_date_that_differs_is_listed_and_not_counted(world: World) -> None:
    gun = world.terminal()
    code = "0106901234567892" + "2112345ABC"
    shop.announce(world, "D-1", code, lot="B1", expires_on=20280131)
    data = b"01069012345678921728020010B2\x1d2112345ABC"
    for _ in range(2):
        world.deliver(gun, gun.scan(data=data, family=Family.GS1, operation=RECEIVE))
    assert gun.outcomes() == [(1, REJECTED, 10), (2, REJECTED, 10)]
    says = "batch B2, announced B1; last day 20280229, announced 20280131"
    assert shop.seen(world, "D-1") == {code: (True, None, says)}
    assert shop.stock(world, [code]) == [None]
    right = b"01069012345678921728013110B1\x1d2112345ABC"
    world.deliver(gun, gun.scan(data=right, family=Family.GS1, operation=RECEIVE))
    assert shop.seen(world, "D-1") == {code: (True, "d-window-01/3", None)}


def test_what_is_recalled_expired_or_sold_does_not_come_in(world: World) -> None:
    gun, other = world.terminal(), world.terminal("d-window-02", OTHER_SITE)
    shop.product(world)
    shop.unit(world, BOX, lot="B1")
    shop.recall(world, "B1")
    shop.unit(world, SECOND, expires_on=20200101)
    world.sell(gun, LOOSE)
    world.sell(other, EXTRA)
    told = dock(world, gun, RECEIVE, BOX, SECOND, LOOSE, EXTRA)
    assert told == [(REJECTED, 5), (REJECTED, 6), (REJECTED, 1), (REJECTED, 2)]
    assert [kind for kind, *_ in shop.alerts(world)] == ["sold-elsewhere"] * 2


def test_what_was_announced_and_refused_came_and_is_not_missing(world: World) -> None:
    gun, other = world.terminal(), world.terminal("d-window-02", OTHER_SITE)
    shop.product(world)
    shop.unit(world, BOX, lot="B1")
    shop.unit(world, SECOND, expires_on=20200101)
    world.sell(gun, LOOSE)
    world.sell(other, EXTRA)
    shop.announce(world, "D-1", BOX, SECOND, LOOSE, EXTRA, INNER)
    assert dock(world, gun, RECEIVE, BOX) == [(ACCEPTED, 0)]
    shop.recall(world, "B1")
    dock(world, gun, RECEIVE, BOX, SECOND, LOOSE, EXTRA)
    told = deliveries.result(world.ledger, "D-1")
    refused = {SECOND: "expired", LOOSE: "sold here before", EXTRA: "sold elsewhere before"}
    assert (dict(told.differing), told.missing, told.seen) == (refused, (INNER,), (BOX,))


def test_dispatch_counts_its_own_deliveries_and_takes_out_of_stock(world: World) -> None:
    gun = world.terminal()
    world.sites[SITE] = Site("Clinic 7", require_receipt=True)
    shop.announce(world, "D-1", CASE, BOX, SECOND, inside={BOX: CASE})
    dock(world, gun, RECEIVE, CASE, SECOND)
    shop.announce(world, "D-2", CASE, BOX, LOOSE, inside={BOX: CASE}, direction="out")
    told = dock(world, gun, DISPATCH, CASE, CASE, BOX, LOOSE, SECOND)
    assert told == [(ACCEPTED, 0), (ACCEPTED, 0), (REJECTED, 9), (REJECTED, 4), (REJECTED, 12)]
    assert shop.stock(world, [CASE, BOX, SECOND]) == [None, None, SITE]
    assert shop.seen(world, "D-2")[BOX] == (True, "d-window-01/3", None)


def test_what_is_unfit_may_be_sent_back(world: World) -> None:
    gun = world.terminal()
    shop.product(world)
    dock(world, gun, RECEIVE, BOX)
    shop.recall(world)
    assert dock(world, gun, DISPATCH, BOX) == [(ACCEPTED, 0)]
    assert shop.stock(world, [BOX]) == [None]


def test_a_sold_box_in_a_case_that_comes_in_is_not_put_into_stock(world: World) -> None:
    gun = world.terminal()
    shop.announce(world, "D-1", CASE, BOX, inside={BOX: CASE})
    world.sell(gun, BOX)
    dock(world, gun, RECEIVE, CASE)
    assert shop.stock(world, [CASE, BOX]) == [SITE, None]


def test_stock_take_takes_everything_and_changes_nothing(world: World) -> None:
    gun = world.terminal()
    dock(world, gun, RECEIVE, BOX)
    world.sell(gun, SECOND)
    before = shop.stock(world, CODES)
    assert dock(world, gun, Operation.STOCK_TAKE, BOX, SECOND, LOOSE) == [(ACCEPTED, 0)] * 3
    assert shop.stock(world, CODES) == before


def test_a_receipt_that_waited_for_a_lower_number_reads_its_label_again(world: World) -> None:
    gun = world.terminal()
    first = gun.scan(LOOSE, RECEIVE)
    late = gun.scan(data=b"0106901234567892172001312112345ABC", family=Family.GS1, operation=RECEIVE)
    world.deliver(gun, late)
    world.deliver(gun, first)
    assert gun.outcomes() == [(1, ACCEPTED, 0), (2, REJECTED, 6)]
