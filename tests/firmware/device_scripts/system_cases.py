# Clock, watchdog, settings: the box itself.

from cases import equal, raises
from scanlatch.system import csr, ntp, report, settings
from scanlatch.system.clock import KEPT, NEVER_SET, SYNCHRONISED
from scanlatch.system.watchdog import Watchdog
from system_desk import NOW, Nvs, Rtc
from system_desk import clock as _clock


def test_uptime_goes_on_where_the_ticks_wrap_after_twelve_days():
    clock, ticks = _clock()
    for day in range(1, 40):
        ticks.now = day * 86_400_000
        equal(clock.ms(), day * 86_400_000)


def test_a_clock_never_set_counts_from_its_floor_and_says_so():
    rtc = Rtc()
    clock, ticks = _clock(rtc=rtc)
    ticks.now = 5000
    equal(clock.now(), (NOW + 5000, NEVER_SET))
    equal(rtc.set_to[:3], (2026, 11, 18))


def test_the_rtc_is_believed_only_where_it_was_set_and_ran_on():
    equal(_clock(rtc=Rtc(b"SL1"), ran_on=True)[0].quality, KEPT)
    equal(_clock(rtc=Rtc(b""), ran_on=True)[0].quality, NEVER_SET)
    equal(_clock(rtc=Rtc(b"SL1"), ran_on=False)[0].quality, NEVER_SET)


def test_a_floor_that_the_rtc_was_set_to_is_no_time_after_a_soft_reset():
    rtc = Rtc()
    _clock(rtc=rtc)[0].synchronise(NOW)
    _clock(rtc=rtc, ran_on=False)
    equal(_clock(rtc=rtc, ran_on=True)[0].quality, NEVER_SET)


def test_a_floor_that_the_rtc_cannot_hold_does_not_stop_the_start():
    rtc = Rtc()
    for floor in (0, 1, 1 << 62):
        equal(_clock(floor, rtc)[0].now(), (floor, NEVER_SET))
    equal(rtc.set_to, None)


def test_a_time_before_our_certificate_or_beyond_the_rtc_is_not_believed():
    rtc = Rtc()
    clock, _ = _clock(rtc=rtc, earliest=NOW - 1000)
    for wrong in (0, NOW - 1001, 3_094_156_800_000, (1 << 64) - 1):
        raises(ValueError, clock.synchronise, wrong)
    equal((clock.now(), rtc.memory()), ((NOW, NEVER_SET), b""))
    clock.synchronise(NOW - 1000)
    equal(clock.quality, SYNCHRONISED)


class _Terminal:
    def __init__(self, clock, nvs, not_after):
        self.clock, self.nvs, self.not_after = clock, nvs, not_after


def _keep(clock, nvs, not_after=None):
    report.keep_time(_Terminal(clock, nvs, not_after))


def test_a_time_behind_our_certificate_is_never_kept_as_a_floor():
    clock, _ = _clock()
    nvs = Nvs()
    clock.synchronise(NOW)
    _keep(clock, nvs, NOW)
    equal(nvs.held, {})
    _keep(clock, nvs, NOW + 1)
    equal(nvs.held, {"last_time": NOW})


def test_synchronising_steps_forwards_and_backwards():
    rtc = Rtc()
    clock, ticks = _clock(rtc=rtc)
    ticks.now = 1000
    clock.synchronise(NOW + 900_000)
    equal(clock.now(), (NOW + 900_000, SYNCHRONISED))
    clock.synchronise(NOW - 900_000)
    ticks.now = 3000
    equal(clock.now(), (NOW - 898_000, SYNCHRONISED))
    equal(rtc.memory(), b"SL1")


def test_the_last_time_is_kept_at_most_hourly_and_only_once_synchronised():
    clock, ticks = _clock()
    nvs = Nvs()
    _keep(clock, nvs)
    equal(nvs.writes, 0)
    clock.synchronise(NOW)
    for minute in range(121):
        ticks.now = minute * 60_000
        _keep(clock, nvs)
    equal(nvs.writes, 3)
    equal(nvs.held["last_time"], NOW + 7_200_000)


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


def test_the_watchdog_is_fed_only_while_all_tasks_come_round():
    clock, ticks = _clock()
    wdt = Wdt()
    dog = Watchdog(wdt, clock)
    beat = dog.watch("uplink", 1500)
    dog.look()
    dog.look()
    equal(wdt.fed, 1)
    ticks.now = 1000
    dog.look()
    equal(wdt.fed, 2)
    ticks.now = 2000
    dog.look()
    equal(wdt.fed, 2)
    beat()
    ticks.now = 3000
    dog.look()
    equal(wdt.fed, 3)


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
    rules = {"token": "0ABC9Z", "own": ["AB*"], "personal": [], "links": ["*"]}
    settings.check(_settings(rules=rules, mode_back_s=5, badge_s=86_400, rescan_ms=0))


def test_a_setting_out_of_its_range_is_named():
    for change, key in (
        ({"rescan_ms": -1}, "rescan_ms"),
        ({"rescan_ms": 60_001}, "rescan_ms"),
        ({"mode_back_s": 4}, "mode_back_s"),
        ({"badge_s": 59}, "badge_s"),
        ({"rules": {"token": "0ABC9"}}, "rules.token"),
        ({"rules": {"token": "0ABC9I"}}, "rules.token"),
        ({"rules": {"token": "0abc9z"}}, "rules.token"),
        ({"rules": {"own": [1]}}, "rules.own"),
        ({"rules": {"links": [""]}}, "rules.links"),
    ):
        equal(raises(settings.SettingsError, settings.check, _settings(**change)).key, key)


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


def test_optional_settings_that_are_null_count_as_absent():
    made = _settings(rules=None, rescan_ms=None, wifi=None, ntp=None)
    made["broker"]["not_before"] = None
    settings.check(made)
    equal(made, _settings())
    equal(raises(settings.SettingsError, settings.check, _settings(site=None)).key, "site")


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
