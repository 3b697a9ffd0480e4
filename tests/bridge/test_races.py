"""Two bridges on one PostgreSQL meet at one box, dock, session or register: it ends as if one had come first."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_bridge import catalogue, deliveries, register, sessions
from host_bridge.errors import MayNotDispense, StockShort
from host_bridge.ledger.sessions import Line
from host_bridge.opening import Inbound
from host_bridge.wire import Operation, Reply
from tests.bridge import shop
from tests.bridge.meeting import CODE, DEVICE, ENTRY, ITEM, SESSION, deadlocks, meet
from tests.bridge.shop import boxes, pieces
from tests.bridge.world import CODES, SITE, Terminal, World

ACCEPTED, REJECTED, DUPLICATE, PENDING = 0, 1, 2, 3
BOX = CODES[0]
CASE, INNER = CODES[40], CODES[41]


@pytest.fixture
def one(tmp_path: Path, emptied_database: str) -> Iterator[World]:
    made = World(tmp_path, url=emptied_database)
    before = deadlocks(made.url)
    yield made
    made.close()
    assert deadlocks(made.url) == before


@pytest.fixture
def two(one: World) -> Iterator[World]:
    made = World.beside(one)
    made.clock = one.clock
    made.start()
    yield made
    made.close()


@pytest.fixture(params=["first", "second"])
def turned(request: pytest.FixtureRequest) -> bool:
    """Whether the bridge that is named second comes first."""
    return request.param == "second"


def _calm(*worlds: World) -> None:
    """Whatever can be answered is."""
    for _ in range(4):
        for world in worlds:
            world.settle()
        worlds[0].later(15_000)


def _told(till: Terminal, seq: int) -> tuple[int, int]:
    """Outcome and reason of the final verdict on a record; it has one."""
    finals = {(int(one.outcome), one.reason) for one in till.verdicts() if one.seq == seq and one.final}
    assert len(finals) == 1, f"{till.peer.device}/{seq}: {finals}"
    return finals.pop()


def _meet_scans(row: str, name: str, turned: bool, *pairs: tuple[World, Terminal, bytes]) -> list[tuple[int, int]]:
    """Both bridges take a record of their terminal's; final outcomes and reasons, of the one that came first first."""
    ordered = pairs[::-1] if turned else pairs
    seqs = [(till, till.seq) for _, till, _ in ordered]
    done = meet(
        pairs[0][0].url,
        row,
        name,
        *[lambda w=world, t=till, m=message: w.deliver(t, m) for world, till, message in ordered],
    )
    assert done == [None] * len(pairs)
    _calm(*[world for world, _, _ in pairs])
    return [_told(till, seq) for till, seq in seqs]


# -- one sale, taken back twice


@pytest.mark.parametrize("sale", ["waiting", "unknown", "sold"])
def test_void_and_return_of_one_sale_take_it_back_once(one: World, two: World, turned: bool, sale: str) -> None:
    mine, other = one.terminal("d-1"), one.terminal("d-2")
    one.platform.loses_answers = sale == "unknown"
    one.deliver(mine, mine.scan(BOX))
    if sale != "waiting":
        one.settle()
    one.platform.loses_answers = False
    void = (one, mine, mine.void(1))
    back = (two, other, other.scan(BOX, Operation.RETURN))
    first, second = _meet_scans(CODE, BOX, turned, void, back)
    assert (first[0], second[0]) == (ACCEPTED, REJECTED)
    assert (one.platform.sold(BOX), shop.code(one, BOX)) == (0, ("free", 0))
    one.sell(other, BOX)
    assert (_told(other, 2), one.platform.sold(BOX)) == ((ACCEPTED, 0), 1)


def test_two_returns_of_one_sale_take_it_back_once(one: World, two: World, turned: bool) -> None:
    tills = [one.terminal(f"d-{n}") for n in range(3)]
    one.sell(tills[2], BOX)
    pairs = [(world, till, till.scan(BOX, Operation.RETURN)) for world, till in zip((one, two), tills, strict=False)]
    first, second = _meet_scans(CODE, BOX, turned, *pairs)
    assert (first[0], second[0]) == (ACCEPTED, REJECTED)
    assert (one.platform.sold(BOX), shop.code(one, BOX)) == (0, ("free", 0))


def test_sale_that_meets_the_return_of_the_last_one_is_of_the_box_after_it_or_of_none(
    one: World, two: World, turned: bool
) -> None:
    tills = [one.terminal("d-1"), one.terminal("d-2")]
    one.sell(tills[0], BOX)
    sale, back = (one, tills[0], tills[0].scan(BOX)), (two, tills[1], tills[1].scan(BOX, Operation.RETURN))
    _meet_scans(CODE, BOX, turned, sale, back)
    assert (_told(tills[0], 2)[0], _told(tills[1], 1)[0]) == (DUPLICATE, ACCEPTED)  # the platform has to agree first
    assert one.platform.sold(BOX) == 0


