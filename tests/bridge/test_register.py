"""The no-code register: never below zero, whoever sells at once, and never what is recalled or expired."""

import random
import threading

import pytest

from host_bridge import catalogue, register, sessions
from host_bridge.catalogue import Batch, Product
from host_bridge.errors import BadInput, MayNotDispense, NotFound, NotOpen, StockShort
from host_bridge.ledger import open_ledger
from host_bridge.ledger.sessions import Line
from tests.bridge.world import OTHER_SITE, SITE, World

CHANCE = random.Random(7)


@pytest.fixture
def session(world: World) -> str:
    return _prepared(world)


def _prepared(world: World, *lines: Line) -> str:
    catalogue.import_products(world.ledger, [Product("HERB", "Herbal slices"), Product("IBU", "Ibuprofen")])
    till = world.terminal()
    return sessions.open_session(world.ledger, till.peer.device, world.clock.now(), CHANCE, lines=lines)


def _enter(world: World, quantity: int, batch: str = "L1", site: str = SITE) -> int:
    return register.enter(world.ledger, site, "HERB", batch, quantity, "op-1", world.clock.now())


def _sell(world: World, quantity: int, session: str, batch: str | None = None) -> list[tuple[str, int]]:
    now = world.clock.now()
    sold = register.sell(world.ledger, SITE, "HERB", quantity, session, "op-2", now, batch)
    return [(entry.batch, taken) for entry, taken in sold]


def _remaining(world: World) -> list[tuple[str, int]]:
    return [(entry.batch, entry.remaining) for entry in register.listed(world.ledger, SITE)]


def test_oldest_entries_are_sold_first_and_all_or_nothing(world: World, session: str) -> None:
    _enter(world, 3, "L1")
    _enter(world, 3, "L2")
    _enter(world, 9, "L3", OTHER_SITE)
    assert _sell(world, 4, session) == [("L1", 3), ("L2", 1)]
    with pytest.raises(StockShort) as short:
        _sell(world, 3, session)
    assert (short.value.wanted, short.value.remaining) == (3, 2)
    assert _remaining(world) == [("L1", 0), ("L2", 2)]
    assert _sell(world, 2, session, "L2") == [("L2", 2)]


def test_two_bridges_never_sell_below_zero(world: World, session: str) -> None:
    _enter(world, 10)
    sold: list[int] = []

    def sell() -> None:
        ledger = open_ledger(world.url)
        for _ in range(5):
            try:
                register.sell(ledger, SITE, "HERB", 2, session, "op-2", world.clock.now())
                sold.append(2)
            except StockShort:
                pass
        ledger.close()

    threads = [threading.Thread(target=sell) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sold) == 10
    assert _remaining(world) == [("L1", 0)]


def test_recalled_or_expired_batches_stay(world: World, session: str) -> None:
    catalogue.import_batches(world.ledger, [Batch("HERB", "OLD", 20260101)])
    catalogue.recall(world.ledger, "HERB", "mould", world.clock.now(), batch="BAD")
    _enter(world, 5, "OLD")
    _enter(world, 5, "BAD")
    with pytest.raises(MayNotDispense, match=r"OLD: expired.*BAD: recalled: mould"):
        _sell(world, 1, session)
    _enter(world, 5, "GOOD")
    assert _sell(world, 5, session) == [("GOOD", 5)]
    with pytest.raises(StockShort):
        _sell(world, 1, session, "GOOD")


def test_lines_of_the_session_bound_what_is_sold_without_a_scan(world: World) -> None:
    session = _prepared(world, Line(1, "HERB", 2, split=False))
    _enter(world, 5)
    register.enter(world.ledger, SITE, "IBU", "L1", 5, "op-1", world.clock.now())
    with pytest.raises(MayNotDispense, match="fewer than 3"):
        _sell(world, 3, session)
    _sell(world, 2, session)
    with pytest.raises(MayNotDispense, match="not on the session"):
        register.sell(world.ledger, SITE, "IBU", 1, session, "op-2", world.clock.now())
    assert [line.taken for line in sessions.status(world.ledger, session).session.lines] == [2]


def test_a_sale_that_fails_counts_on_no_line(world: World) -> None:
    session = _prepared(world, Line(1, "HERB", 5, split=False))
    _enter(world, 1)
    with pytest.raises(StockShort):
        _sell(world, 2, session)
    assert [line.taken for line in sessions.status(world.ledger, session).session.lines] == [0]


def test_register_is_sold_only_in_an_open_sale_of_the_site(sqlite_world: World) -> None:
    world = sqlite_world
    session = _prepared(world)
    _enter(world, 5, site=OTHER_SITE)
    with pytest.raises(NotOpen, match="not a sale at"):
        register.sell(world.ledger, OTHER_SITE, "HERB", 1, session, "op-2", world.clock.now())
    with pytest.raises(NotFound):
        _sell(world, 1, "S-NONE")
    sessions.close_session(world.ledger, session, world.clock.now())
    with pytest.raises(NotOpen, match="over"):
        _sell(world, 1, session)


def test_entries_that_cannot_be_are_refused(sqlite_world: World) -> None:
    _prepared(sqlite_world)
    with pytest.raises(BadInput, match="quantity"):
        _enter(sqlite_world, 0)
    with pytest.raises(BadInput, match="batch"):
        _enter(sqlite_world, 1, "")
    with pytest.raises(NotFound):
        register.enter(sqlite_world.ledger, SITE, "NOBODY", "L1", 1, "op-1", sqlite_world.clock.now())
