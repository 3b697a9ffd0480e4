# Clock, watchdog, settings, session, commands: the box itself.
import asyncio

from cases import equal, raises
from scanlatch.prove import cbor, cose, record
from scanlatch.system import csr, ntp, settings
from scanlatch.system.clock import KEPT, NEVER_SET, SYNCHRONISED, Clock
from scanlatch.system.commands import Commands
from scanlatch.system.session import Session, is_ident
from scanlatch.system.watchdog import Watchdog

_NOW = 1_795_000_000_000


class Rtc:
    def __init__(self, memory=b""):
        self._memory, self.set_to = memory, None

    def memory(self, value=None):
        if value is None:
            return self._memory
        self._memory = value

    def datetime(self, value):
        self.set_to = value


class Nvs:
    def __init__(self):
        self.held, self.writes = {}, 0

    def get_int(self, name):
        return self.held.get(name)

    get_bytes = get_int

    def set_int(self, name, value):
        self.held[name] = value
        self.writes += 1

    set_bytes = set_int

    def erase(self, name):
        self.held.pop(name, None)


class Ticks:
    def __init__(self, wrap=1 << 30):
        self.now, self.wrap = 0, wrap

    def ticks(self):
        return self.now % self.wrap

    def diff(self, a, b):
        half = self.wrap // 2
        return (a - b + half) % self.wrap - half


def _clock(floor=_NOW, rtc=None, ran_on=False):
    ticks = Ticks()
    return Clock(rtc, ran_on, floor, ticks.ticks, ticks.diff), ticks


def test_uptime_goes_on_where_the_ticks_wrap_after_twelve_days():
    clock, ticks = _clock()
    for day in range(1, 40):
        ticks.now = day * 86_400_000
        equal(clock.ms(), day * 86_400_000)


def test_a_clock_never_set_counts_from_its_floor_and_says_so():
    rtc = Rtc()
    clock, ticks = _clock(rtc=rtc)
    ticks.now = 5000
    equal(clock.now(), (_NOW + 5000, NEVER_SET))
    equal(rtc.set_to[:3], (2026, 11, 18))


def test_the_rtc_is_believed_only_where_it_was_set_and_ran_on():
    equal(_clock(rtc=Rtc(b"SL1"), ran_on=True)[0].quality, KEPT)
    equal(_clock(rtc=Rtc(b""), ran_on=True)[0].quality, NEVER_SET)
    equal(_clock(rtc=Rtc(b"SL1"), ran_on=False)[0].quality, NEVER_SET)


def test_synchronising_steps_forwards_and_backwards():
    rtc = Rtc()
    clock, ticks = _clock(rtc=rtc)
    ticks.now = 1000
    clock.synchronise(_NOW + 900_000)
    equal(clock.now(), (_NOW + 900_000, SYNCHRONISED))
    clock.synchronise(_NOW - 900_000)
    ticks.now = 3000
    equal(clock.now(), (_NOW - 898_000, SYNCHRONISED))
    equal(rtc.memory(), b"SL1")


def test_the_last_time_is_kept_at_most_hourly_and_only_once_synchronised():
    clock, ticks = _clock()
    nvs = Nvs()
    clock.keep(nvs)
    equal(nvs.writes, 0)
    clock.synchronise(_NOW)
    for minute in range(121):
        ticks.now = minute * 60_000
        clock.keep(nvs)
    equal(nvs.writes, 3)
    equal(nvs.held["last_time"], _NOW + 7_200_000)


class Wdt:
    fed = 0

    def feed(self):
        self.fed += 1


def test_a_task_that_hangs_stops_the_feeding():
    clock, ticks = _clock()
    dog = Watchdog(Wdt(), clock)
    beat = dog.watch("uplink", 5000)
    equal(dog.late(), None)
    ticks.now = 5001
    equal(dog.late(), "uplink")
    beat()
    equal(dog.late(), None)


async def test_the_watchdog_is_fed_only_while_all_tasks_come_round():
    clock, ticks = _clock()
    wdt = Wdt()
    dog = Watchdog(wdt, clock)
    dog.watch("uplink", 10)
    task = asyncio.create_task(dog.run())
    await asyncio.sleep_ms(10)
    equal(wdt.fed, 1)
    ticks.now = 11
    await asyncio.sleep_ms(1100)
    equal(wdt.fed, 1)
    task.cancel()


def _settings(**changes):
    made = {
        "v": 1,
        "site": "clinic-7",
        "device": "d-1",
        "operation": "sale",
        "broker": {"host": "h", "port": 8883, "name": "h"},
        "board": {},
    }
    made.update(changes)
    return made


def test_settings_as_provisioning_writes_them_are_taken():
    settings.check(_settings(rules={"first_digit": "8"}, rescan_ms=1500, wifi={"ssid": "x"}))


def test_an_unknown_key_is_named_with_the_nearest_valid_one():
    error = raises(settings.SettingsError, settings.check, _settings(opperation="sale"))
    equal(error.key, "opperation")
    equal("operation" in error.advice, True)
    error = raises(settings.SettingsError, settings.check, _settings(broker={"hots": "h", "port": 1, "name": "n"}))
    equal((error.key, "broker.host?" in error.advice), ("broker.hots", True))


