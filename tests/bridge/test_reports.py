"""The report of a site: every record once, in the right period, under the right payer."""

import itertools
import random

import pytest

from host_bridge import catalogue, register, reports, sessions
from host_bridge.catalogue import Product
from host_bridge.errors import BadInput
from host_bridge.ledger.sessions import Line
from host_bridge.wire import Operation
from tests.bridge.world import CODES, OTHER_SITE, SITE, Terminal, World

CHANCE = random.Random(7)
DAY_MS = 86_400_000


def _sell(world: World, till: Terminal, payer: str, *codes: str, lines: tuple[Line, ...] = ()) -> str:
    session = sessions.open_session(world.ledger, till.peer.device, world.clock.now(), CHANCE, payer=payer, lines=lines)
    for code in codes:
        world.deliver(till, till.scan(code, session=session))
        world.settle()
    return session


def test_sales_are_counted_by_payer_and_outcome(world: World) -> None:
    till, other = world.terminal(), world.terminal("d-window-02", OTHER_SITE)
    start = world.clock.now()
    world.sell(till, CODES[0], CODES[0])
    world.sell(other, CODES[1])
    world.platform.refuses[CODES[4]] = 13
    _sell(world, till, "self-pay", CODES[2], CODES[1])
    _sell(world, till, "work-injury", CODES[3], CODES[4])
    told = reports.period(world.ledger, SITE, start, start + DAY_MS)
    assert told.sales == {
        "insured": {"accepted": 1, "duplicate_here": 1},
        "self-pay": {"accepted": 1, "rejected": 1},
        "work-injury": {"accepted": 1, "rejected": 1},
    }
    assert (told.self_pay, told.work_injury) == (1, 1)


def test_sales_taken_back_are_told_apart(world: World) -> None:
    till = world.terminal()
    start = world.clock.now()
    world.sell(till, *CODES[:3])
    world.deliver(till, till.void(1), till.scan(CODES[1], Operation.RETURN))
    world.settle()
    told = reports.period(world.ledger, SITE, start, start + DAY_MS)
    assert told.sales["insured"] == {"accepted": 1}
    assert told.taken_back == {"insured": 2}
    assert told.operations == {"void": {"accepted": 1}, "return": {"accepted": 1}}


def test_parts_of_opened_boxes_are_reported(world: World) -> None:
    catalogue.import_products(world.ledger, [Product("AMX", "Amoxicillin", (CODES[0][:7],), content=3)])
    till = world.terminal()
    start = world.clock.now()
    _sell(world, till, "insured", CODES[0], CODES[0], lines=(Line(1, "AMX", 2, split=True),))
    told = reports.period(world.ledger, SITE, start, start + DAY_MS)
    assert told.parts == {"insured": 2}
    assert told.sales["insured"] == {"accepted": 2}


def test_register_sales_stand_apart_with_their_payer(world: World) -> None:
    catalogue.import_products(world.ledger, [Product("HERB", "Herbal slices")])
    till = world.terminal()
    start = world.clock.now()
    session = _sell(world, till, "self-pay")
    register.enter(world.ledger, SITE, "HERB", "L1", 9, "op-1", start)
    register.sell(world.ledger, SITE, "HERB", 4, session, "op-2", start)
    (sold,) = reports.period(world.ledger, SITE, start, start + 1).register_sales
    assert (sold.product, sold.batch, sold.quantity, sold.payer) == ("HERB", "L1", 4, "self-pay")
    assert reports.period(world.ledger, OTHER_SITE, start, start + 1).register_sales == ()


def test_periods_next_to_each_other_count_every_record_once(world: World) -> None:
    till = world.terminal()
    start = world.clock.now()
    edges = [start]
    for at in range(5):
        world.sell(till, *CODES[10 * at : 10 * at + 9])
        world.later(700_000)
        edges.append(world.clock.now())
    counts = [
        reports.period(world.ledger, SITE, one, two).sales["insured"]["accepted"]
        for one, two in itertools.pairwise(edges)
    ]
    assert counts == [9] * 5


def test_a_record_that_was_lost_and_found_is_of_the_period_in_which_it_was_decided(world: World) -> None:
    till = world.terminal()
    start = world.clock.now()
    for code in CODES[:9]:
        till.scan(code)
    world.deliver(till, *(till.messages[seq] for seq in range(1, 10) if seq != 3))
    world.deliver(till, till.head(missing=((3, 3),)), kind="head")
    world.settle()
    world.later(2_000_000)
    world.sell(till, *CODES[20:40])
    world.later(2_000_000)
    second = world.clock.now()
    world.deliver(till, till.messages[3])
    world.settle()
    end = world.clock.now() + 1
    assert reports.period(world.ledger, SITE, start, second).sales["insured"] == {"accepted": 28}
    assert reports.period(world.ledger, SITE, second, end).sales["insured"] == {"accepted": 1}


def test_a_terminal_that_moved_counts_where_it_stood(world: World) -> None:
    till = world.terminal()
    start = world.clock.now()
    world.sell(till, CODES[0])
    world.registry.move(till.peer.device, OTHER_SITE)
    till.site = OTHER_SITE
    world.sell(till, CODES[1])
    for site in (SITE, OTHER_SITE):
        assert reports.period(world.ledger, site, start, start + DAY_MS).sales["insured"] == {"accepted": 1}


@pytest.mark.parametrize("length", [0, -5, reports.PERIOD_MAX_MS + 1])
def test_what_is_no_period_is_refused(sqlite_world: World, length: int) -> None:
    with pytest.raises(BadInput):
        reports.period(sqlite_world.ledger, SITE, 1_000, 1_000 + length)


def test_what_was_voided_is_told_apart_and_a_return_that_was_leaves_its_sale(world: World) -> None:
    till = world.terminal()
    start = world.clock.now()
    session = _sell(world, till, "self-pay", CODES[0])
    for message in (till.scan(CODES[0], Operation.RETURN), till.void(2)):
        world.deliver(till, message)
        world.settle()
    world.deliver(till, till.scan(CODES[1], Operation.RECEIVE), till.void(4), till.scan(CODES[2], Operation.RECEIVE))
    told = reports.period(world.ledger, SITE, start, start + DAY_MS)
    assert (told.sales["self-pay"], told.taken_back, told.unannounced) == ({"accepted": 1}, {}, (CODES[2],))
    assert told.operations == {
        "return": {"voided": 1},
        "receive": {"voided": 1, "accepted": 1},
        "void": {"accepted": 2},
    }
    assert [one.voided for one in sessions.status(world.ledger, session).scans] == [False]
    world.deliver(till, till.scan(CODES[0], Operation.RETURN))
    world.settle()
    told = reports.period(world.ledger, SITE, start, start + DAY_MS)
    assert (told.self_pay, told.taken_back) == (0, {"self-pay": 1})
