"""Two bridges on one PostgreSQL meet at one session, opened box or register: it ends as if one had come first."""

import random

import pytest

from host_bridge import catalogue, register, sessions
from host_bridge.errors import MayNotDispense, StockShort
from host_bridge.ledger.sessions import Line
from host_bridge.opening import Inbound
from host_bridge.wire import Operation, Reply
from tests.bridge import shop
from tests.bridge.meeting import CODE, DEVICE, ENTRY, SESSION, calm, meet, meet_scans, told_of
from tests.bridge.shop import boxes, pieces
from tests.bridge.world import CODES, SITE, World

ACCEPTED, REJECTED, DUPLICATE = 0, 1, 2
BOX = CODES[0]
CASE = CODES[40]


# -- one session's lines


def test_line_takes_no_more_than_its_quantity_from_scans_and_from_the_register(
    one: World, two: World, turned: bool
) -> None:
    till = one.terminal("d-1")
    shop.product(one)
    shop.session(one, till, "S-1", boxes(2), expects=True)
    register.enter(one.ledger, SITE, "P-1", "B1", 5, "op", one.clock.now())
    one.deliver(till, till.scan(BOX, session="S-1"))
    message = till.scan(CODES[1], session="S-1")
    jobs = [
        lambda: one.deliver(till, message),
        lambda: register.sell(two.ledger, SITE, "P-1", 1, "S-1", "op", two.clock.now()),
    ]
    told = meet(one.url, SESSION, "S-1", *(jobs[::-1] if turned else jobs))
    calm(one, two)
    assert isinstance(told[0 if turned else 1], list if turned else MayNotDispense)
    assert told_of(till, 2) == ((REJECTED, 19) if turned else (ACCEPTED, 0))
    assert shop.lines(one) == [2]


def test_session_serves_its_own_terminal_only(one: World, two: World, turned: bool) -> None:
    mine, other = one.terminal("d-1"), one.terminal("d-2")
    shop.product(one)
    shop.session(one, mine, "S-1", boxes(1), expects=True)
    pairs = (one, mine, mine.scan(BOX, session="S-1")), (two, other, other.scan(CODES[1], session="S-1"))
    meet_scans(SESSION, "S-1", turned, *pairs)
    assert (told_of(mine, 1), told_of(other, 1)) == ((ACCEPTED, 0), (REJECTED, 16))
    assert shop.lines(one) == [1]


def test_one_terminals_records_through_both_bridges_fill_its_line_once(one: World, two: World, turned: bool) -> None:
    till = one.terminal("d-1")
    shop.product(one)
    shop.session(one, till, "S-1", boxes(1), expects=True)
    messages = [till.scan(code, session="S-1") for code in CODES[:2]]
    jobs = [lambda: one.deliver(till, messages[0]), lambda: two.deliver(till, messages[1])]
    assert meet(one.url, DEVICE, "d-1", *(jobs[::-1] if turned else jobs)) == [None, None]
    calm(one, two)
    assert (told_of(till, 1), told_of(till, 2), shop.lines(one)) == ((ACCEPTED, 0), (REJECTED, 19), [1])


def test_box_that_comes_back_makes_room_on_its_line_for_one(one: World, two: World, turned: bool) -> None:
    mine, other = one.terminal("d-1"), one.terminal("d-2")
    shop.product(one)
    shop.session(one, mine, "S-1", boxes(1), expects=True)
    one.deliver(mine, mine.scan(BOX, session="S-1"))
    one.settle()
    two.deliver(other, other.scan(BOX, Operation.RETURN))
    message = mine.scan(CODES[1], session="S-1")
    jobs = [lambda: one.deliver(mine, message), two.settle]
    meet(one.url, SESSION, "S-1", *(jobs[::-1] if turned else jobs))
    calm(one, two)
    assert told_of(mine, 2) == ((ACCEPTED, 0) if turned else (REJECTED, 19))
    assert shop.lines(one) == [1 if turned else 0]


@pytest.mark.parametrize("operation", ["sale", "void"])
def test_nothing_is_done_in_a_session_that_was_closed_first(
    one: World, two: World, turned: bool, operation: str
) -> None:
    till = one.terminal("d-1")
    shop.session(one, till, "S-1")
    one.deliver(till, till.scan(BOX, session="S-1"))
    one.settle()
    message = till.scan(CODES[1], session="S-1") if operation == "sale" else till.void(1, session="S-1")
    jobs = [
        lambda: one.deliver(till, message),
        lambda: sessions.close_session(two.ledger, "S-1", two.clock.now()),
    ]
    told = meet(one.url, DEVICE, "d-1", *(jobs[::-1] if turned else jobs))
    assert not [one for one in told if isinstance(one, Exception)]
    calm(one, two)
    assert told_of(till, 2)[0] == (REJECTED if turned else ACCEPTED)
    assert one.platform.sold(BOX) == (0 if operation == "void" and not turned else 1)


@pytest.mark.parametrize("fewer", [1, 2])
def test_lines_that_are_changed_under_a_sale_are_never_overdrawn(
    one: World, two: World, turned: bool, fewer: int
) -> None:
    till = one.terminal("d-1")
    shop.product(one)
    shop.session(one, till, "S-1", boxes(2), expects=True)
    one.deliver(till, till.scan(BOX, session="S-1"))
    message = till.scan(CODES[1], session="S-1")
    new = [Line(1, "P-1", fewer, split=False)]
    jobs = [
        lambda: one.deliver(till, message),
        lambda: sessions.set_lines(two.ledger, "S-1", new, two.clock.now()),
    ]
    meet(one.url, SESSION, "S-1", *(jobs[::-1] if turned else jobs))
    calm(one, two)
    full = turned and fewer == 1
    assert told_of(till, 2) == ((REJECTED, 19) if full else (ACCEPTED, 0))
    assert shop.lines(one) == [1 if full else 2]


