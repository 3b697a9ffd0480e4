"""Two bridges on one PostgreSQL meet at one sale or at one dock: it ends as if one of them had come first."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from host_bridge import deliveries
from host_bridge.settlement import by_hand
from host_bridge.settlement.port import Answer
from host_bridge.wire import Operation
from tests.bridge import shop
from tests.bridge.meeting import ARRIVES_S, CODE, ITEM, SUBMISSION, calm, meet, meet_scans, told_of
from tests.bridge.world import CODES, OTHER_SITE, SITE, World

ACCEPTED, REJECTED, DUPLICATE = 0, 1, 2
BOX = CODES[0]
CASE, INNER = CODES[40], CODES[41]


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
    first, second = meet_scans(CODE, BOX, turned, void, back)
    assert (first[0], second[0]) == (ACCEPTED, REJECTED)
    assert (one.platform.sold(BOX), shop.code(one, BOX)) == (0, ("free", 0))
    one.sell(other, BOX)
    assert (told_of(other, 2), one.platform.sold(BOX)) == ((ACCEPTED, 0), 1)


def test_two_returns_of_one_sale_take_it_back_once(one: World, two: World, turned: bool) -> None:
    tills = [one.terminal(f"d-{n}") for n in range(3)]
    one.sell(tills[2], BOX)
    pairs = [(world, till, till.scan(BOX, Operation.RETURN)) for world, till in zip((one, two), tills, strict=False)]
    first, second = meet_scans(CODE, BOX, turned, *pairs)
    assert (first[0], second[0]) == (ACCEPTED, REJECTED)
    assert (one.platform.sold(BOX), shop.code(one, BOX)) == (0, ("free", 0))


def test_sale_that_meets_the_return_of_the_last_one_is_of_the_box_after_it_or_of_none(
    one: World, two: World, turned: bool
) -> None:
    tills = [one.terminal("d-1"), one.terminal("d-2")]
    one.sell(tills[0], BOX)
    sale, back = (one, tills[0], tills[0].scan(BOX)), (two, tills[1], tills[1].scan(BOX, Operation.RETURN))
    meet_scans(CODE, BOX, turned, sale, back)
    assert (told_of(tills[0], 2)[0], told_of(tills[1], 1)[0]) == (
        DUPLICATE,
        ACCEPTED,
    )  # the platform has to agree first
    assert one.platform.sold(BOX) == 0


@pytest.mark.parametrize("back", ["waiting", "unknown", "taken"])
def test_sale_that_stands_again_and_a_sale_elsewhere_are_not_both_of_the_box(
    one: World, two: World, turned: bool, back: str
) -> None:
    mine, other = one.terminal("d-1"), one.terminal("d-2", OTHER_SITE)
    one.sell(mine, BOX)
    one.deliver(mine, mine.scan(BOX, Operation.RETURN))
    one.platform.loses_answers = back == "unknown"
    if back != "waiting":
        one.settle()
    one.platform.loses_answers = False
    void, sale = (one, mine, mine.void(2)), (two, other, other.scan(BOX))
    meet_scans(CODE, BOX, turned, void, sale)
    sold_elsewhere = back == "taken" and turned
    assert told_of(mine, 3) == ((REJECTED, 22) if sold_elsewhere else (ACCEPTED, 0))
    assert told_of(other, 1) == ((ACCEPTED, 0) if sold_elsewhere else (REJECTED, 2))
    assert one.platform.sold(BOX) == 1


def test_answer_to_a_sale_and_a_person_at_its_void_do_not_wait_in_a_circle(one: World, two: World) -> None:
    mine, asked, told = one.terminal("d-1"), threading.Event(), threading.Event()
    one.sell(mine, *CODES[1:9])
    one.platform.loses_answers = True
    one.sell(mine, BOX)
    one.platform.loses_answers = False
    one.deliver(mine, mine.void(9))
    one.later(40_000)
    ask = one.platform.ask

    def slowly(keys: Sequence[str]) -> list[Answer]:
        asked.set()
        assert told.wait(ARRIVES_S)
        return ask(keys)

    one.platform.ask = slowly  # type: ignore[method-assign]
    with ThreadPoolExecutor(1) as pool:
        step = pool.submit(one.outbox.step)
        assert asked.wait(ARRIVES_S)

        def answer() -> bool:
            told.set()
            return step.result(ARRIVES_S)

        again = meet(one.url, SUBMISSION, "d-1/9", answer, lambda: by_hand.retry(two.ledger, ["d-1/10"]))
    assert again == [True, {}]
    calm(one, two)
    assert (told_of(mine, 10), one.platform.sold(BOX)) == ((ACCEPTED, 0), 0)


# -- two docks


def test_box_and_its_case_are_counted_once_through_both(one: World, two: World, turned: bool) -> None:
    tills = [one.terminal("d-1"), one.terminal("d-2")]
    inside = {INNER: CASE, **dict.fromkeys(CODES[:3], INNER)}
    shop.announce(one, "D-1", CASE, INNER, *CODES[:3], inside=inside)
    case = (one, tills[0], tills[0].scan(CASE, Operation.RECEIVE))
    box = (two, tills[1], tills[1].scan(BOX, Operation.RECEIVE))
    told = meet_scans(CODE, BOX, turned, case, box)
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
    told = meet_scans(CODE, code, turned, *pairs)
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
    assert meet_scans(CODE, BOX, turned, case, sale) == [(ACCEPTED, 0)] * 2
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
    assert told_of(till, 1) == (ACCEPTED, 0)


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
    assert told_of(till, 1) == (ACCEPTED, 0)
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
    calm(one, two)
    assert [told_of(tills[1], seq) for seq in (2, 3)] == [(ACCEPTED, 0)] * 2
    assert told_of(tills[0], 1) == (ACCEPTED, 0)
