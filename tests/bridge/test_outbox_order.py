"""Who goes first: codes keep their order, a backlog and live scans share, and one bad item spoils no others."""

from collections.abc import Sequence

import pytest

from host_bridge.ledger import outbox
from host_bridge.ledger.outbox import QUERY, REVERSE, SALE, WAITING, OutboxRow
from host_bridge.settlement import by_hand
from host_bridge.settlement.outbox import STUCK_FROM
from host_bridge.settlement.port import Answer, Submission
from host_bridge.wire import Operation
from tests.bridge.world import CODES, NOW, SITE, World

ACCEPTED, PENDING = 0, 3


def _put(world: World, *submissions: tuple[str, str], code: str = CODES[0], reverses: str | None = None) -> None:
    """Rows as decisions make them: (key, kind), all of one code, in one transaction."""
    rows = [
        OutboxRow(
            key=key,
            kind=kind,
            state=WAITING,
            device=key.rpartition("/")[0],
            seq=int(key.rpartition("/")[2]),
            digest=bytes(32),
            code=code,
            site=SITE,
            session=None,
            captured_at=NOW,
            reverses=reverses,
            made_at=world.clock.now(),
            attempts=0,
            next_at=world.clock.now(),
            pending_at=None,
        )
        for key, kind in submissions
    ]
    with world.ledger.write() as connection:
        outbox.insert(connection, rows)


def _states(world: World) -> dict[str, str]:
    with world.ledger.read() as connection:
        return {row.key: row.state for row in outbox.unsettled(connection, 1_000)}


def _run(world: World, seconds: int) -> None:
    for _ in range(seconds):
        world.settle()
        world.later(1_000)


def test_rows_of_one_code_leave_one_after_the_other(world: World) -> None:
    _put(world, ("b/9", SALE), ("a/1", REVERSE), ("c/5", SALE))
    world.outbox.step()
    assert world.platform.submitted == ["b/9"]
    world.settle()
    assert world.platform.submitted == ["b/9", "a/1", "c/5"]


def test_nothing_overtakes_a_row_whose_answer_was_lost(world: World) -> None:
    world.platform.loses_answers = True
    _put(world, ("b/9", SALE))
    _put(world, ("a/1", REVERSE), ("c/5", SALE))
    world.settle()
    assert world.platform.submitted == ["b/9"]
    _run(world, 60)
    assert list(world.platform.taken) == ["b/9", "a/1", "c/5"]
    assert world.platform.submitted == ["b/9", "a/1", "c/5"]


def test_row_that_never_gets_through_holds_up_its_own_code_only(world: World) -> None:
    submit = world.platform.submit
    world.platform.submit = lambda items: [  # type: ignore[method-assign]
        Answer(one.key, "unknown", 15, "busy") if one.key == "b/9" else submit([one])[0] for one in items
    ]
    _put(world, ("b/9", SALE))
    _put(world, ("a/1", REVERSE), ("c/5", SALE))
    _put(world, ("d/1", SALE), code=CODES[1])
    _run(world, 120)
    assert list(world.platform.taken) == ["d/1"]
    assert set(_states(world)) == {"b/9", "a/1", "c/5"}


def test_row_held_by_hand_holds_up_its_code_until_it_is_put_back(world: World) -> None:
    _put(world, ("b/9", SALE), ("a/1", REVERSE))
    _put(world, ("d/1", SALE), code=CODES[1])
    by_hand.hold(world.ledger, ["b/9"], "the clinic asked")
    _run(world, 60)
    assert list(world.platform.taken) == ["d/1"]
    by_hand.retry(world.ledger, ["b/9"])
    world.settle()
    assert list(world.platform.taken) == ["d/1", "b/9", "a/1"]


def test_query_waits_for_what_came_before_it_and_nothing_waits_for_a_query(world: World) -> None:
    _put(world, ("q/1", QUERY), ("b/9", SALE), ("q/2", QUERY))
    by_hand.hold(world.ledger, ["q/1"], "looks odd")
    world.outbox.step()
    assert world.platform.submitted == ["b/9"]
    world.settle()
    assert world.platform.submitted == ["b/9", "q/2"]


def test_sale_return_and_sale_reach_the_platform_in_that_order_through_an_outage(world: World) -> None:
    till = world.terminal()
    world.platform.reachable = False
    world.sell(till, CODES[0])
    world.deliver(till, till.scan(CODES[0], Operation.RETURN))
    _run(world, 30)
    world.platform.reachable = True
    _run(world, 30)
    world.sell(till, CODES[0])
    assert [(key, one.kind) for key, one in world.platform.taken.items()] == [
        ("d-window-01/1", "sale"),
        ("d-window-01/2", "reverse"),
        ("d-window-01/3", "sale"),
    ]
    assert world.platform.sold(CODES[0]) == 1


def _backlog(world: World, count: int) -> None:
    """An outage's worth of sales, the platform just back."""
    till = world.terminal()
    world.platform.batch_limit = 5
    world.platform.reachable = False
    world.deliver(till, *(till.scan(code) for code in CODES[:count]))
    _run(world, 60)
    world.platform.reachable = True
    world.later(10_000)