# -- two docks


def test_box_and_its_case_are_counted_once_through_both(one: World, two: World, turned: bool) -> None:
    tills = [one.terminal("d-1"), one.terminal("d-2")]
    inside = {INNER: CASE, **dict.fromkeys(CODES[:3], INNER)}
    shop.announce(one, "D-1", CASE, INNER, *CODES[:3], inside=inside)
    case = (one, tills[0], tills[0].scan(CASE, Operation.RECEIVE))
    box = (two, tills[1], tills[1].scan(BOX, Operation.RECEIVE))
    told = _meet_scans(CODE, BOX, turned, case, box)
    assert told == [(ACCEPTED, 0), (REJECTED, 9)]
    by = {code: key for code, (_, key, _) in shop.seen(one, "D-1").items()}
    counted = {BOX: "d-2/1"} if turned else dict.fromkeys((CASE, INNER, *CODES[:3]), "d-1/1")
    assert by == {**dict.fromkeys((CASE, INNER, *CODES[:3])), **counted}
    assert shop.stock(one, CODES[:3]) == ([SITE, None, None] if turned else [SITE] * 3)


@pytest.mark.parametrize("what", ["case", "box", "extra"])
def test_what_both_docks_scan_is_counted_by_the_first(one: World, two: World, turned: bool, what: str) -> None:
    tills = [one.terminal("d-1"), one.terminal("d-2")]
    shop.announce(one, "D-1", CASE, *CODES[:3], inside=dict.fromkeys(CODES[:3], CASE))
    code = {"case": CASE, "box": BOX, "extra": CODES[9]}[what]
    pairs = [(world, till, till.scan(code, Operation.RECEIVE)) for world, till in zip((one, two), tills, strict=True)]
    told = _meet_scans(CODE, code, turned, *pairs)
    assert told == [(REJECTED, 12) if what == "extra" else (ACCEPTED, 0)] * 2
    found = shop.seen(one, "D-1")
    assert found[code][:2] == (what != "extra", "d-2/1" if turned else "d-1/1")
    assert len(found) == (5 if what == "extra" else 4)
    result = deliveries.result(one.ledger, "D-1")
    assert len(result.seen) == {"case": 3, "box": 1, "extra": 0}[what]


def test_box_that_is_sold_while_its_case_comes_in_is_in_no_stock(one: World, two: World, turned: bool) -> None:
    tills = [one.terminal("d-1"), one.terminal("d-2")]
    shop.announce(one, "D-1", CASE, *CODES[:3], inside=dict.fromkeys(CODES[:3], CASE))
    case, sale = (one, tills[0], tills[0].scan(CASE, Operation.RECEIVE)), (two, tills[1], tills[1].scan(BOX))
    assert _meet_scans(CODE, BOX, turned, case, sale) == [(ACCEPTED, 0)] * 2
    assert shop.stock(one, CODES[:3]) == [None, SITE, SITE]


def test_delivery_is_closed_with_what_its_last_scan_counted(one: World, two: World, turned: bool) -> None:
    """What whoever closes it is told is what stays in the books."""
    till = one.terminal("d-1")
    shop.announce(one, "D-1", BOX)
    message = till.scan(BOX, Operation.RECEIVE)
    jobs = [lambda: one.deliver(till, message), lambda: deliveries.close(two.ledger, "D-1", two.clock.now())]
    told = meet(one.url, ITEM, BOX, *(jobs[::-1] if turned else jobs))[0 if turned else 1]
    assert told == deliveries.result(one.ledger, "D-1")
    assert told.seen == (() if turned else (BOX,))
    assert _told(till, 1) == (ACCEPTED, 0)


def test_case_that_is_announced_while_it_comes_in_is_counted_with_all_of_it_or_not_at_all(
    one: World, two: World, turned: bool
) -> None:
    till = one.terminal("d-1")
    message = till.scan(CASE, Operation.RECEIVE)
    told = [deliveries.Announced(CASE), *(deliveries.Announced(code, CASE) for code in CODES[:3])]
    jobs = [
        lambda: one.deliver(till, message),
        lambda: deliveries.announce(two.ledger, "D-1", SITE, "a wholesaler", told, two.clock.now()),
    ]
    assert meet(one.url, CODE, CASE, *(jobs[::-1] if turned else jobs)) == [None, None]
    assert _told(till, 1) == (ACCEPTED, 0)
    seen = deliveries.result(one.ledger, "D-1").seen
    assert (len(seen), shop.stock(one, CODES[:3])) == ((3, [SITE] * 3) if turned else (0, [None] * 3))


