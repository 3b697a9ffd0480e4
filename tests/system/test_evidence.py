"""What is wrong with a message is told apart: evidence is kept and claims nothing, the rest is quarantined."""

from collections.abc import Iterator

import cbor2
import pytest
from scanlatch_tools.stage import Stage

from host_bridge.wire import Operation, Outcome, Reason, digest
from tests.system.conftest import OTHER_SITE, SITE
from tests.system.ledger_view import LedgerView
from tests.system.raw_device import RawDevice
from tests.vectors import third


@pytest.fixture
def raw(stage: Stage, request: pytest.FixtureRequest) -> Iterator[RawDevice]:
    number = sum(request.node.name.encode())  # a device each: what one test breaks is not the next one's chain
    with RawDevice(stage, f"d-raw-{number}", SITE) as made:
        yield made


def test_a_head_is_answered_by_a_receipt_that_names_it(raw: RawDevice, codes: Iterator[str]) -> None:
    assert raw.sell(next(codes)).kept
    head = raw.head()
    raw.publish(head, "head")
    receipt = raw.receipt(lambda it: it.head == digest(head))
    assert (receipt.upto, receipt.digest) == (raw.seq, raw.last)


def test_a_record_altered_by_one_bit_is_quarantined_and_frees_nothing(
    stage: Stage, raw: RawDevice, codes: Iterator[str]
) -> None:
    code = next(codes)
    assert raw.sell(next(codes)).outcome == Outcome.ACCEPTED
    good = raw.scan(code)
    altered = bytearray(good)
    altered[good.index(code.encode())] ^= 1
    raw.publish(bytes(altered))
    answer = raw.verdict(bytes(altered))
    assert (answer.outcome, answer.reason, answer.kept) == (Outcome.ERROR, Reason.MALFORMED, False)
    with LedgerView(stage) as ledger:
        assert ledger.quarantined(digest(bytes(altered)))
        assert [seq for seq, _ in ledger.arrivals(raw.device)] == [1]
        assert ledger.alerts(raw.device) == ["quarantine"]
    assert stage.platform.sales(code) == []
    head = raw.head()
    raw.publish(head, "head")
    assert raw.receipt(lambda it: it.head == digest(head)).upto == 1
    raw.publish(good)
    assert raw.verdict(good).outcome == Outcome.ACCEPTED


@pytest.mark.parametrize("where", ["record", "topic"])
def test_a_record_of_a_site_never_given_is_evidence_and_claims_no_code(
    stage: Stage, raw: RawDevice, codes: Iterator[str], where: str
) -> None:
    code = next(codes)
    message = raw.scan(code, site=OTHER_SITE if where == "record" else SITE)
    raw.publish(message, site=OTHER_SITE if where == "topic" else SITE)
    answer = raw.verdict(message)
    assert (answer.outcome, answer.reason, answer.kept) == (Outcome.ERROR, Reason.MALFORMED, True)
    assert stage.platform.sales(code) == []
    assert raw.sell(code).outcome == Outcome.ACCEPTED


def test_a_message_over_4_kib_is_refused_and_the_next_one_taken(
    stage: Stage, raw: RawDevice, codes: Iterator[str]
) -> None:
    too_long = bytes(4_097)
    raw.publish(too_long)
    answer = raw.verdict(too_long)
    assert (answer.seq, answer.outcome, answer.kept) == (0, Outcome.ERROR, False)
    assert raw.sell(next(codes)).outcome == Outcome.ACCEPTED


def test_a_record_whose_cbor_is_not_deterministic_is_evidence_and_claims_no_code(
    stage: Stage, raw: RawDevice, codes: Iterator[str]
) -> None:
    code = next(codes)
    good = raw.scan(code)
    raw.seq, raw.last = 0, bytes(32)
    payload = cbor2.loads(good).value[2]
    message = raw.peer.seal_scan_payload(third.swapped(payload, b"\x02\x01\x03", b"\x02\x18\x01\x03"))
    raw.keep(message)
    raw.publish(message)
    answer = raw.verdict(message)
    assert (answer.seq, answer.outcome, answer.reason) == (1, Outcome.ERROR, Reason.MALFORMED)
    assert stage.platform.sales(code) == []
    assert raw.sell(code).outcome == Outcome.ACCEPTED


