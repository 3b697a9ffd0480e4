# The clock through what may happen to time: other epochs, steps, drift, wraps, and years far ahead.
import asyncio
import sys
import time

from cases import equal, raises
from scanlatch import app
from scanlatch.send.mqtt import MqttError
from scanlatch.send.uplink import Uplink
from scanlatch.system import ntp
from scanlatch.system.clock import KEPT, NEVER_SET, SYNCHRONISED
from system_desk import NOW, Rtc
from system_desk import clock as _clock

_DAY = 86_400_000
_YEAR_2000 = 946_684_800  # s since 1970
_OURS = _YEAR_2000 if time.gmtime(0)[0] == 2000 else 0
_WRAP = 1 << 30  # ms: 12.4 days, what `ticks_ms` of the ESP32 counts to


class _Time:
    """A `time` that counts from another year, `epoch_s` in seconds since 1970."""

    def __init__(self, epoch_s, unix_s):
        self._epoch_s, self._unix_s = epoch_s, unix_s
        self.ticks_ms, self.ticks_diff = time.ticks_ms, time.ticks_diff

    def gmtime(self, seconds):
        return time.gmtime(seconds + self._epoch_s - _OURS)

    def time(self):
        return self._unix_s - self._epoch_s


def _clock_on(made):
    """The module `clock` on another `time`."""
    name, before = "scanlatch.system.clock", sys.modules["time"] if "time" in sys.modules else None
    kept = sys.modules[name]
    del sys.modules[name]
    sys.modules["time"] = made
    try:
        return __import__(name, None, None, ("",))
    finally:
        sys.modules[name] = kept
        if before is None:
            del sys.modules["time"]
        else:
            sys.modules["time"] = before


