"""Deliveries: announced, scanned at the dock, closed; what is missing, extra or not as announced; stock-takes."""

import random

import pytest

from host_bridge import catalogue, deliveries, reports, sessions, stock_take
from host_bridge.catalogue import Unit
from host_bridge.deliveries import Announced
from host_bridge.errors import AlreadyThere, BadInput, NotFound, NotOpen
from host_bridge.wire import Operation
from tests.bridge import shop
from tests.bridge.world import CODES, OTHER_SITE, SITE, Terminal, World

CASE, A, B, C, LOOSE, WRONG, EXTRA = CODES[:7]
DAY_MS = 86_400_000
CHANCE = random.Random(7)


def _announce(world: World, name: str = "D-1", *more: Announced, direction: str = "in") -> None:
    items = [Announced(CASE), *(Announced(code, CASE) for code in (A, B, C)), Announced(LOOSE), *more]
    deliveries.announce(world.ledger, name, SITE, "Wholesaler", items, world.clock.now(), direction)


def _receive(world: World, dock: Terminal, *codes: str, operation: Operation = Operation.RECEIVE) -> None:
    for code in codes:
        world.deliver(dock, dock.scan(code, operation))


def test_a_case_counts_for_the_boxes_in_it(world: World) -> None:
    dock = world.terminal()
    _announce(world)
    _receive(world, dock, CASE)
    came = deliveries.result(world.ledger, "D-1")
    assert (came.announced, came.seen, came.missing) == ((A, B, C, LOOSE), (A, B, C), (LOOSE,))
    assert shop.stock(world, [CASE, A, B, C, LOOSE]) == [SITE, SITE, SITE, SITE, None]


def test_boxes_one_by_one_count_for_their_case(world: World) -> None:
    dock = world.terminal()
    _announce(world)
    _receive(world, dock, A, B)
    came = deliveries.result(world.ledger, "D-1")
    assert (came.missing, came.missing_packages) == ((C, LOOSE), ())


def test_a_case_that_did_not_come_is_missing_with_its_boxes(world: World) -> None:
    _announce(world)
    came = deliveries.result(world.ledger, "D-1")
    assert (came.missing, came.missing_packages) == ((A, B, C, LOOSE), (CASE,))


def test_extra_and_differing_boxes_are_listed_and_not_taken(world: World) -> None:
    dock = world.terminal()
    catalogue.add_units(world.ledger, [Unit(WRONG, batch="L2")])
    _announce(world, "D-1", Announced(WRONG, batch="L1"))
    _receive(world, dock, CASE, LOOSE, WRONG, EXTRA)
    came = deliveries.close(world.ledger, "D-1", world.clock.now())
    assert (came.extra, came.missing, came.closed) == ((EXTRA,), (), True)
    assert came.differing == ((WRONG, "batch L2, announced L1"),)
    assert dock.outcomes()[2:] == [(3, 1, 10), (4, 1, 12)]
    assert shop.stock(world, [WRONG, EXTRA]) == [None, None]


def test_known_contents_of_an_announced_case_are_announced_with_it(world: World) -> None:
    dock = world.terminal()
    catalogue.add_units(world.ledger, [Unit(CASE, 2), Unit(A, 1, CASE), Unit(B, 1, CASE)])
    deliveries.announce(world.ledger, "D-1", SITE, "Wholesaler", [Announced(CASE)], world.clock.now())
    _receive(world, dock, A)
    came = deliveries.result(world.ledger, "D-1")
    assert (came.seen, came.missing, dock.outcomes()) == ((A,), (B,), [(1, 0, 0)])


def test_what_the_catalogue_knows_of_a_code_outlives_an_announcement(world: World) -> None:
    catalogue.add_units(world.ledger, [Unit(WRONG, batch="L2")])
    _announce(world, "D-1", Announced(WRONG, batch="L1"), Announced(EXTRA, batch="L1"))
    dock = world.terminal()
    _receive(world, dock, WRONG, EXTRA)
    assert dock.outcomes() == [(1, 1, 10), (2, 0, 0)]


def test_announced_cases_are_no_sales_units(world: World) -> None:
    _announce(world)
    till = world.terminal()
    world.sell(till, CASE, A)
    assert till.outcomes() == [(1, 1, 8), (2, 0, 0)]


def test_dispatch_is_held_against_its_own_delivery(world: World) -> None:
    dock = world.terminal()
    _announce(world)
    _receive(world, dock, CASE, LOOSE)
    deliveries.close(world.ledger, "D-1", world.clock.now())
    items = [Announced(A), Announced(B)]
    deliveries.announce(world.ledger, "D-2", SITE, "Branch", items, world.clock.now(), "out")
    _receive(world, dock, A, LOOSE, operation=Operation.DISPATCH)
    sent = deliveries.result(world.ledger, "D-2")
    assert (sent.seen, sent.missing, sent.extra) == ((A,), (B,), (LOOSE,))
    assert shop.stock(world, [A, B, LOOSE]) == [None, SITE, SITE]


