"""The chain of a device: gaps, repeats, quarantine, conflicts, losses, and what a receipt may name."""

from host_bridge.admission import QUARANTINE_LIMIT
from host_bridge.ledger import evidence, scans
from host_bridge.wire import Outcome, digest
from tests.bridge.world import CODES, World

ACCEPTED, REJECTED, DUPLICATE, PENDING, ERROR = 0, 1, 2, 3, 5


def _spoiled(message: bytes) -> bytes:
    """One bit of the signature turned."""
    return message[:-1] + bytes([message[-1] ^ 1])


def test_record_above_a_gap_is_kept_and_waits(world: World) -> None:
    till = world.terminal()
    first, second = till.scan(CODES[0]), till.scan(CODES[1])
    world.deliver(till, second)
    world.settle()
    assert till.outcomes() == []
    assert world.acked == [second]
    world.deliver(till, first)
    world.settle()
    assert till.outcomes() == [(1, ACCEPTED, 0), (2, ACCEPTED, 0)]


def test_records_in_any_order_are_decided_in_the_order_of_their_seq(world: World) -> None:
    till = world.terminal()
    messages = [till.scan(CODES[0]) for _ in range(6)]
    for index in (5, 2, 4, 1, 3):
        world.deliver(till, messages[index])
    world.deliver(till, messages[0])
    world.settle()
    assert sorted(till.outcomes()) == [(1, ACCEPTED, 0), *((seq, DUPLICATE, 1) for seq in range(2, 7))]


def test_batch_out_of_order_is_decided_in_order(world: World) -> None:
    till = world.terminal()
    messages = [till.scan(CODES[0]) for _ in range(4)]
    world.deliver(till, *reversed(messages))
    world.settle()
    assert sorted(till.outcomes()) == [(1, ACCEPTED, 0), *((seq, DUPLICATE, 1) for seq in range(2, 5))]


def test_same_bytes_again_get_todays_verdict_and_receipt(world: World) -> None:
    till = world.terminal()
    message = till.scan(CODES[0])
    world.deliver(till, message, message)
    world.settle()
    world.deliver(till, message)
    assert till.outcomes() == [(1, PENDING, 14), (1, ACCEPTED, 0), (1, ACCEPTED, 0)]
    assert [(one.upto, one.digest, one.head) for one in till.receipts()] == [(1, digest(message), None)] * 2
    assert world.platform.submitted == ["d-window-01/1"]
    assert world.acked == [message] * 3
    assert world.alerts() == []


def test_head_is_answered_by_a_receipt_that_names_it(world: World) -> None:
    till = world.terminal()
    message = till.scan()
    world.deliver(till, message)
    head = till.head()
    world.deliver(till, head, kind="head")
    (receipt,) = till.receipts()
    assert (receipt.upto, receipt.digest, receipt.head) == (1, digest(message), digest(head))


def test_receipt_stops_below_a_gap(world: World) -> None:
    till = world.terminal()
    messages = [till.scan(code) for code in CODES[:4]]
    world.deliver(till, messages[0], messages[1], messages[3])
    world.deliver(till, till.head(), kind="head")
    assert till.receipts()[-1].upto == 2


def test_altered_record_is_quarantined_and_frees_nothing(world: World) -> None:
    till = world.terminal()
    message = _spoiled(till.scan())
    world.deliver(till, message)
    world.deliver(till, till.head(), kind="head")
    (verdict,) = till.verdicts()
    assert (verdict.seq, verdict.digest, verdict.outcome) == (1, digest(message), Outcome.ERROR)
    assert not verdict.kept
    assert till.receipts()[-1].upto == 0
    assert world.acked[0] == message
    assert world.platform.submitted == []


def test_bytes_that_read_as_nothing_are_answered_with_seq_0(world: World) -> None:
    till = world.terminal()
    world.deliver(till, b"\xff" * 40)
    (verdict,) = till.verdicts()
    assert (verdict.seq, verdict.reason, verdict.kept) == (0, 20, False)
    world.deliver(till, b"\xff" * 40)
    assert len(till.verdicts()) == 2
    assert world.alerts() == [("quarantine", 0, 0)]


