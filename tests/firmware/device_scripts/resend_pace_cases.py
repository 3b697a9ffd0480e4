# How far ahead of the bridge a backlog leaves.
import asyncio

from cases import equal
from resend_cases import Clock, Journal, _drain, _made
from scanlatch.send.uplink import Uplink


def test_a_backlog_leaves_as_fast_as_the_bridge_has_it_safe_and_never_more_than_eight_ahead():
    resend, journal, _ = _made(3000)
    out = []
    while journal.freed < 3000:
        sent = _drain(resend)
        out += sent
        for seq in sent:
            resend.acknowledged(seq)  # the broker takes all that it is given
        equal(out[-1], min(journal.freed + 8, 3000))
        journal.freed += min(3, 3000 - journal.freed)
        resend.freed()
    equal(out, list(range(1, 3001)))


def test_a_bridge_that_is_away_is_not_met_with_all_that_was_scanned_meanwhile():
    resend, journal, clock = _made(8)
    sent = 0
    while clock.now < 864_000_000:  # ten days, 300 scans a day
        clock.now += 60_000
        journal.newest = 8 + clock.now // 288_000
        resend.oldest_is_due()
        for seq in _drain(resend):
            resend.acknowledged(seq)
            sent += 1
    equal(sent < 3000, True)  # the oldest again and one more, every ten minutes
    journal.freed = 8
    resend.freed()
    while journal.freed < journal.newest:
        for seq in _drain(resend):
            resend.acknowledged(seq)
        journal.freed = min(resend._next - 1, journal.freed + 8)
        resend.freed()
    equal(journal.freed, 3008)


def test_one_record_that_the_bridge_never_has_safe_does_not_hold_up_all_behind_it_for_ever():
    resend, _, clock = _made(20)
    for seq in _drain(resend):
        resend.acknowledged(seq)
    new = set()
    for _ in range(40):
        clock.now += 600_000
        if resend.oldest_is_due():
            for seq in _drain(resend):
                resend.acknowledged(seq)
                new.add(seq)
    equal(sorted(new), [1] + list(range(9, 21)))


class Link:
    """A broker that takes all, and a bridge that has all safe but for what the terminal says is lost."""

    def __init__(self, journal, lost):
        self.came = []
        journal.read = lambda seq: None if seq in lost else b"record"
        settings = {"site": "s", "device": "d"}
        self.uplink = Uplink(settings, (Clock(), journal, None, None, self), None, None)
        self.uplink.records.connected()

    def count(self, name):
        equal(name, "sent")

    async def publish(self, topic, message, qos, retain, seq):
        self.came.append(seq)
        self.uplink.records.acknowledged(seq)

    async def drain(self):
        while await self.uplink._publish_next(self):
            pass


def test_records_that_the_flash_lost_hold_up_none_behind_them():
    for count in (7, 8, 9, 14, 100):  # a sector, or more, where as many are all that may be ahead
        journal = Journal(120)
        link = Link(journal, range(4, 4 + count))
        asyncio.run(link.drain())
        equal(link.came[:4], [1, 2, 3, 4 + count])
        journal.freed = link.came[-1]
        link.uplink.freed()
        asyncio.run(link.drain())
        while journal.freed < 120:
            journal.freed = min(link.came[-1], journal.freed + 8)
            link.uplink.freed()
            asyncio.run(link.drain())
        equal(link.came, [1, 2, 3] + list(range(4 + count, 121)))