def test_reply_to_a_command_and_its_acknowledgement_do_not_wait_in_a_circle(one: World, two: World) -> None:
    """One bridge hears the reply; the other, which sent the command, writes down that the broker had it."""
    mine, other = one.terminal("d-1"), one.terminal("d-2")
    session = sessions.open_session(one.ledger, "d-1", one.clock.now(), random.Random(1))
    two.intake.publish_unsent()
    scan, reply = mine.scan(BOX, session=session), mine.peer.seal_reply(Reply(1, "ok", 1, {}))
    batch = [
        Inbound(f"scanlatch/v1/{SITE}/d-1/{kind}", message, lambda: None)
        for kind, message in (("scan", scan), ("reply", reply))
    ]
    again = other.scan(BOX)
    jobs = [lambda: one.intake.process(batch), lambda: two.deliver(other, again)]
    assert meet(one.url, SESSION, session, *jobs) == [None, None]
    calm(one, two)
    assert (told_of(mine, 1), told_of(other, 1)) == ((ACCEPTED, 0), (DUPLICATE, 1))
    assert sessions.status(one.ledger, session).reply == "ok"


# -- an opened box, a case and its box, the register, a recall


def test_last_part_of_an_opened_box_goes_out_once(one: World, two: World, turned: bool) -> None:
    tills = [one.terminal("d-1"), one.terminal("d-2")]
    shop.product(one, content=3)
    for till, name in zip(tills, ("S-1", "S-2"), strict=True):
        shop.session(one, till, name, pieces(9))
    one.deliver(tills[0], *(tills[0].scan(BOX, session="S-1") for _ in range(2)))
    one.settle()
    pairs = (one, tills[0], tills[0].scan(BOX, session="S-1")), (two, tills[1], tills[1].scan(BOX, session="S-2"))
    assert meet_scans(CODE, BOX, turned, *pairs) == [(ACCEPTED, 0), (REJECTED, 19)]
    assert (shop.code(one, BOX), one.platform.sold(BOX)) == (("opened", 3), 3)
    assert shop.lines(one, "S-1") + shop.lines(one, "S-2") == ([2, 1] if turned else [3, 0])


def test_last_part_and_its_return_leave_as_many_as_are_out(one: World, two: World, turned: bool) -> None:
    tills = [one.terminal("d-1"), one.terminal("d-2")]
    shop.product(one, content=2)
    shop.session(one, tills[0], "S-1", pieces(9))
    one.deliver(tills[0], tills[0].scan(BOX, session="S-1"))
    one.settle()
    sale = (one, tills[0], tills[0].scan(BOX, session="S-1"))
    back = (two, tills[1], tills[1].scan(BOX, Operation.RETURN))
    assert meet_scans(CODE, BOX, turned, sale, back) == [(ACCEPTED, 0)] * 2
    assert (shop.code(one, BOX), one.platform.sold(BOX), shop.lines(one)) == (("opened", 1), 1, [1])


def test_case_and_its_box_are_not_both_sold(one: World, two: World, turned: bool) -> None:
    tills = [one.terminal("d-1"), one.terminal("d-2")]
    shop.product(one)
    shop.unit(one, CASE, level=1)
    shop.unit(one, BOX, parent=CASE)
    pairs = (one, tills[0], tills[0].scan(CASE)), (two, tills[1], tills[1].scan(BOX))
    assert meet_scans(CODE, BOX, turned, *pairs) == [(ACCEPTED, 0), (REJECTED, 9)]
    assert one.platform.sold(BOX) + one.platform.sold(CASE) == 1


def test_register_never_gives_what_it_has_not(one: World, two: World) -> None:
    tills = [one.terminal("d-1"), one.terminal("d-2")]
    shop.product(one)
    for till, name in zip(tills, ("S-1", "S-2"), strict=True):
        shop.session(one, till, name)
    register.enter(one.ledger, SITE, "P-1", "B1", 5, "op", one.clock.now())
    jobs = [
        lambda: register.sell(one.ledger, SITE, "P-1", 3, "S-1", "op", one.clock.now()),
        lambda: register.sell(two.ledger, SITE, "P-1", 3, "S-2", "op", two.clock.now()),
    ]
    first, second = meet(one.url, ENTRY, "P-1", *jobs)
    assert [quantity for _, quantity in first] == [3]
    assert isinstance(second, StockShort)
    assert [entry.remaining for entry in register.listed(one.ledger, SITE)] == [2]


def test_recall_that_meets_a_sale_stops_every_sale_after_it(one: World, two: World, turned: bool) -> None:
    tills = [one.terminal("d-1"), one.terminal("d-2")]
    shop.product(one)
    message = tills[0].scan(BOX)
    jobs = [
        lambda: one.deliver(tills[0], message),
        lambda: catalogue.recall(two.ledger, "P-1", "particles", two.clock.now()),
    ]
    told = meet(one.url, CODE, BOX, *(jobs[::-1] if turned else jobs))
    assert not [one for one in told if isinstance(one, Exception)]
    calm(one, two)
    assert told_of(tills[0], 1) == ((REJECTED, 5) if turned else (ACCEPTED, 0))
    for world, till in ((one, tills[0]), (two, tills[1])):
        world.sell(till, CODES[1])
        assert told_of(till, till.seq) == (REJECTED, 5)
