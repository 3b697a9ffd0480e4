# What the bridge asks of a terminal: commands, the session that they open, and its health.
import json

from cases import equal, raises
from scanlatch.keep.store import StoreFault
from scanlatch.prove import cbor, cose
from scanlatch.system import change, commands, modes, report
from scanlatch.system.health import Health
from scanlatch.system.session import Session
from system_desk import NOW, Nvs
from system_desk import clock as _clock


class FullNvs(Nvs):
    def set_int(self, name, value):
        raise StoreFault(name, "full")

    set_bytes = set_int

    def erase(self, name):
        raise StoreFault(name, "full")


def test_a_session_that_cannot_be_stored_is_not_in_force():
    clock, _ = _clock()
    clock.synchronise(NOW)
    session = Session(1, clock, FullNvs())
    opening = {"id": "S-1", "kind": "sale", "until": NOW + 60_000}
    raises(StoreFault, change.open_session, session, FullNvs(), opening, modes)
    equal(session.session(), None)


def test_a_session_that_cannot_be_read_does_not_stop_the_start():
    class Damaged(Nvs):
        def get_bytes(self, name):
            raise StoreFault(name, "damaged")

    clock, _ = _clock()
    equal(Session(1, clock, Damaged()).session(), None)
    nvs = Nvs()
    nvs.held["session"] = b"{"
    equal(Session(1, clock, nvs).session(), None)


def test_a_session_is_in_force_until_its_end_and_never_under_a_clock_that_was_not_set():
    clock, ticks = _clock()
    nvs = Nvs()
    session = Session(1, clock, nvs)
    equal(change.open_session(session, nvs, {"id": "S-1", "kind": "sale", "until": NOW + 60_000}, modes), "ok")
    equal(session.session(), None)
    clock.synchronise(NOW)
    equal(session.session(), "S-1")
    equal(Session(1, clock, nvs).session(), "S-1")
    ticks.now = 60_000
    equal(session.session(), None)
    equal(change.open_session(session, nvs, {"id": ""}, modes), "ok")
    equal(Session(1, clock, nvs).session(), None)


def test_a_session_with_bad_arguments_is_refused():
    clock, _ = _clock()
    session = Session(1, clock, Nvs())
    for arguments in ({}, {"id": "a b"}, {"id": "x" * 33}, {"id": "S-1", "kind": "tea"}, {"id": "S-1", "kind": "sale"}):
        equal(change.open_session(session, Nvs(), arguments, modes) == "ok", False)
    equal(modes.is_ident("S-20261122-0007"), True)


_KEY, _BRIDGE = bytes(range(32)), b"bridge-1"


class _Counts:
    def __init__(self):
        self.counted = []

    def count(self, name):
        self.counted.append(name)


class _Shown:
    def __init__(self):
        self.shown, self.held = [], {"idle_sale"}

    def show(self, name):
        self.shown.append(name)

    def hold(self, name, on):
        if on:
            self.held.add(name)
        else:
            self.held.discard(name)


class _Terminal:
    """What a command may ask for."""

    device, keys = "d-1", (_BRIDGE, _KEY, None)

    def __init__(self, clock, nvs):
        self.clock, self.nvs = clock, nvs
        self.health, self.indicator, self.session = _Counts(), _Shown(), Session(1, clock, nvs)
        self.settings = {}


def _command(counter, name, arguments, not_after, key=_KEY):
    payload = cbor.dumps({1: 1, 2: counter, 3: name, 4: arguments, 5: not_after})
    return cose.mac0(_BRIDGE, payload, commands.AAD_COMMAND, key)


def _result(reply):
    return cose.open_mac0(reply, commands.AAD_REPLY, _KEY, b"d-1")


def test_a_command_is_carried_out_once_and_its_counter_survives_a_restart():
    clock, _ = _clock()
    clock.synchronise(NOW)
    nvs = Nvs()
    message = _command(4, "identify", {}, NOW + 1000)
    terminal = _Terminal(clock, nvs)
    equal(_result(commands.handle(message, terminal)), {1: 1, 2: 4, 3: "ok", 4: 4, 5: {}})
    again = _Terminal(clock, nvs)
    equal(_result(commands.handle(message, again))[3] == "ok", False)
    equal((terminal.indicator.shown, again.indicator.shown), (["identify"], []))


def test_a_command_whose_counter_cannot_be_stored_does_not_act_and_says_so():
    clock, _ = _clock()
    clock.synchronise(NOW)
    terminal = _Terminal(clock, FullNvs())
    reply = _result(commands.handle(_command(1, "identify", {}, NOW + 1), terminal))
    equal((reply[3], reply[4], terminal.indicator.shown), ("store: command: full", 0, []))


def test_a_command_that_there_is_no_room_for_does_not_count_and_is_carried_out_when_it_comes_again():
    clock, _ = _clock()
    clock.synchronise(NOW)
    terminal, message = _Terminal(clock, Nvs()), _command(1, "restart", {}, NOW + 1)
    load = commands.load

    def fails(name):
        raise MemoryError

    commands.load = fails
    try:
        raises(MemoryError, commands.handle, message, terminal)
    finally:
        commands.load = load
    equal(terminal.nvs.get_int("command"), None)
    equal(_result(commands.handle(message, terminal))[3], "ok")
    equal(terminal.after is None, False)