def test_a_terminal_that_sends_nothing_but_rubbish_fills_the_quarantine_to_its_limit_and_is_answered(
    world: World,
) -> None:
    till = world.terminal()
    world.deliver(till, *(b"\xff" + number.to_bytes(4, "big") for number in range(QUARANTINE_LIMIT + 5)))
    assert [one.kept for one in till.verdicts()] == [False] * (QUARANTINE_LIMIT + 5)
    with world.ledger.read() as connection:
        assert evidence.quarantine_size(connection, till.peer.device) == QUARANTINE_LIMIT
    world.sell(till, CODES[0])
    assert till.outcomes()[-1] == (1, ACCEPTED, 0)


def test_quarantined_record_that_its_successor_names_is_passed(world: World) -> None:
    till = world.terminal()
    till.scan(CODES[0])
    broken = _spoiled(till.messages[1])
    till.last = digest(broken)
    second = till.scan(CODES[1])
    world.deliver(till, broken)
    world.deliver(till, second)
    world.settle()
    world.deliver(till, till.head(), kind="head")
    assert (2, ACCEPTED, 0) in till.outcomes()
    assert till.receipts()[-1].upto == 2


def test_quarantined_records_in_a_row_are_passed_from_the_last_down(world: World) -> None:
    till = world.terminal()
    broken: list[bytes] = []
    for code in CODES[:3]:
        broken.append(_spoiled(till.scan(code)))
        till.last = digest(broken[-1])
    fourth = till.scan(CODES[3])
    world.deliver(till, fourth, broken[1])
    world.deliver(till, broken[2])
    world.deliver(till, broken[0])
    world.settle()
    assert till.outcomes()[-1] == (4, ACCEPTED, 0)


def test_quarantined_newest_record_is_passed_by_the_heads_digest(world: World) -> None:
    till = world.terminal()
    broken = _spoiled(till.scan())
    till.last = digest(broken)
    world.deliver(till, broken)
    world.deliver(till, till.head(), kind="head")
    (receipt,) = till.receipts()
    assert (receipt.upto, receipt.digest) == (1, digest(broken))


def test_quarantined_message_of_another_device_passes_nothing(world: World) -> None:
    till, other = world.terminal(), world.terminal("d-window-02")
    broken = _spoiled(till.scan())
    till.last = digest(broken)
    world.deliver(other, broken)
    world.deliver(till, till.scan())
    assert till.outcomes() == []


def test_lost_records_are_passed_with_an_alert(world: World) -> None:
    till = world.terminal()
    messages = [till.scan(code) for code in CODES[:6]]
    world.deliver(till, messages[0], messages[5])
    world.deliver(till, till.head(missing=((3, 4),)), kind="head")
    assert till.receipts()[-1].upto == 1
    assert world.alerts() == [("lost", 3, 4)]
    world.deliver(till, messages[1])
    world.deliver(till, messages[4])
    world.settle()
    assert sorted(till.outcomes()) == [(seq, ACCEPTED, 0) for seq in (1, 2, 5, 6)]


def test_everything_below_the_oldest_readable_record_is_lost(world: World) -> None:
    till = world.terminal()
    for code in CODES[:9]:
        till.scan(code)
    world.deliver(till, till.messages[4])
    world.deliver(till, till.head(oldest=8), kind="head")
    assert world.alerts() == [("lost", 1, 3), ("lost", 5, 7)]
    world.deliver(till, till.messages[8], till.messages[9])
    world.settle()
    assert sorted(till.outcomes()) == [(4, ACCEPTED, 0), (8, ACCEPTED, 0), (9, ACCEPTED, 0)]


def test_receipt_over_lost_records_names_one_whose_bytes_are_here(world: World) -> None:
    till = world.terminal()
    messages = [till.scan(code) for code in CODES[:3]]
    world.deliver(till, messages[0])
    world.deliver(till, till.head(oldest=4), kind="head")
    (receipt,) = till.receipts()
    assert (receipt.upto, receipt.digest) == (1, digest(messages[0]))


