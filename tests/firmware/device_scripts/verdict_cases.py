# What comes back from the bridge, and what is shown for it.

from cases import equal
from scanlatch.prove import cbor, cose, record
from scanlatch.send.verdict import Answers

_KEY, _KID = bytes(range(32)), b"bridge-1"


def _digest(seq):
    return bytes([seq & 0xFF, seq >> 8]) * 16


class Journal:
    newest, freed = 10, 0

    def digest(self, seq):
        return _digest(seq) if 1 <= seq <= self.newest else None

    def free(self, upto):
        self.freed = upto


class Clock:
    now, synchronised = 0, None

    def ms(self):
        return self.now

    def synchronise(self, utc_ms):
        if utc_ms >> 42:
            raise ValueError
        self.synchronised = utc_ms


class Indicator:
    def __init__(self):
        self.shown, self.held = [], set()

    def show(self, name):
        self.shown.append(name)

    def hold(self, name, on):
        if on:
            self.held.add(name)
        else:
            self.held.discard(name)


class Health:
    def __init__(self):
        self.counted = []

    def count(self, name):
        self.counted.append(name)


class Desk:
    def __init__(self):
        self.journal, self.clock, self.indicator, self.health = Journal(), Clock(), Indicator(), Health()
        self.freed, self.alarms = 0, 0
        parts = self.clock, self.journal, None, self.indicator, self.health
        self.answers = Answers((_KID, _KEY, None), parts, self._on_freed, self._on_alarm)

    def _on_freed(self):
        self.freed += 1

    def _on_alarm(self):
        self.alarms += 1

    def verdict(self, seq, outcome, reason=0, kept=True, digest=None, **more):
        body = {1: 1, 2: seq, 3: digest or _digest(seq), 4: outcome, 5: reason, 6: 1, 7: outcome != 3, 8: kept}
        body.update(more.get("change", {}))
        self.answers.verdict(cose.mac0(_KID, cbor.dumps(body), record.AAD_VERDICT, more.get("key", _KEY)))

    def receipt(self, upto, digest=None, sent_at=5000, head=None):
        body = {1: 1, 2: upto, 3: digest or _digest(upto), 4: sent_at}
        if head:
            body[5] = head
        self.answers.receipt(cose.mac0(_KID, cbor.dumps(body), record.AAD_RECEIPT, _KEY))


def test_a_live_verdict_is_shown_and_frees_the_journal():
    desk = Desk()
    desk.answers.kept(10, 1, True)
    desk.clock.now = 900
    desk.verdict(10, 1, 2)
    equal(desk.indicator.shown, ["rejected"])
    equal((desk.journal.freed, desk.freed), (10, 1))


def test_a_late_rejection_never_lights_while_another_box_is_in_the_hand():
    desk = Desk()
    desk.answers.kept(9, 1, True)
    desk.answers.kept(10, 1, True)
    desk.verdict(9, 1, 2)
    equal(desk.indicator.shown, [])
    equal("attention" in desk.indicator.held, True)
    desk.answers.acknowledge()
    equal(desk.indicator.held, set())


def test_the_newest_scans_answer_is_known_for_who_asks_again_and_attention_until_it_was_seen():
    desk = Desk()
    answers = desk.answers
    equal((answers.said, answers.attention), ("", False))
    answers.kept(9, 1, True)
    equal(answers.said, "pending")
    answers.kept(10, 7, True)
    desk.clock.now = 1501
    desk.verdict(9, 1, 2)  # not the newest one's
    equal((answers.said, answers.attention), ("void_pending", True))
    desk.verdict(10, 1, 22)
    equal((answers.said, answers.attention), ("void_rejected", True))
    answers.acknowledge()
    equal(answers.attention, False)


def test_once_another_symbol_was_refused_no_answer_lights_for_the_scan_before_it():
    desk = Desk()
    desk.answers.kept(9, 1, True)
    desk.answers.refused("wrong_symbol")
    desk.verdict(9, 3, 14)
    desk.verdict(9, 0)
    equal((desk.indicator.shown, desk.indicator.held, desk.answers.said), ([], set(), "wrong_symbol"))
    desk.answers.kept(10, 1, True)
    desk.answers.refused("full")
    desk.verdict(10, 1, 2)
    equal((desk.indicator.shown, desk.indicator.held, desk.answers.said), ([], {"attention"}, "full"))


def test_pending_ends_and_does_not_begin_once_another_symbol_was_refused():
    desk = Desk()
    desk.answers.kept(10, 1, False)
    equal("pending" in desk.indicator.held, True)
    desk.answers.refused("torn")
    equal(desk.indicator.held, set())
    desk.answers.kept(10, 1, True)
    desk.answers.refused("torn")
    desk.clock.now = 1500
    desk.answers.look()
    equal((desk.indicator.held, desk.indicator.shown), (set(), ["pending"]))


def test_a_late_acceptance_is_silent_and_so_is_a_voided_scan():
    desk = Desk()
    desk.answers.kept(10, 1, True)
    desk.clock.now = 1501
    desk.verdict(10, 0)
    desk.verdict(9, 4)
    desk.verdict(8, 1, 23)
    equal((desk.indicator.shown, desk.indicator.held), ([], set()))


def test_a_verdict_is_shown_once_and_a_pending_after_a_final_is_ignored():
    desk = Desk()
    desk.answers.kept(10, 1, True)
    desk.verdict(10, 3, 14)
    desk.verdict(10, 3, 14)
    desk.verdict(10, 0)
    desk.verdict(10, 0)
    desk.verdict(10, 3, 14)
    equal(desk.indicator.shown, ["pending", "accepted"])
    equal(desk.indicator.held, set())


