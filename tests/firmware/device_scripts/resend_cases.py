# Which record leaves next, and what becomes of the link meanwhile.
import asyncio

from cases import equal
from scanlatch.keep.journal import JournalError
from scanlatch.send.mqtt import Client, MqttError
from scanlatch.send.resend import Resend
from scanlatch.send.uplink import Uplink


class Journal:
    newest_digest = bytes(32)

    def missing(self):
        return []

    def idle(self, now_ms, quiet_ms):
        return False

    def __init__(self, newest=0, freed=0, oldest=1):
        self.newest, self.freed, self.oldest = newest, freed, oldest


class Clock:
    def __init__(self):
        self.now = 0

    def ms(self):
        return self.now


def _made(newest, freed=0):
    journal, clock = Journal(newest, freed), Clock()
    resend = Resend(journal, clock)
    resend.connected()
    return resend, journal, clock


def _drain(resend):
    out = []
    while True:
        seq = resend.next()
        if seq is None:
            return out
        out.append(seq)
        resend.sent(seq)


def test_records_leave_oldest_first_and_once():
    resend, journal, _ = _made(5, 2)
    equal(_drain(resend), [3, 4, 5])
    journal.newest = 6
    equal(_drain(resend), [6])


def test_what_the_broker_did_not_acknowledge_leaves_again_on_the_next_connection():
    resend, _, _ = _made(5)
    _drain(resend)
    for seq in (1, 2, 4):
        resend.acknowledged(seq)
    resend.connected()
    equal(_drain(resend), [3, 4, 5])