@pytest.mark.parametrize(
    ("items", "why"),
    [
        ([], "1 to"),
        ([Announced(A), Announced(A)], "twice"),
        ([Announced(A, CASE)], "not announced"),
        ([Announced(A, B), Announced(B, A)], "itself"),
        ([Announced(A, batch="two words")], "batch"),
        ([Announced(A, product="P" * 33)], "product"),
        ([Announced("\ud800")], "control characters"),
        ([Announced(A, expires_on=20269999)], "no day"),
        ([Announced(f"C{at}", f"C{at + 1}") for at in range(5)] + [Announced("C5")], "deep"),
    ],
)
def test_announcement_that_cannot_be_is_refused_whole(sqlite_world: World, items: list[Announced], why: str) -> None:
    with pytest.raises(BadInput, match=why):
        deliveries.announce(sqlite_world.ledger, "D-1", SITE, "Wholesaler", items, sqlite_world.clock.now())
    with pytest.raises(NotFound):
        deliveries.result(sqlite_world.ledger, "D-1")


def test_a_delivery_is_announced_once_and_closed_once(sqlite_world: World) -> None:
    _announce(sqlite_world)
    with pytest.raises(AlreadyThere):
        _announce(sqlite_world)
    assert [one.id for one in deliveries.open_ones(sqlite_world.ledger, SITE)] == ["D-1"]
    deliveries.close(sqlite_world.ledger, "D-1", sqlite_world.clock.now())
    with pytest.raises(NotOpen):
        deliveries.close(sqlite_world.ledger, "D-1", sqlite_world.clock.now())
    assert deliveries.open_ones(sqlite_world.ledger, SITE) == []


def test_receipts_that_nobody_announced_are_reported(world: World) -> None:
    dock = world.terminal()
    start = world.clock.now()
    _receive(world, dock, EXTRA)
    world.later(2_000)
    _announce(world)
    _receive(world, dock, CASE, CASE, LOOSE)
    world.later(2_000)
    deliveries.close(world.ledger, "D-1", world.clock.now())
    world.later(2_000)
    _receive(world, dock, WRONG)
    assert reports.period(world.ledger, SITE, start, start + DAY_MS).unannounced == (EXTRA, WRONG)


def _stock_take(world: World, dock: Terminal, *codes: str) -> str:
    session = sessions.open_session(world.ledger, dock.peer.device, world.clock.now(), CHANCE, kind="stock-take")
    for code in codes:
        world.deliver(dock, dock.scan(code, Operation.STOCK_TAKE, session=session))
    return session


def test_stock_take_lists_what_is_missing_and_what_should_not_be_here(world: World) -> None:
    dock = world.terminal()
    _announce(world)
    _receive(world, dock, CASE, LOOSE)
    world.sell(dock, A)
    before = shop.stock(world, CODES)
    found = stock_take.differences(world.ledger, SITE, _stock_take(world, dock, B, A, EXTRA))
    assert (found.expected, found.seen) == ((B, C, LOOSE), (B,))
    assert (found.missing, found.missing_packages, found.surplus) == ((C, LOOSE), (), (A, EXTRA))
    assert shop.stock(world, CODES) == before


def test_stock_take_of_a_case_counts_what_is_left_in_it(world: World) -> None:
    dock = world.terminal()
    _announce(world)
    _receive(world, dock, CASE, LOOSE)
    found = stock_take.differences(world.ledger, SITE, _stock_take(world, dock, CASE))
    assert (found.seen, found.missing, found.surplus) == ((A, B, C), (LOOSE,), ())
    empty = stock_take.differences(world.ledger, SITE, _stock_take(world, dock))
    assert empty.missing_packages == (CASE,)
    world.sell(dock, A, B)
    opened = stock_take.differences(world.ledger, SITE, _stock_take(world, dock, CASE, B))
    assert (opened.seen, opened.missing, opened.surplus) == ((C,), (LOOSE,), (B,))
    world.sell(dock, C)
    sold_out = stock_take.differences(world.ledger, SITE, _stock_take(world, dock))
    assert (sold_out.missing, sold_out.missing_packages) == ((LOOSE,), ())


def test_differences_are_asked_of_a_stock_take_at_its_site(sqlite_world: World) -> None:
    dock = sqlite_world.terminal()
    session = _stock_take(sqlite_world, dock)
    with pytest.raises(NotOpen):
        stock_take.differences(sqlite_world.ledger, OTHER_SITE, session)
    with pytest.raises(NotFound):
        stock_take.differences(sqlite_world.ledger, SITE, "S-NONE")