def test_arguments_of_any_type_are_refused_with_words():
    clock, _ = _clock()
    nvs = Nvs()
    session = Session(1, clock, nvs)
    for value in (None, True, -1, 1 << 63, b"S-1", [], {}, ["sale"], "x" * 4000):
        for name in ("id", "kind", "until"):
            arguments = {"id": "S-1", "kind": "sale", "until": NOW}
            arguments[name] = value
            equal(isinstance(change.open_session(session, nvs, arguments, modes), str), True)
    equal(session.session(), None)


def test_a_session_says_what_is_done_in_it_and_its_end_what_was_usual():
    clock, ticks = _clock()
    clock.synchronise(NOW)
    terminal = _Terminal(clock, Nvs())
    session, light = terminal.session, terminal.indicator
    opening = {"id": "S-1", "kind": "return", "until": NOW + 60_000}
    equal(_result(commands.handle(_command(1, "session", opening, NOW + 1), terminal))[3], "ok")
    equal((session.operation, light.held, light.shown), (2, {"idle_return"}, []))
    equal(_result(commands.handle(_command(2, "session", {"id": ""}, NOW + 1), terminal))[3], "ok")
    equal((session.operation, light.held, session.due_ms), (1, {"idle_sale"}, None))


def test_a_session_whose_work_there_is_no_room_for_yet_is_in_force_and_its_work_is_due():
    class Full(_Shown):
        def hold(self, name, on):
            raise MemoryError

    clock, _ = _clock()
    clock.synchronise(NOW)
    terminal = _Terminal(clock, Nvs())
    terminal.indicator = Full()
    opening = {"id": "S-1", "kind": "return", "until": NOW + 60_000}
    equal(_result(commands.handle(_command(1, "session", opening, NOW + 1), terminal))[3], "ok")
    equal((terminal.session.session(), terminal.session.due_ms), ("S-1", 0))


def test_a_command_that_counts_and_finds_no_room_on_its_way_says_so():
    class Full(Nvs):
        def set_bytes(self, name, value):
            raise MemoryError

    clock, _ = _clock()
    clock.synchronise(NOW)
    terminal = _Terminal(clock, Full())
    opening = {"id": "S-1", "kind": "return", "until": NOW + 60_000}
    reply = _result(commands.handle(_command(1, "session", opening, NOW + 1), terminal))
    equal((reply[3], reply[4], terminal.session.session()), ("memory", 1, None))


def test_only_a_session_that_a_credential_asked_for_is_told_by_light():
    clock, _ = _clock()
    clock.synchronise(NOW)
    terminal = _Terminal(clock, Nvs())
    opening = {"id": "S-1", "kind": "sale", "until": NOW + 60_000}
    commands.handle(_command(1, "session", opening, NOW + 1), terminal)
    equal(terminal.indicator.shown, [])
    terminal.session.asked = 1
    commands.handle(_command(2, "session", opening, NOW + 1), terminal)
    terminal.session.asked = 2
    commands.handle(_command(3, "session", {"id": "", "reason": 17}, NOW + 1), terminal)
    equal(terminal.indicator.shown, ["session_open", "session_refused"])
    equal((terminal.session.asked, terminal.session.session()), (0, None))


def test_a_late_or_unknown_command_is_refused_and_says_so():
    clock, _ = _clock()
    clock.synchronise(NOW)
    terminal = _Terminal(clock, Nvs())
    equal(_result(commands.handle(_command(1, "identify", {}, NOW - 1), terminal))[3], "came too late")
    equal(_result(commands.handle(_command(2, "explode", {}, NOW + 1), terminal))[3], "not known: explode")
    equal(terminal.indicator.shown, [])


def test_under_a_clock_never_set_only_identify_and_health_act():
    clock, _ = _clock()
    terminal = _Terminal(clock, Nvs())
    equal(_result(commands.handle(_command(1, "session", {}, NOW * 2), terminal))[3], "clock was never set")
    equal(_result(commands.handle(_command(2, "identify", {}, 0), terminal))[3], "ok")
    equal(terminal.indicator.shown, ["identify"])


def test_a_command_under_another_key_is_not_answered_but_counted():
    clock, _ = _clock()
    terminal = _Terminal(clock, Nvs())
    equal(commands.handle(_command(1, "identify", {}, 0, bytes(32)), terminal), None)
    equal(commands.handle(b"\x00" * 5000, terminal), None)
    equal(terminal.health.counted, ["mac_failures", "mac_failures"])


class _Kept:
    newest, freed, room, capacity, erases = 7, 7, 100, 3000, 4

    class _ring:
        count, top = 256, 1


class _Reporting(_Terminal):
    journal, not_after = _Kept, None

    class signer:
        ready = 16

    class engine:
        lost = 3

    class box:
        class link:
            def rssi():  # noqa: N805
                return None


def test_health_tells_why_the_link_was_down_last():
    clock, _ = _clock()
    terminal = _Reporting(clock, Nvs())
    terminal.health = Health(1, " read kept ")
    for name in ("kept", "read", "kept"):
        terminal.health.count(name)
    terminal.health.link_cause = "certificate"
    told = json.loads(report.made(terminal))
    equal((told["link"], told["queue"], told["nonce_pairs"], told["frames_lost"]), ("certificate", 0, 16, 3))
    equal(told["counters"], {"read": 1, "kept": 2})
    raises(ValueError, terminal.health.count, "ept")