def test_package_that_holds_more_than_a_statement_locks_in_the_order_of_everybody(one: World, two: World) -> None:
    tills = [one.terminal("d-1"), one.terminal("d-2")]
    inside = [f"8338652{number:013}" for number in range(1_000, 1_700)]
    shop.announce(one, "D-1", CASE, *inside, inside=dict.fromkeys(inside, CASE))
    known, between, new = inside[0], inside[1], inside[-1]
    one.deliver(tills[1], tills[1].scan(known, Operation.QUERY))
    case = tills[0].scan(CASE, Operation.RECEIVE)
    both = [tills[1].scan(code) for code in (known, new)]
    jobs = [lambda: one.deliver(tills[0], case), lambda: two.deliver(tills[1], *both)]
    assert meet(one.url, CODE, between, *jobs) == [None, None]
    _calm(one, two)
    assert [_told(tills[1], seq) for seq in (2, 3)] == [(ACCEPTED, 0)] * 2
    assert _told(tills[0], 1) == (ACCEPTED, 0)


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
    _calm(one, two)
    assert isinstance(told[0 if turned else 1], list if turned else MayNotDispense)
    assert _told(till, 2) == ((REJECTED, 19) if turned else (ACCEPTED, 0))
    assert shop.lines(one) == [2]


def test_session_serves_its_own_terminal_only(one: World, two: World, turned: bool) -> None:
    mine, other = one.terminal("d-1"), one.terminal("d-2")
    shop.product(one)
    shop.session(one, mine, "S-1", boxes(1), expects=True)
    pairs = (one, mine, mine.scan(BOX, session="S-1")), (two, other, other.scan(CODES[1], session="S-1"))
    _meet_scans(SESSION, "S-1", turned, *pairs)
    assert (_told(mine, 1), _told(other, 1)) == ((ACCEPTED, 0), (REJECTED, 16))
    assert shop.lines(one) == [1]


def test_one_terminals_records_through_both_bridges_fill_its_line_once(one: World, two: World, turned: bool) -> None:
    till = one.terminal("d-1")
    shop.product(one)
    shop.session(one, till, "S-1", boxes(1), expects=True)
    messages = [till.scan(code, session="S-1") for code in CODES[:2]]
    jobs = [lambda: one.deliver(till, messages[0]), lambda: two.deliver(till, messages[1])]
    assert meet(one.url, DEVICE, "d-1", *(jobs[::-1] if turned else jobs)) == [None, None]
    _calm(one, two)
    assert (_told(till, 1), _told(till, 2), shop.lines(one)) == ((ACCEPTED, 0), (REJECTED, 19), [1])


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
    _calm(one, two)
    assert _told(mine, 2) == ((ACCEPTED, 0) if turned else (REJECTED, 19))
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
    _calm(one, two)
    assert _told(till, 2)[0] == (REJECTED if turned else ACCEPTED)
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
    _calm(one, two)
    full = turned and fewer == 1
    assert _told(till, 2) == ((REJECTED, 19) if full else (ACCEPTED, 0))
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
    _calm(one, two)
    assert (_told(mine, 1), _told(other, 1)) == ((ACCEPTED, 0), (DUPLICATE, 1))
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
    assert _meet_scans(CODE, BOX, turned, *pairs) == [(ACCEPTED, 0), (REJECTED, 19)]
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
    assert _meet_scans(CODE, BOX, turned, sale, back) == [(ACCEPTED, 0)] * 2
    assert (shop.code(one, BOX), one.platform.sold(BOX), shop.lines(one)) == (("opened", 1), 1, [1])


def test_case_and_its_box_are_not_both_sold(one: World, two: World, turned: bool) -> None:
    tills = [one.terminal("d-1"), one.terminal("d-2")]
    shop.product(one)
    shop.unit(one, CASE, level=1)
    shop.unit(one, BOX, parent=CASE)
    pairs = (one, tills[0], tills[0].scan(CASE)), (two, tills[1], tills[1].scan(BOX))
    assert _meet_scans(CODE, BOX, turned, *pairs) == [(ACCEPTED, 0), (REJECTED, 9)]
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
    _calm(one, two)
    assert _told(tills[0], 1) == ((REJECTED, 5) if turned else (ACCEPTED, 0))
    for world, till in ((one, tills[0]), (two, tills[1])):
        world.sell(till, CODES[1])
        assert _told(till, till.seq) == (REJECTED, 5)
