"""The decision by itself: each rule of each table, and which of two that both hold comes first."""

from dataclasses import replace
from typing import Any

import pytest

from host_bridge.rules import Known, Place, SessionState, Standing, Target, decide, refusal
from host_bridge.rules_tables import Alarm, Effect
from host_bridge.wire import Operation, Outcome

ACCEPTED, REJECTED, DUPLICATE, PENDING, EXEMPT, ERROR = 0, 1, 2, 3, 4, 5
HERE: dict[str, Any] = {"code": Standing.HERE}
ELSEWHERE: dict[str, Any] = {"code": Standing.ELSEWHERE}
OPENED: dict[str, Any] = {**HERE, "opened": True, "split_lines": True, "place": Place.PART}
IN_SESSION: dict[str, Any] = {"session": "S-1", "session_state": SessionState.IN_FORCE}
SOLD = Target(Operation.SALE, "S-1", False, False, Outcome.ACCEPTED, 1, "done")

# What holds -> outcome, reason, effect. In the order of the checks: each row must also win over those below it.
SALES: list[tuple[str, dict[str, Any], tuple[int, int, Effect]]] = [
    ("malformed", {"malformed": True}, (ERROR, 20, Effect.NOTHING)),
    ("suspended", {"suspended": True}, (ERROR, 17, Effect.NOTHING)),
    ("session unknown", {"session": "S-1", "session_state": SessionState.UNKNOWN}, (REJECTED, 16, Effect.NOTHING)),
    ("no session", {"requires_session": True}, (REJECTED, 16, Effect.NOTHING)),
    ("session of another kind", {**IN_SESSION, "other_kind": True}, (REJECTED, 16, Effect.NOTHING)),
    ("exempt", {"exempt": True}, (EXEMPT, 0, Effect.NOTHING)),
    ("sold elsewhere", ELSEWHERE, (REJECTED, 2, Effect.NOTHING)),
    ("sold here", HERE, (DUPLICATE, 1, Effect.REPEAT)),
    ("case", {"level": 2}, (REJECTED, 8, Effect.NOTHING)),
    ("relative", {"relative_held": True}, (REJECTED, 9, Effect.NOTHING)),
    ("recalled", {"recalled": True}, (REJECTED, 5, Effect.NOTHING)),
    ("expired", {"expired": True}, (REJECTED, 6, Effect.NOTHING)),
    ("not received", {"requires_receipt": True}, (REJECTED, 4, Effect.NOTHING)),
    ("not on the lines", {"expects": True}, (REJECTED, 7, Effect.NOTHING)),
    ("lines full", {"place": Place.FULL}, (REJECTED, 19, Effect.NOTHING)),
    ("platform down", {"platform_down": True, "refuses_offline": True}, (REJECTED, 14, Effect.NOTHING)),
    ("split", {"place": Place.PART, "split_lines": True}, (PENDING, 14, Effect.PART)),
    ("plain", {}, (PENDING, 14, Effect.CLAIM)),
]
_SAME_FIELD = {("not on the lines", "lines full"), ("not on the lines", "split"), ("lines full", "split")}


def told(known: Known) -> tuple[int, int, Effect]:
    decision = decide(known)
    return int(decision.outcome), decision.reason, decision.effect


@pytest.mark.parametrize(("holds", "answer"), [row[1:] for row in SALES], ids=[row[0] for row in SALES])
def test_sale(holds: dict[str, Any], answer: tuple[int, int, Effect]) -> None:
    assert told(Known(operation=Operation.SALE, **holds)) == answer


def test_of_two_rules_of_a_sale_the_earlier_decides() -> None:
    for at, (first, holds, answer) in enumerate(SALES):
        for later, also, _ in SALES[at + 1 :]:
            if (first, later) not in _SAME_FIELD and not {"code"} <= holds.keys() & also.keys():
                assert told(Known(operation=Operation.SALE, **{**also, **holds})) == answer, (first, later)


@pytest.mark.parametrize(
    ("holds", "answer"),
    [
        ({"requires_receipt": True, "in_stock": True}, (PENDING, 14, Effect.CLAIM)),
        ({"level": 3, "sales_level": 3}, (PENDING, 14, Effect.CLAIM)),
        ({"expects": True, "place": Place.WHOLE}, (PENDING, 14, Effect.CLAIM)),
        ({"platform_down": True}, (PENDING, 14, Effect.CLAIM)),
        ({**IN_SESSION, "requires_session": True}, (PENDING, 14, Effect.CLAIM)),
        ({"session": "S-1", "session_state": SessionState.OVER}, (REJECTED, 16, Effect.NOTHING)),
        ({"session": "S-1", "session_state": SessionState.CLOSED}, (REJECTED, 16, Effect.NOTHING)),
        (OPENED, (PENDING, 14, Effect.PART)),
        ({**OPENED, "requires_receipt": True}, (PENDING, 14, Effect.PART)),
        ({**OPENED, "used_up": True}, (REJECTED, 19, Effect.NOTHING)),
        ({**OPENED, "place": Place.FULL}, (REJECTED, 19, Effect.NOTHING)),
        ({**OPENED, "split_lines": False, "place": Place.NONE}, (DUPLICATE, 1, Effect.REPEAT)),
        ({**OPENED, **ELSEWHERE}, (REJECTED, 2, Effect.NOTHING)),
    ],
)  # fmt: skip
def test_sale_with_what_a_site_or_session_asks_for(holds: dict[str, Any], answer: tuple[int, int, Effect]) -> None:
    assert told(Known(operation=Operation.SALE, **holds)) == answer


