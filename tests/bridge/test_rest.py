"""The HTTP platform as the bridge sees it: what it says is understood or unknown, and trouble never raises."""

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
from scanlatch_tools.platform_sim import PlatformSim

from host_bridge.settlement.port import Answer, Kind, Payer, Submission
from host_bridge.settlement.rest import RestPlatform
from host_bridge.settlement.rest_lines import line

_CODE = "81234567890123456789"
_AT = 1_795_312_800_000  # 2026-11-22 02:00 UTC
_LAST_AT = 253_370_764_799_999  # the last millisecond of the year 9998, UTC
_INSTITUTION = "H00000000001"


def _item(
    key: str,
    kind: Kind = "sale",
    code: str = _CODE,
    site: str = "clinic-7",
    session: str | None = None,
    reverses: str | None = None,
    payer: Payer = "insured",
    split: bool = False,
) -> Submission:
    return Submission(key, kind, code, site, "d-window-01", 17, _AT, session, reverses, payer, split)


@pytest.fixture
def sim() -> Iterator[PlatformSim]:
    with PlatformSim() as started:
        started.book.load([_CODE])
        yield started


@pytest.fixture
def platform(sim: PlatformSim) -> Iterator[RestPlatform]:
    made = RestPlatform(sim.url, _INSTITUTION, 2.0)
    yield made
    made.close()


def _seen(answers: list[Answer]) -> list[tuple[str, str, int]]:
    return [(answer.key, answer.outcome, answer.reason) for answer in answers]


def test_sale_is_accepted_once_and_each_refusal_has_its_reason(sim: PlatformSim, platform: RestPlatform) -> None:
    elsewhere = {"institution": "P00000000009", "site": "x"}
    sim.book.load(
        [
            {"code": "recalled", "state": "recalled"},
            {"code": "expired", "state": "expired"},
            {"code": "case", "state": "case"},
            {"code": "twice", "sold": [elsewhere, elsewhere]},
        ]
    )
    items = [
        _item("a", session="S-1"),
        _item("b"),
        _item("c", site="pharmacy-3"),
        _item("d", code="nowhere"),
        _item("e", code="recalled"),
        _item("f", code="expired"),
        _item("g", code="case"),
        _item("q1", "query"),
        _item("q2", "query", site="pharmacy-3"),
        _item("q3", "query", code="twice"),
        _item("q4", "query", code="nowhere"),
        _item("r1", "reverse", reverses="zz"),
        _item("r2", "reverse", reverses="a"),
        _item("q5", "query"),
    ]
    assert _seen(platform.submit(items)) == [
        ("a", "accepted", 0),
        ("b", "refused", 1),
        ("c", "refused", 2),
        ("d", "refused", 3),
        ("e", "refused", 5),
        ("f", "refused", 6),
        ("g", "refused", 8),
        ("q1", "refused", 1),
        ("q2", "refused", 2),
        ("q3", "refused", 24),
        ("q4", "refused", 3),
        ("r1", "refused", 22),
        ("r2", "accepted", 0),
        ("q5", "accepted", 0),
    ]


def test_later_item_never_overtakes_an_earlier_one(platform: RestPlatform) -> None:
    items = [_item("a"), _item("r", "reverse", reverses="a"), _item("b", site="pharmacy-3"), _item("c")]
    assert _seen(platform.submit(items)) == [
        ("a", "accepted", 0),
        ("r", "accepted", 0),
        ("b", "accepted", 0),
        ("c", "refused", 2),
    ]


def test_more_items_than_a_call_holds_go_in_several(sim: PlatformSim, platform: RestPlatform) -> None:
    sim.turn(open=True)
    items = [_item(f"k{i}", code=str(i)) for i in range(120)]
    assert all(answer.outcome == "accepted" for answer in platform.submit(items))
    assert [batch["items"] for batch in sim.book.batches()] == [20, 50, 50]
    assert [answer.outcome for answer in platform.ask([f"k{i}" for i in range(121)])].count("accepted") == 120
    assert platform.submit([]) == platform.ask([]) == []


def test_largest_batch_fits_the_platforms_limit(sim: PlatformSim, platform: RestPlatform) -> None:
    sim.turn(open=True)
    items = [
        Submission(f"{i:030}", "sale", f"{i:0100}", "s" * 32, "d" * 32, 2**63 - 1, _AT, "S" * 32) for i in range(50)
    ]
    assert all(answer.outcome == "accepted" for answer in platform.submit(items))


def test_who_pays_and_what_is_a_part_reach_the_platforms_book(sim: PlatformSim, platform: RestPlatform) -> None:
    sim.book.load([{"code": "opened", "parts": 2}, "mine", "injured"])
    part = partial(_item, code="opened", split=True)
    items = [part("a"), part("b"), part("c"), _item("d", code="mine", payer="self-pay")]
    items += [_item("e", code="injured", payer="work-injury"), part("r", "reverse", reverses="b"), part("f")]
    assert [(answer.outcome, answer.reason) for answer in platform.submit(items)] == [
        ("accepted", 0),
        ("accepted", 0),
        ("refused", 19),
        *[("accepted", 0)] * 4,
    ]
    told = [(sale["key"], sale["payer"], sale["split"], sale["returned_by"]) for sale in sim.book.sales()]
    assert told == [
        ("a", "insured", True, None),
        ("b", "insured", True, "r"),
        ("d", "self-pay", False, None),
        ("e", "work-injury", False, None),
        ("f", "insured", True, None),
    ]