def test_live_scan_goes_before_the_backlog(world: World) -> None:
    _backlog(world, 40)
    window = world.terminal("d-window-02")
    while len(world.platform.taken) < 5:
        world.outbox.step()
    world.deliver(window, window.scan(CODES[49]))
    world.outbox.step()
    assert window.outcomes() == [(1, ACCEPTED, 0)]
    assert len(_states(world)) > 5


def test_live_scan_goes_before_what_an_outage_has_left_and_is_coming_in(world: World) -> None:
    world.platform.batch_limit = 5
    till, window = world.terminal(), world.terminal("d-window-02")
    for number, code in enumerate(CODES[:40]):
        world.deliver(till, till.scan(code, captured_at=NOW - 864_000_000 + number, offline=True))
    world.deliver(window, window.scan(CODES[49]))
    world.outbox.step()
    assert window.outcomes() == [(1, ACCEPTED, 0)]
    assert next(iter(world.platform.taken)) == "d-window-02/1"
    assert len(world.platform.taken) < 40
    world.settle()
    assert [one for one in world.platform.taken if one != "d-window-02/1"] == [f"d-window-01/{n}" for n in range(1, 41)]


def test_backlog_gets_its_tranche_however_many_scans_are_live(world: World) -> None:
    _backlog(world, 40)
    window = world.terminal("d-window-02")
    left: list[int] = []
    for turn in range(12):
        for number in range(20):
            world.deliver(window, window.scan(f"8338652{900 + turn * 20 + number:013}"))
        world.outbox.step()
        left.append(sum(key.startswith("d-window-01/") for key in _states(world)))
        world.later(100)
    assert left[-1] == 0, left


def test_backlog_leaves_between_two_calls_where_a_live_scan_comes(world: World) -> None:
    _backlog(world, 40)
    while len(world.platform.taken) < 5:
        world.outbox.step()
    window = world.terminal("d-window-02")
    submit, calls = world.platform.submit, list[list[str]]()

    def interrupted(items: Sequence[Submission]) -> list[Answer]:
        calls.append([one.key for one in items])
        if len(calls) == 1:
            world.deliver(window, window.scan(CODES[49]))
        return submit(items)

    world.platform.submit = interrupted  # type: ignore[method-assign]
    world.outbox.step()
    world.outbox.step()
    assert calls[1] == ["d-window-02/1"]
    assert "sending" not in _states(world).values()


def test_one_item_that_the_platform_chokes_on_spoils_no_others(world: World) -> None:
    submit = world.platform.submit

    def choking(items: Sequence[Submission]) -> list[Answer]:
        if any(one.code == CODES[3] for one in items):
            return [Answer(one.key, "unknown", 15, "HTTP 500") for one in items]
        return submit(items)

    world.platform.submit = choking  # type: ignore[method-assign]
    till = world.terminal()
    world.deliver(till, *(till.scan(code) for code in CODES[:20]))
    _run(world, 60)
    assert set(_states(world)) == {"d-window-01/4"}
    world.deliver(till, *(till.scan(code) for code in CODES[20:30]))
    _run(world, 30)
    assert set(_states(world)) == {"d-window-01/4"}
    _run(world, 1_200)
    count, found = by_hand.listed(world.ledger, world.clock.now(), 10, only_stuck=True)
    assert count == 1
    assert [(one.row.key, one.stuck, one.row.detail) for one in found] == [("d-window-01/4", True, "HTTP 500")]
    assert found[0].row.attempts >= STUCK_FROM
    assert found[0].age_s >= 1_200


def test_what_was_never_sent_counts_no_attempt_and_can_be_taken_back(world: World) -> None:
    world.platform.batch_limit = 2
    world.platform.reachable = False
    till = world.terminal()
    world.deliver(till, *(till.scan(code) for code in CODES[:6]))
    world.settle()
    world.deliver(till, till.void(6))
    assert till.outcomes()[-2:] == [(7, ACCEPTED, 0), (6, 1, 23)]
    assert "d-window-01/6" not in _states(world)


def test_kinds_that_come_mixed_share_their_calls(world: World) -> None:
    for number in range(6):
        _put(world, (f"a/{number}", (SALE, REVERSE, QUERY)[number % 3]), code=CODES[number])
    world.settle()
    kinds = [world.platform.taken[key].kind for key in world.platform.submitted]
    assert kinds == ["query"] * 2 + ["reverse"] * 2 + ["sale"] * 2


@pytest.mark.parametrize("outcome", ["accepted", "unknown"])
def test_what_is_sent_under_a_name_is_claimed_in_the_ledger_first(world: World, outcome: str) -> None:
    seen: list[dict[str, str]] = []
    submit = world.platform.submit

    def watched(items: Sequence[Submission]) -> list[Answer]:
        seen.append(_states(world))
        return submit(items) if outcome == "accepted" else [Answer(one.key, "unknown", 15) for one in items]

    world.platform.submit = watched  # type: ignore[method-assign]
    till = world.terminal()
    world.deliver(till, *(till.scan(code) for code in CODES[:3]))
    world.settle()
    assert seen == [{f"d-window-01/{seq}": "sending" for seq in (1, 2, 3)}]