@pytest.mark.parametrize(("repeats", "alarm"), [(0, None), (1, None), (2, Alarm.REPEATED), (9, Alarm.REPEATED)])
def test_the_third_repeat_raises_an_alarm(repeats: int, alarm: Alarm | None) -> None:
    assert decide(Known(operation=Operation.SALE, code=Standing.HERE, repeats=repeats)).alarm is alarm


def test_sold_elsewhere_raises_an_alarm() -> None:
    for operation in (Operation.SALE, Operation.RECEIVE, Operation.DISPATCH):
        assert decide(Known(operation=operation, code=Standing.ELSEWHERE)).alarm is Alarm.SOLD_ELSEWHERE
    assert decide(Known(operation=Operation.QUERY, code=Standing.ELSEWHERE)).alarm is None


@pytest.mark.parametrize(
    ("holds", "answer"),
    [
        ({**HERE, "target": SOLD}, (PENDING, 14, Effect.REVERSE)),
        ({**HERE, "target": SOLD, "late": True}, (REJECTED, 11, Effect.NOTHING)),
        ({**HERE, "target": replace(SOLD, voided=True)}, (REJECTED, 11, Effect.NOTHING)),
        (HERE, (REJECTED, 11, Effect.NOTHING)),
        (ELSEWHERE, (REJECTED, 11, Effect.NOTHING)),
        ({"exempt": True}, (EXEMPT, 0, Effect.NOTHING)),
        ({**HERE, "exempt": True, "target": SOLD}, (PENDING, 14, Effect.REVERSE)),
        ({**ELSEWHERE, "exempt": True}, (REJECTED, 11, Effect.NOTHING)),
        ({}, (REJECTED, 11, Effect.NOTHING)),
    ],
)
def test_return(holds: dict[str, Any], answer: tuple[int, int, Effect]) -> None:
    assert told(Known(operation=Operation.RETURN, **holds)) == answer


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({}, (PENDING, 14, Effect.REVERSE)),
        ({"outcome": Outcome.PENDING, "submission": "sending"}, (PENDING, 14, Effect.REVERSE)),
        ({"submission": "waiting"}, (PENDING, 14, Effect.REVERSE)),
        ({"submission": "waiting", "attempts": 0}, (ACCEPTED, 0, Effect.CANCEL)),
        ({"outcome": Outcome.EXEMPT, "submission": None}, (ACCEPTED, 0, Effect.MARK)),
        ({"submission": None}, (REJECTED, 22, Effect.NOTHING)),
        ({"outcome": Outcome.REJECTED}, (REJECTED, 22, Effect.NOTHING)),
        ({"outcome": Outcome.DUPLICATE_HERE}, (REJECTED, 22, Effect.NOTHING)),
        ({"outcome": Outcome.ERROR}, (REJECTED, 22, Effect.NOTHING)),
        ({"voided": True}, (REJECTED, 22, Effect.NOTHING)),
        ({"session": None}, (REJECTED, 22, Effect.NOTHING)),
        ({"session_closed": True}, (REJECTED, 22, Effect.NOTHING)),
        ({"operation": None}, (REJECTED, 22, Effect.NOTHING)),
        ({"operation": Operation.VOID}, (REJECTED, 22, Effect.NOTHING)),
        ({"operation": Operation.SESSION_END}, (REJECTED, 22, Effect.NOTHING)),
        ({"operation": Operation.RETURN}, (PENDING, 14, Effect.RESTORE)),
        ({"operation": Operation.RETURN, "submission": "held", "attempts": 0}, (ACCEPTED, 0, Effect.CANCEL)),
        ({"operation": Operation.RETURN, "submission": None}, (REJECTED, 22, Effect.NOTHING)),
        ({"operation": Operation.RECEIVE, "submission": None}, (ACCEPTED, 0, Effect.UNDO)),
        ({"operation": Operation.DISPATCH, "submission": None}, (ACCEPTED, 0, Effect.UNDO)),
        ({"operation": Operation.STOCK_TAKE, "submission": None}, (ACCEPTED, 0, Effect.MARK)),
        ({"operation": Operation.QUERY}, (ACCEPTED, 0, Effect.MARK)),
        ({"operation": Operation.QUERY, "submission": "waiting", "attempts": 0}, (ACCEPTED, 0, Effect.CANCEL)),
    ],
)
def test_void(changed: dict[str, Any], answer: tuple[int, int, Effect]) -> None:
    known = Known(operation=Operation.VOID, **IN_SESSION, target=replace(SOLD, **changed))
    assert told(known) == answer
    known.moved_on = True
    assert told(known) == (REJECTED, 22, Effect.NOTHING)