def test_missing_and_mistyped_settings_are_refused():
    made = _settings()
    del made["site"]
    equal(raises(settings.SettingsError, settings.check, made).key, "site")
    equal(raises(settings.SettingsError, settings.check, _settings(site=7)).key, "site")
    equal(raises(settings.SettingsError, settings.check, _settings(device="Über")).key, "device")
    equal(raises(settings.SettingsError, settings.check, _settings(operation="sell")).key, "operation")
    equal(raises(settings.SettingsError, settings.check, _settings(v=2)).key, "v")


def test_a_session_is_in_force_until_its_end_and_never_under_a_clock_that_was_not_set():
    clock, ticks = _clock()
    nvs = Nvs()
    session = Session(1, clock, nvs)
    equal(session.command({"id": "S-1", "kind": "sale", "until": _NOW + 60_000}), "ok")
    equal(session.session(), None)
    clock.synchronise(_NOW)
    equal(session.session(), "S-1")
    equal(Session(1, clock, nvs).session(), "S-1")
    ticks.now = 60_000
    equal(session.session(), None)
    equal(session.command({"id": ""}), "ok")
    equal(Session(1, clock, nvs).session(), None)


def test_a_session_with_bad_arguments_is_refused():
    clock, _ = _clock()
    session = Session(1, clock, Nvs())
    for arguments in ({}, {"id": "a b"}, {"id": "x" * 33}, {"id": "S-1", "kind": "tea"}, {"id": "S-1", "kind": "sale"}):
        equal(session.command(arguments) == "ok", False)
    equal(is_ident("S-20261122-0007"), True)


_KEY, _BRIDGE = bytes(range(32)), b"bridge-1"


def _commands(clock, nvs, done):
    def act(arguments):
        done.append(arguments)
        return "ok"

    class Counts:
        def __init__(self):
            self.counted = []

        def count(self, name):
            self.counted.append(name)

    health = Counts()
    actions = {"identify": act, "health": act, "session": act}
    return Commands("d-1", (_BRIDGE, _KEY), nvs, clock, health, actions), health


def _command(counter, name, arguments, not_after, key=_KEY):
    payload = cbor.dumps({1: 1, 2: counter, 3: name, 4: arguments, 5: not_after})
    return cose.mac0(_BRIDGE, payload, record.AAD_COMMAND, key)


def _result(reply):
    return cose.open_mac0(reply, record.AAD_REPLY, _KEY, b"d-1")


def test_a_command_is_carried_out_once_and_its_counter_survives_a_restart():
    clock, _ = _clock()
    clock.synchronise(_NOW)
    nvs, done = Nvs(), []
    commands, _ = _commands(clock, nvs, done)
    message = _command(4, "session", {"id": ""}, _NOW + 1000)
    equal(_result(commands.handle(message)), {1: 1, 2: 4, 3: "ok", 4: 4, 5: {}})
    again, _ = _commands(clock, nvs, done)
    equal(_result(again.handle(message))[3] == "ok", False)
    equal(len(done), 1)


def test_a_late_or_unknown_command_is_refused_and_says_so():
    clock, _ = _clock()
    clock.synchronise(_NOW)
    done = []
    commands, _ = _commands(clock, Nvs(), done)
    equal(_result(commands.handle(_command(1, "identify", {}, _NOW - 1)))[3], "came too late")
    equal(_result(commands.handle(_command(2, "explode", {}, _NOW + 1)))[3], "not known: explode")
    equal(done, [])


def test_under_a_clock_never_set_only_identify_and_health_act():
    clock, _ = _clock()
    done = []
    commands, _ = _commands(clock, Nvs(), done)
    equal(_result(commands.handle(_command(1, "session", {}, _NOW * 2)))[3], "clock was never set")
    equal(_result(commands.handle(_command(2, "identify", {}, 0)))[3], "ok")
    equal(len(done), 1)


def test_a_command_under_another_key_is_not_answered_but_counted():
    clock, _ = _clock()
    commands, health = _commands(clock, Nvs(), [])
    equal(commands.handle(_command(1, "identify", {}, 0, bytes(32))), None)
    equal(commands.handle(b"\x00" * 5000), None)
    equal(health.counted, ["mac_failures", "mac_failures"])


def test_integers_in_a_signing_request_are_positive_and_shortest():
    equal(csr._integer(b"\x00\x00\x05"), b"\x02\x01\x05")
    equal(csr._integer(b"\x80"), b"\x02\x02\x00\x80")
    equal(csr._integer(b"\x00"), b"\x02\x01\x00")


def test_a_time_servers_answer_is_read_across_2036_and_a_server_without_time_is_not_believed():
    answer = bytearray(48)
    answer[0], answer[1] = 0x24, 2
    answer[40:44] = (2_208_988_800 + 1_795_000_000).to_bytes(4, "big")
    answer[44:48] = b"\x80\x00\x00\x00"
    equal(ntp.utc_ms(answer), 1_795_000_000_500)
    answer[40:44] = (100).to_bytes(4, "big")
    equal(ntp.utc_ms(answer), ((1 << 32) - 2_208_988_800 + 100) * 1000 + 500)
    for place, value in ((0, 0xE4), (0, 0x23), (1, 0), (1, 16)):
        broken = bytearray(answer)
        broken[place] = value
        raises(ValueError, ntp.utc_ms, broken)
    raises(ValueError, ntp.utc_ms, b"")