def test_same_key_again_is_answered_as_the_first_time(sim: PlatformSim, platform: RestPlatform) -> None:
    first = platform.submit([_item("a"), _item("b")])
    assert platform.submit([_item("b"), _item("a")]) == first[::-1]
    assert sim.book.stats()["sales"] == 1


def test_key_that_stands_for_something_else_is_never_accepted_or_refused(platform: RestPlatform) -> None:
    platform.submit([_item("a")])
    assert _seen(platform.submit([_item("a", site="pharmacy-3")])) == [("a", "unknown", 15)]
    assert _seen(platform.ask(["a"])) == [("a", "accepted", 0)]


def test_key_of_any_length_keeps_its_identity(platform: RestPlatform) -> None:
    key = "scanlatch/1/d-window-01/17/a-key-that-is-longer-than-the-platform-takes"
    assert _seen(platform.submit([_item(key), _item(key + "x")])) == [(key, "accepted", 0), (key + "x", "refused", 1)]
    assert _seen(platform.ask([key, key + "y"])) == [(key, "accepted", 0), (key + "y", "unseen", 0)]
    back = platform.submit([_item("back", "reverse", reverses=key)])
    assert _seen(back) == [("back", "accepted", 0)]


def test_lost_answer_is_unknown_and_asking_finds_the_sale(sim: PlatformSim, platform: RestPlatform) -> None:
    sim.turn(lose_next=1)
    assert _seen(platform.submit([_item("a")])) == [("a", "unknown", 15)]
    assert _seen(platform.ask(["a", "b"])) == [("a", "accepted", 0), ("b", "unseen", 0)]


def test_slow_answer_is_unknown_within_the_time_allowed(sim: PlatformSim) -> None:
    sim.turn(latency_ms=3_000)
    platform = RestPlatform(sim.url, _INSTITUTION, 0.2)
    started = time.monotonic()
    assert _seen(platform.submit([_item("a")])) == [("a", "unknown", 15)]
    assert time.monotonic() - started < 1.5
    platform.close()


def test_refused_connection_is_not_reachable_and_nothing_was_sent(sim: PlatformSim, platform: RestPlatform) -> None:
    sim.turn(outage="refuse")
    items = [_item("a"), _item("q", "query"), _item("b")]
    assert _seen(platform.submit(items)) == [(key, "unknown", 14) for key in "aqb"]
    assert _seen(platform.ask(["a"])) == [("a", "unknown", 14)]
    sim.turn(outage="none")
    assert _seen(platform.ask(["a", "b"])) == [("a", "unseen", 0), ("b", "unseen", 0)]
    assert platform.submit(items)[0].outcome == "accepted"


def test_503_is_not_reachable(sim: PlatformSim, platform: RestPlatform) -> None:
    sim.turn(outage="503")
    assert _seen(platform.submit([_item("a")])) == [("a", "unknown", 14)]


def test_busy_platform_is_unknown_and_may_be_asked_later(sim: PlatformSim, platform: RestPlatform) -> None:
    sim.turn(error_rate=1)
    answer = platform.submit([_item("a")])[0]
    assert (answer.outcome, answer.reason, answer.text) == ("unknown", 15, "system busy, try again")
    sim.turn(error_rate=0)
    assert _seen(platform.ask(["a"])) == [("a", "unseen", 0)]


def test_item_that_the_platform_can_not_be_told_is_refused_and_spoils_no_other(platform: RestPlatform) -> None:
    items = [
        _item("a"),
        _item("long", code="8" * 101),
        _item("odd", code="码"),
        _item("b"),
        _item("r", "reverse"),
    ]
    assert _seen(platform.submit(items)) == [
        ("a", "accepted", 0),
        ("long", "refused", 13),
        ("odd", "refused", 13),
        ("b", "refused", 1),
        ("r", "refused", 13),
    ]


@pytest.mark.parametrize(
    ("at", "told"),
    [(-1, None), (0, "1970-01-01 08:00:00"), (_LAST_AT, "9999-01-01 07:59:59"), (_LAST_AT + 1, None), (1 << 62, None)],
)
def test_time_is_told_as_far_as_the_platform_has_a_form_for_it(
    sim: PlatformSim, platform: RestPlatform, at: int, told: str | None
) -> None:
    """A terminal whose clock is far off is refused alone; the bridge neither stops nor asks for ever."""
    sim.book.load(["far", "near"])
    far, near = replace(_item("far", code="far"), captured_at=at), _item("near", code="near")
    answers = platform.submit([far, near])
    assert _seen(answers)[1] == ("near", "accepted", 0)
    assert _seen(answers)[0] == (("far", "accepted", 0) if told else ("far", "refused", 13))
    assert answers[0].text == (None if told else "time can't be told to the platform")
    if told:
        assert line(far)["sel_retn_time"] == told


def test_item_for_which_the_platform_refused_all_is_refused_alone(platform: RestPlatform) -> None:
    items = [_item("a"), _item("b", session="s" * 41)]  # longer than the platform takes, and than WIRE.md allows
    assert _seen(platform.submit(items)) == [("a", "unknown", 15), ("b", "refused", 13)]
    assert _seen(platform.submit(items[:1])) == [("a", "accepted", 0)]


def test_wrong_institution_number_leaves_everything_pending(sim: PlatformSim) -> None:
    platform = RestPlatform(sim.url, "H" * 13)
    answer = platform.submit([_item("a")])[0]
    assert (answer.outcome, answer.reason) == ("unknown", 15)
    assert answer.text
    platform.close()