def test_void_of_nothing_and_in_a_session_that_is_over_finds_nothing() -> None:
    nothing = REJECTED, 22, Effect.NOTHING
    assert told(Known(operation=Operation.VOID, **IN_SESSION)) == nothing
    over: dict[str, Any] = {**IN_SESSION, "session_state": SessionState.OVER}
    assert told(Known(operation=Operation.VOID, **over, target=SOLD)) == nothing


@pytest.mark.parametrize("operation", [Operation.SALE, Operation.STOCK_TAKE])
def test_a_session_of_another_kind_counts_as_none(operation: Operation) -> None:
    assert told(Known(operation=operation, **IN_SESSION, other_kind=True)) == (REJECTED, 16, Effect.NOTHING)


@pytest.mark.parametrize(
    ("holds", "answer"),
    [
        (HERE, (REJECTED, 1, Effect.DIFFERS)),
        (ELSEWHERE, (REJECTED, 2, Effect.DIFFERS)),
        ({"announced": True, "differs": True}, (REJECTED, 10, Effect.DIFFERS)),
        ({"relative_counted": True, "announced": True}, (REJECTED, 9, Effect.NOTHING)),
        ({"counted": True, "announced": True}, (ACCEPTED, 0, Effect.NOTHING)),
        ({"announced": True, "delivery_open": True}, (ACCEPTED, 0, Effect.COUNT)),
        ({"delivery_open": True}, (REJECTED, 12, Effect.EXTRA)),
        ({}, (ACCEPTED, 0, Effect.STOCK)),
    ],
)
@pytest.mark.parametrize("operation", [Operation.RECEIVE, Operation.DISPATCH])
def test_dock(operation: Operation, holds: dict[str, Any], answer: tuple[int, int, Effect]) -> None:
    assert told(Known(operation=operation, in_stock=True, **holds)) == answer


def test_what_is_unfit_comes_not_in_but_may_go_out() -> None:
    things: list[tuple[dict[str, Any], int]] = [({"recalled": True}, 5), ({"expired": True}, 6)]
    for holds, reason in things:
        assert told(Known(operation=Operation.RECEIVE, **holds)) == (REJECTED, reason, Effect.DIFFERS)
        assert told(Known(operation=Operation.DISPATCH, **holds)) == (ACCEPTED, 0, Effect.STOCK)


def test_what_is_not_here_can_not_be_sent_on_where_receipt_is_required() -> None:
    assert told(Known(operation=Operation.DISPATCH, requires_receipt=True)) == (REJECTED, 4, Effect.NOTHING)


def test_stock_take_takes_everything_and_changes_nothing() -> None:
    things: list[dict[str, Any]] = [{}, HERE, ELSEWHERE, {"recalled": True, "level": 3}]
    for holds in things:
        assert told(Known(operation=Operation.STOCK_TAKE, **holds)) == (ACCEPTED, 0, Effect.NOTHING)


@pytest.mark.parametrize(
    ("holds", "answer"),
    [
        ({}, (PENDING, 14, Effect.ASK)),
        (HERE, (DUPLICATE, 1, Effect.NOTHING)),
        (ELSEWHERE, (REJECTED, 2, Effect.NOTHING)),
    ],
)
def test_query_changes_nothing(holds: dict[str, Any], answer: tuple[int, int, Effect]) -> None:
    assert told(Known(operation=Operation.QUERY, **holds)) == answer


def test_a_platforms_refusal_becomes_the_final_verdict() -> None:
    found = [(int(one.outcome), one.reason, one.alarm) for one in map(refusal, (1, 2, 24, 3, 13, 0, 71))]
    elsewhere = Alarm.SOLD_ELSEWHERE
    assert found == [(DUPLICATE, 1, None), (REJECTED, 2, elsewhere), (REJECTED, 24, elsewhere), (REJECTED, 3, None)] + [
        (REJECTED, reason, None) for reason in (13, 13, 71)
    ]


def test_an_operation_that_does_not_exist_is_malformed() -> None:
    assert told(Known(operation=None)) == (ERROR, 20, Effect.NOTHING)