def test_what_was_shown_is_remembered_for_64_seqs_and_no_older_one_displaces_it():
    desk = Desk()
    desk.journal.newest = 200
    for seq in (1, 64, 65, 200):
        desk.verdict(seq, 3, 14)
        desk.verdict(seq, 3, 14)
        desk.verdict(seq, 1, 2)
        desk.verdict(seq, 1, 2)
    desk.verdict(1, 1, 2)  # 65 took its place
    desk.verdict(65, 1, 2)
    equal((desk.health.counted.count("pending"), desk.health.counted.count("rejected")), (4, 5))


def test_query_and_void_never_look_like_a_sale():
    desk = Desk()
    desk.answers.kept(10, 5, True)
    desk.verdict(10, 0)
    desk.answers.kept(9, 7, True)
    desk.verdict(9, 0)
    equal(desk.indicator.shown, ["query_accepted", "void_accepted"])


def test_a_verdict_with_another_digest_or_key_or_shape_shows_and_frees_nothing():
    desk = Desk()
    desk.answers.kept(10, 1, True)
    desk.verdict(10, 0, digest=bytes(32))
    desk.verdict(11, 0)
    desk.verdict(10, 0, key=bytes(32))
    for change in ({1: 2}, {4: 6}, {7: False}, {8: 1}, {3: b"x"}, {9: ""}, {9: "x" * 65}, {10: 0}, {2: -1}):
        desk.verdict(10, 0, change=change)
    desk.answers.verdict(b"")
    desk.answers.verdict(b"\xd1" * 100)
    desk.verdict(99, 0, change={9: "\u5df2" * 21})  # a text for a display: no fault
    equal((desk.indicator.shown, desk.journal.freed), ([], 0))
    equal(desk.health.counted.count("unmatched"), 3)
    equal(desk.health.counted.count("mac_failures"), 3)
    equal(desk.health.counted.count("malformed"), 9)


def test_the_bridge_is_there_where_it_answers_a_head_or_frees_something():
    desk = Desk()
    desk.clock.now = 7_000
    desk.verdict(10, 0, key=bytes(32))
    desk.verdict(10, 0, change={1: 2})
    desk.answers.receipt(b"\xd1" * 100)
    desk.verdict(11, 0)
    desk.receipt(0)
    desk.receipt(0, head=bytes(32))
    equal(desk.answers.heard, 0)
    desk.verdict(8, 0)
    equal(desk.answers.heard, 7_000)
    desk.clock.now = 8_000
    desk.verdict(8, 0)  # once more: it may have lain at the broker for days
    desk.receipt(8)
    equal(desk.answers.heard, 7_000)
    desk.answers.head = (bytes(32), 7_500)
    desk.receipt(8, head=bytes(32))
    equal(desk.answers.heard, 8_000)


def test_a_quarantined_message_frees_nothing():
    desk = Desk()
    desk.answers.kept(10, 1, True)
    desk.verdict(10, 5, 20, kept=False)
    equal((desk.indicator.shown, desk.journal.freed), (["error"], 0))


def test_receipts_in_any_order_free_only_forwards_and_only_what_matches():
    desk = Desk()
    desk.receipt(7)
    desk.receipt(3)
    desk.receipt(9, digest=bytes(32))
    desk.receipt(0, digest=bytes(32))
    equal((desk.journal.freed, desk.freed, desk.alarms), (7, 1, 0))


def test_a_receipt_above_the_newest_record_is_an_alarm():
    desk = Desk()
    desk.receipt(11)
    equal((desk.alarms, desk.journal.freed), (1, 0))


def test_the_clock_is_set_only_by_the_answer_to_a_head_that_just_left():
    desk = Desk()
    head = b"h" * 32
    desk.receipt(1, head=head)
    equal(desk.clock.synchronised, None)
    desk.answers.head = (head, 0)
    desk.clock.now = 100
    desk.receipt(2, sent_at=90_000, head=b"x" * 32)
    equal(desk.clock.synchronised, None)
    desk.receipt(3, sent_at=90_000, head=head)
    equal(desk.clock.synchronised, 90_050)
    desk.answers.head = (head, 100)
    desk.clock.now = 2100
    desk.receipt(4, sent_at=7, head=head)
    equal(desk.clock.synchronised, 90_050)


def test_a_bridge_whose_own_clock_is_wrong_frees_the_journal_but_sets_no_clock():
    desk = Desk()
    head = b"h" * 32
    desk.answers.head = (head, 0)
    desk.receipt(5, sent_at=(1 << 64) - 1, head=head)
    equal((desk.clock.synchronised, desk.journal.freed), (None, 5))


def test_numbers_of_any_size_are_answered_without_a_fault():
    desk = Desk()
    for seq in (0, 11, (1 << 31), (1 << 63), (1 << 64) - 1):
        desk.verdict(seq, 0, digest=bytes(32), change={5: (1 << 64) - 1, 6: (1 << 64) - 1})
    desk.receipt((1 << 64) - 1, digest=bytes(32))
    equal((desk.indicator.shown, desk.journal.freed, desk.alarms), ([], 0, 1))


def test_pending_shows_after_a_second_and_a_half_and_ends_after_a_minute():
    desk = Desk()
    desk.answers.kept(10, 1, True)
    desk.clock.now = 1499
    desk.answers.look()
    equal(desk.indicator.shown, [])
    desk.clock.now = 1500
    desk.answers.look()
    equal(("pending" in desk.indicator.held, desk.indicator.shown), (True, ["pending"]))
    desk.clock.now = 61_500
    desk.answers.look()
    equal(desk.indicator.held, set())


def test_without_a_link_pending_shows_at_once():
    desk = Desk()
    desk.answers.kept(10, 1, False)
    equal(desk.indicator.shown, ["pending"])