def test_lost_record_that_comes_after_all_is_decided_and_closes_its_alert(world: World) -> None:
    till = world.terminal()
    messages = [till.scan(code) for code in CODES[:5]]
    world.deliver(till, messages[0], messages[4])
    world.deliver(till, till.head(missing=((2, 4),)), kind="head")
    world.deliver(till, messages[2])
    world.settle()
    assert (3, ACCEPTED, 0) in till.outcomes()
    assert world.alerts() == [("lost", 2, 2), ("lost", 4, 4)]
    world.deliver(till, messages[1], messages[3])
    assert world.alerts() == []


def test_other_bytes_under_a_used_seq_suspend_the_device(world: World) -> None:
    till = world.terminal()
    world.sell(till, CODES[0])
    till.seq, till.last = 0, bytes(32)
    second = till.scan(CODES[1])
    world.deliver(till, second)
    verdict = till.verdicts()[-1]
    assert (verdict.seq, verdict.digest, verdict.reason, verdict.kept) == (1, digest(second), 21, True)
    assert world.registry.find("d-window-01").status == "suspended"
    assert world.alerts() == [("conflict", 1, 1)]
    with world.ledger.read() as connection:
        assert scans.messages(connection, "d-window-01", 1, 1)[0][1] != second


def test_same_second_bytes_again_alarm_nobody(world: World) -> None:
    till = world.terminal()
    world.sell(till, CODES[0])
    till.seq, till.last = 0, bytes(32)
    second = till.scan(CODES[1])
    world.deliver(till, second)
    world.registry.reinstate("d-window-01")
    world.deliver(till, second)
    assert till.verdicts()[-1].reason == 21
    assert world.registry.find("d-window-01").status == "enrolled"


def test_conflict_within_one_batch_is_seen(world: World) -> None:
    till = world.terminal()
    first = till.scan(CODES[0])
    till.seq, till.last = 0, bytes(32)
    world.deliver(till, first, till.scan(CODES[1]))
    assert world.alerts() == [("conflict", 1, 1)]


def test_broken_chain_is_admitted_with_an_alert(world: World) -> None:
    till = world.terminal()
    world.sell(till, CODES[0])
    till.last = bytes(range(32))
    world.sell(till, CODES[1])
    assert till.outcomes() == [(1, ACCEPTED, 0), (2, ACCEPTED, 0)]
    assert world.alerts() == [("chain", 2, 2)]


def test_record_with_an_unknown_key_is_evidence_and_claims_nothing(world: World) -> None:
    till = world.terminal()
    payload = bytes.fromhex("a3" + "0101" + "0201" + "181e00")  # {1: 1, 2: 1, 30: 0}
    message = till.peer.seal_scan_payload(payload)
    till.keep(message)
    world.deliver(till, message)
    (verdict,) = till.verdicts()
    assert (verdict.seq, verdict.reason, verdict.kept) == (1, 20, True)
    world.sell(till, CODES[0])
    assert till.outcomes()[-1] == (2, ACCEPTED, 0)


def test_record_under_another_devices_topic_is_quarantined(world: World) -> None:
    till, other = world.terminal(), world.terminal("d-window-02")
    world.deliver(other, till.scan())
    assert other.verdicts()[0].kept is False
    assert till.verdicts() == []
    assert world.platform.submitted == []


def test_message_of_a_device_never_enrolled_is_quarantined_and_not_answered(world: World) -> None:
    stranger = world.terminal("d-stranger", enrolled=False)
    message = stranger.scan()
    world.deliver(stranger, message)
    assert world.outlet.sent == []
    assert world.acked == [message]
    assert world.alerts() == [("quarantine", 1, 1)]


def test_topic_that_is_none_of_ours_is_acknowledged_and_forgotten(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.scan(), site="No/Such")
    assert len(world.acked) == 1
    assert world.outlet.sent == []
