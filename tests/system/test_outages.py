"""Broker and platform go and come back: everything kept is answered, in order, and sold once."""

from collections.abc import Iterator

import pytest
from scanlatch_tools.books import Books
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.stage import Stage

from host_bridge.wire import Outcome
from tests.system.ledger_view import LedgerView

_ANSWERS = frozenset({"accepted", "rejected", "duplicate", "pending", "error"})
_FINAL_S = 60  # what reached the broker while the bridge was not back yet comes again after 30 s


@pytest.fixture(autouse=True)
def _all_back(stage: Stage) -> Iterator[None]:
    yield
    stage.platform.turn(outage="none", lose_next=0)


def _outcomes(stage: Stage, desk: Desk, seqs: list[int]) -> list[Outcome | None]:
    with Books(stage.site) as books:
        assert books.wait_until_final(desk.device, seqs, _FINAL_S)
        assert books.unbroken(desk.device)
        return [one.outcome for one in books.entries(desk.device) if one.seq in seqs]


def test_what_is_scanned_without_a_broker_is_drained_in_order(
    stage: Stage, window: Desk, other: Desk, codes: Iterator[str]
) -> None:
    marks = window.twin.mark(), other.twin.mark()
    stage.broker.stop()
    window.wait_offline(after=marks[0])
    sold = [next(codes) for _ in range(8)]
    kept = [window.hold_text(code, _ANSWERS) for code in sold]
    assert {scan.answer for scan in kept} == {"pending"}
    mark = window.twin.mark()
    stage.broker.start()
    seqs = [scan.seq for scan in kept]
    assert _outcomes(stage, window, seqs) == [Outcome.ACCEPTED] * len(seqs)
    with LedgerView(stage) as ledger:
        came = [at for seq, at in ledger.arrivals(window.device) if seq in seqs]
    assert came == sorted(came)
    assert [len(stage.platform.sales(code)) for code in sold] == [1] * len(sold)
    window.wait_online(after=mark)
    other.wait_online(after=marks[1])


def test_a_scan_while_the_platform_is_away_is_pending_and_then_final(
    stage: Stage, window: Desk, codes: Iterator[str]
) -> None:
    stage.platform.turn(outage="refuse")
    code = next(codes)
    scan = window.hold_text(code, _ANSWERS)
    assert scan.answer == "pending"
    stage.platform.turn(outage="none")
    assert _outcomes(stage, window, [scan.seq]) == [Outcome.ACCEPTED]
    assert len(stage.platform.sales(code)) == 1


def test_a_sale_whose_answer_was_lost_is_asked_about_and_not_made_again(
    stage: Stage, window: Desk, codes: Iterator[str]
) -> None:
    stage.platform.turn(lose_next=1)
    code = next(codes)
    scan = window.hold_text(code, _ANSWERS)
    assert scan.answer in ("pending", "accepted")
    assert _outcomes(stage, window, [scan.seq]) == [Outcome.ACCEPTED]
    assert len(stage.platform.sales(code)) == 1