def test_times_are_the_same_whether_the_interpreter_counts_from_1970_or_2000():
    for epoch_s in (0, _YEAR_2000):
        module = _clock_on(_Time(epoch_s, NOW // 1000))
        rtc = Rtc(b"SL1")
        clock = module.Clock(rtc, True, 0, lambda: 0, lambda a, b: a - b)
        equal(clock.now(), (NOW, KEPT))
        clock.synchronise(NOW + _DAY)
        equal(rtc.set_to, (2026, 11, 19, 3, 11, 6, 40, 0))


def test_uptime_goes_on_whatever_is_done_to_the_time():
    clock, ticks = _clock()
    last = -1
    for step, utc_ms in enumerate((NOW, NOW - 10 * _DAY, NOW + 900 * _DAY, NOW - 1, 3_000_000_000_000)):
        ticks.now += 1
        clock.synchronise(utc_ms)
        equal(clock.ms(), step + 1)
        equal(clock.ms() > last, True)
        last = clock.ms()


def test_the_time_goes_on_over_every_wrap_of_the_ticks():
    clock, ticks = _clock()
    clock.synchronise(NOW)
    for at in range(0, 5 * _WRAP, _WRAP // 7):
        ticks.now = at
        equal(clock.now(), (NOW + at, SYNCHRONISED))
    for at in (_WRAP * 6 - 1, _WRAP * 6, _WRAP * 6 + 1):  # looked at just before, at and behind a wrap
        while ticks.now < at:
            ticks.now = min(at, ticks.now + _WRAP // 3)
            clock.ms()
        equal((clock.ms(), clock.now()[0]), (at, NOW + at))


def test_a_clock_that_is_made_just_before_the_wrap_counts_from_nothing():
    from scanlatch.system.clock import Clock

    ticks = _clock()[1]
    ticks.now = _WRAP - 5
    clock = Clock(None, False, NOW, ticks.ticks, ticks.diff)
    equal(clock.ms(), 0)
    ticks.now += 10
    equal((clock.ms(), clock.now()), (10, (NOW + 10, NEVER_SET)))


def test_times_behind_2038_are_times():
    for utc_ms, date in (
        (2_147_483_647_000, (2038, 1, 19)),
        (2_147_483_648_000, (2038, 1, 19)),
        (3_094_156_799_000, (2068, 1, 18)),
    ):
        rtc = Rtc()
        clock, ticks = _clock(rtc=rtc)
        clock.synchronise(utc_ms)
        ticks.now += _DAY
        equal(clock.now(), (utc_ms + _DAY, SYNCHRONISED))
        equal(rtc.set_to[:3], date)


class _Socket:
    """A time server that answers what it is told to, or not at all."""

    AF_INET = SOCK_DGRAM = 0

    def __init__(self, answers):
        self._answers, self.asked = answers, 0

    def getaddrinfo(self, host, port):
        return [(0, 0, 0, "", (host, port))]

    def socket(self, *_):
        return self

    def setblocking(self, to):
        pass

    connect = setblocking

    def send(self, data):
        self.asked += 1

    def recv(self, size):
        utc_ms = self._answers[min(self.asked, len(self._answers)) - 1]
        if utc_ms is None:
            raise OSError(11)
        answer = bytearray(48)
        answer[0], answer[1] = 0x24, 2
        answer[40:44] = (utc_ms // 1000 + 2_208_988_800).to_bytes(4, "big")
        return answer

    def close(self):
        pass


class _Link:
    def __init__(self, connected=True):
        self._connected = connected

    def connected(self):
        return self._connected


async def _ntp(answers, connected=True, earliest=0):
    """A clock, and how often the server was asked, after as many answers as there are."""
    clock, _ = _clock(earliest=earliest)
    server, real, seen = _Socket(answers), asyncio.sleep_ms, []

    async def no_wait(ms):
        if ms > 1000:  # a try is over
            seen.append(clock.now())
            if len(seen) == max(1, len(answers)):
                raise EOFError
        await real(0)

    sockets, ntp.socket = ntp.socket, server
    ntp.asyncio.sleep_ms = no_wait
    try:
        await ntp.run("time.example", clock, _Link(connected), lambda: None)
    except EOFError:
        pass
    finally:
        ntp.socket, ntp.asyncio.sleep_ms = sockets, real
    return clock, server.asked, seen


async def test_a_time_server_that_steps_back_is_followed():
    clock, asked, seen = await _ntp([NOW, NOW - 3_600_000])
    equal((asked, seen), (2, [(NOW, SYNCHRONISED), (NOW - 3_600_000, SYNCHRONISED)]))
    equal(clock.ms(), 0)


async def test_a_time_server_that_is_silent_or_wrong_changes_nothing():
    clock, asked, seen = await _ntp([None, NOW - _DAY, NOW], earliest=NOW - 1)
    equal(seen, [(NOW, NEVER_SET), (NOW, NEVER_SET), (NOW, SYNCHRONISED)])


async def test_no_time_server_is_asked_without_a_link():
    equal((await _ntp([NOW], connected=False))[1], 0)


def test_a_clock_that_drifts_is_within_a_second_where_it_is_set_every_six_hours():
    for ppm in (-40, 40):
        clock, ticks = _clock()
        clock.synchronise(NOW)
        true = 0
        for _ in range(400):
            true += 21_600_000
            ticks.now = true * (1_000_000 + ppm) // 1_000_000
            if abs(clock.now()[0] - NOW - true) > 1000:
                raise AssertionError("off by %d ms" % (clock.now()[0] - NOW - true))
            clock.synchronise(NOW + true)


def test_a_time_that_cant_be_leaves_the_quality_as_it_was():
    clock, _ = _clock()
    clock.synchronise(NOW)
    raises(ValueError, clock.synchronise, 0)
    equal(clock.now(), (NOW, SYNCHRONISED))


def test_an_rtc_that_ran_on_but_lags_behind_the_floor_is_brought_up_to_it():
    from scanlatch.system.clock import Clock

    floor = 3_000_000_000_000  # far ahead of this machine
    clock = Clock(Rtc(b"SL1"), True, floor, lambda: 0, lambda a, b: a - b)
    equal(clock.now(), (floor, KEPT))


class _Anything:
    """Whatever a terminal's parts are asked, they do nothing."""

    engine = ""
    freed = newest = 0

    def __getattr__(self, name):
        return lambda *_: None


async def _nothing():
    pass


async def _started(time_server):
    # The modules that a terminal loads as it starts to run, with this in its settings.
    terminal = app.Terminal()
    terminal.device, terminal.boot, terminal.told = "d", 1, {"operation": "sale"}
    terminal.scanner = terminal.clock = terminal.dog = terminal.indicator = terminal.box = _Anything()
    terminal.scanner.fault, terminal.box.link = None, None
    terminal.journal_stands, terminal.ntp = False, time_server
    terminal._read = terminal._look = terminal.indicator.run = _nothing
    loaded = []

    class Module:
        @staticmethod
        def run(*given):
            loaded.append(given[0])
            return _nothing()

    def load(name):
        loaded.append(name)
        return Module

    kept, app.load = app.load, load
    try:
        await terminal.run()
    finally:
        app.load = kept
    return loaded


async def test_a_time_server_is_asked_only_where_the_settings_name_one():
    equal(await _started(None), [])
    equal(await _started("time.clinic"), ["system.ntp", "time.clinic"])


async def test_the_time_is_not_kept_while_no_link_stands():
    asked = []

    class Link:
        async def up(self, deadline_ms):
            return True

    class Terminal(_Anything):
        def report(self):  # which keeps the time: see report.py
            asked.append(1)

    health = _Anything()
    health.engine = "line"
    parts = _clock()[0], _Anything(), None, None, health
    uplink = Uplink({"site": "s", "device": "d"}, parts, Link(), Terminal())

    async def refused():
        raise MqttError("tls", "refused")

    uplink._open = refused
    equal(await uplink._live(lambda: None), "tls")
    equal(asked, [])