def test_a_used_seq_with_other_bytes_suspends_the_device_and_raises_an_alert(
    stage: Stage, raw: RawDevice, codes: Iterator[str]
) -> None:
    first, second = next(codes), next(codes)
    assert raw.sell(first).outcome == Outcome.ACCEPTED
    raw.seq, raw.last = 0, bytes(32)
    message = raw.scan(second)
    raw.publish(message)
    answer = raw.verdict(message)
    assert (answer.outcome, answer.reason) == (Outcome.ERROR, Reason.SEQUENCE_CONFLICT)
    with LedgerView(stage) as ledger:
        assert ledger.alerts(raw.device) == ["conflict"]
        assert ledger.status(raw.device) == "suspended"
    assert stage.platform.sales(second) == []
    suspended = raw.sell(second)
    assert (suspended.outcome, suspended.reason, suspended.kept) == (Outcome.ERROR, Reason.DEVICE_SUSPENDED, True)
    assert stage.platform.sales(second) == []


def test_the_same_bytes_again_get_the_same_answer_and_sell_nothing(
    stage: Stage, raw: RawDevice, codes: Iterator[str]
) -> None:
    code = next(codes)
    message = raw.scan(code)
    raw.publish(message)
    first = raw.verdict(message)
    raw.publish(message)
    raw.receipt(lambda it: it.upto == 1)
    again = [raw.peer.open_verdict(one) for one in raw.heard("verdict")]
    assert {(one.outcome, one.decided_at) for one in again} == {(first.outcome, first.decided_at)}
    assert len(stage.platform.sales(code)) == 1


def test_a_query_tells_what_became_of_a_code_and_sells_nothing(
    stage: Stage, raw: RawDevice, codes: Iterator[str]
) -> None:
    code = next(codes)

    def ask(asked: str) -> tuple[Outcome, int]:
        message = raw.scan(asked, Operation.QUERY)
        raw.publish(message)
        answer = raw.verdict(message)
        return answer.outcome, answer.reason

    assert ask(code) == (Outcome.ACCEPTED, Reason.NONE)
    assert stage.platform.sales(code) == []
    assert raw.sell(code).outcome == Outcome.ACCEPTED
    assert ask(code) == (Outcome.DUPLICATE_HERE, Reason.SOLD_HERE)
    assert ask("83386520009999999998") == (Outcome.REJECTED, Reason.UNKNOWN_CODE)


def test_a_voided_sale_is_taken_back_at_the_platform_and_the_box_sold_anew(
    stage: Stage, raw: RawDevice, codes: Iterator[str]
) -> None:
    code = next(codes)
    assert raw.sell(code).outcome == Outcome.ACCEPTED
    void = raw.void(raw.seq)
    raw.publish(void)
    assert raw.verdict(void).outcome == Outcome.ACCEPTED
    assert all(sale["returned_by"] for sale in stage.platform.sales(code))
    assert raw.sell(code).outcome == Outcome.ACCEPTED
    nothing = raw.void(999)
    raw.publish(nothing)
    assert raw.verdict(nothing).reason == Reason.NOTHING_TO_VOID


def test_records_that_arrive_out_of_order_are_decided_in_order(raw: RawDevice, codes: Iterator[str]) -> None:
    code = next(codes)
    sale, again = raw.scan(code), raw.scan(code)
    raw.publish(again)
    raw.publish(sale)
    assert raw.verdict(sale).outcome == Outcome.ACCEPTED
    assert raw.verdict(again).outcome == Outcome.DUPLICATE_HERE