def test_a_record_without_a_receipt_goes_again_after_30_s_and_then_at_doubling_waits():
    resend, _, clock = _made(2)
    _drain(resend)
    resend.acknowledged(1)
    resend.acknowledged(2)
    times = []
    while clock.now < 2_000_000:
        clock.now += 1000
        if resend.oldest_is_due():
            equal(_drain(resend), [1])
            times.append(clock.now // 1000)
    equal(times[:4], [30, 90, 210, 450])
    waits = [b - a for a, b in zip(times, times[1:])]
    equal(max(waits), 600)


def test_a_record_acknowledged_before_its_turn_goes_again_where_the_bridge_never_had_it():
    resend, journal, clock = _made(3)
    _drain(resend)
    resend.acknowledged(3)
    resend.acknowledged(2)
    journal.freed = 2  # the receipt overtakes the acknowledgement of the first
    resend.freed()
    resend.acknowledged(1)
    clock.now = 30_000
    equal(resend.oldest_is_due(), True)
    equal(_drain(resend), [3])


def test_a_receipt_that_frees_brings_all_that_was_acknowledged_long_ago_once_more():
    resend, journal, clock = _made(6)
    _drain(resend)
    for seq in range(1, 6):
        resend.acknowledged(seq)
    clock.now = 31_000
    resend.acknowledged(6)
    journal.freed = 2
    resend.freed()
    equal(_drain(resend), [3, 4, 5])
    resend.freed()
    equal(_drain(resend), [])


def test_a_long_resend_never_holds_up_a_live_scan():
    resend, journal, _ = _made(100, 100)
    resend.again(1, 100)
    resend.sent(resend.next())
    journal.newest = 101
    equal(101 in [resend.next() or resend.sent(1)] + _take(resend, 2), True)


def _take(resend, count):
    out = []
    for _ in range(count):
        seq = resend.next()
        out.append(seq)
        resend.sent(seq)
    return out


def test_nothing_below_what_the_ring_still_holds_is_asked_of_it():
    resend, journal, _ = _made(10, 10)
    journal.oldest = 7
    resend.again(1, 10)
    equal(_drain(resend), [7, 8, 9, 10])


def test_what_is_receipted_meanwhile_is_not_published_again():
    resend, journal, clock = _made(6)
    _drain(resend)
    for seq in range(1, 7):
        resend.acknowledged(seq)
    clock.now = 31_000
    journal.freed = 1
    resend.freed()
    equal(resend.next(), 2)
    journal.freed = 4
    resend.freed()
    equal(_drain(resend), [5, 6])


def test_a_resend_that_was_asked_for_brings_the_receipted_too():
    resend, journal, _ = _made(4)
    _drain(resend)
    resend.again(1, 4)
    journal.freed = 3
    resend.freed()
    equal(_drain(resend), [1, 2, 3, 4])


def test_acknowledgements_far_ahead_of_a_backlog_take_no_heap():
    resend, _, _ = _made(2000)
    for seq in range(1000, 2001):
        resend.acknowledged(seq)
    equal(resend._early < 1 << 24, True)
    equal(_drain(resend), [1, 2, 3, 4, 5, 6, 7, 8])
    for seq in range(1, 9):
        resend.acknowledged(seq)
    resend.connected()
    equal(_drain(resend), [])


class Counts:
    def __init__(self):
        self.counted = []

    def count(self, name):
        self.counted.append(name)


def _uplink(terminal):
    clock, health = Clock(), Counts()
    settings = {"site": "s", "device": "d", "broker": {}}
    parts = clock, Journal(), None, None, health
    return Uplink(settings, parts, None, terminal), clock, health


def test_a_message_that_nobody_foresaw_is_counted_and_does_not_come_for_ever():
    class Terminal:
        def receive(self, kind, message):
            raise message

    uplink, _, health = _uplink(Terminal())
    for error in (TypeError("x"), OverflowError("x"), RuntimeError("maximum recursion depth exceeded")):
        uplink._on_message("scanlatch/v1/s/d/verdict", error)
    equal(health.counted, ["malformed"] * 3)
    try:  # but one for which there was no room comes again
        uplink._on_message("scanlatch/v1/s/d/verdict", MemoryError())
        equal("taken", "raised")
    except MemoryError:
        pass


class Signer:
    def sign(self, message):
        return bytes(64)


class Patient:
    """The socket of a broker that takes everything and answers nothing, a second for each packet."""

    def __init__(self, clock):
        self.clock = clock

    def write(self, data):
        self.clock.now += 1_000  # so that the next round begins at once
        return len(data)

    def close(self):
        pass


class Failing(Journal):
    def idle(self, now_ms, quiet_ms):
        raise JournalError("flash")


async def test_a_link_that_goes_on_taking_is_kept_though_the_journal_fails():
    faults = []

    class Terminal:
        told = {"fw": "0"}
        after = None
        device, boot, journal, signer = "d", 1, Failing(), Signer()
        on_journal_fault = faults.append

        def online(self, online, cause):
            pass

        def report(self):
            return b"{}"

    terminal = Terminal()
    uplink, clock, _ = _uplink(terminal)
    terminal.uplink, terminal.clock, terminal.answers = uplink, clock, Terminal()
    client = Client(Patient(clock), clock, 30_000, None, None)
    rounds = []

    def beat():
        rounds.append(client.until_ms > clock.now)
        clock.now += 59_500  # health is due in each round, so none waits
        if len(rounds) == 10:
            raise KeyError

    try:
        await asyncio.wait_for_ms(uplink._serve(client, beat), 5000)
    except KeyError:
        pass
    equal((rounds, client.why), ([True] * 10, None))
    equal([fault.reason for fault in faults], ["flash"])


class Unplugged:
    """The chip's drivers raise an OSError that has a text and no number."""

    async def up(self, deadline_ms):
        raise OSError("ethernet enable failed")


async def test_a_network_driver_that_fails_with_a_text_is_a_link_that_is_down():
    uplink, _, _ = _uplink(None)
    uplink._link = Unplugged()
    equal(await uplink._live(None), "network")


class Deaf:
    """The socket of a broker that takes nothing."""

    def __init__(self, clock):
        self.clock = clock

    def write(self, data):
        self.clock.now += 10_000

    def close(self):
        raise OSError(12)  # as lwIP may; the first error is the one that is told


async def test_a_link_that_takes_nothing_for_a_minute_is_given_up():
    clock = Clock()
    client = Client(Deaf(clock), clock, 30_000, None, None)
    try:
        await asyncio.wait_for_ms(client.publish("t", b"", 1), 1000)
        equal("published", "given up")
    except MqttError as error:
        equal((error.cause, clock.now), ("network", 60_000))
