# Long outages: when the light is amber, when nobody can sell, what ends it, what a restart and a clock do to it.
import asyncio

from cases import equal
from mode_cases import Answers
from scan_cases import CODE, OTHER, Box
from scanlatch import load
from scanlatch.keep.store import StoreFault
from scanlatch.system import idle
from scanlatch.system import settings as _settings
from scanlatch.system.session import Session
from system_desk import NOW, Nvs

HOUR, DAY = 3_600_000, 86_400_000
LOOK = 600_000


class Quiet:
    """An engine that reads just now: nothing but looks at the outage is due."""

    def quiet_ms(self):
        return 0


class Terminal(Box):
    """A box, and what a look at an outage asks of it. `before`: the same terminal in the boot before this."""

    boot = 1

    def __init__(self, before=None, now=None, **settings):
        super().__init__()
        self.settings, self.nvs, self.held = settings, Nvs(), set()
        if before:
            self.settings, self.nvs, self.journal = before.settings, before.nvs, before.journal
            self.scanner._journal = self.journal
        if now:
            self.clock.synchronise(now)
        self.health = self.indicator = self
        self.session = Session(1, self.clock, self.nvs)
        self.answers = Answers(self.shown)
        self.answers.heard = 0
        self.outage = [0, None, False]
        self.scanner._session, self.scanner._answers = self.session, self.answers
        self.wait(0)

    def hold(self, name, on):
        if on:
            self.held.add(name)
        else:
            self.held.discard(name)

    def wait(self, ms):
        """As system/idle does while nobody scans."""
        end = self.clock.ms() + ms
        while True:
            if self.clock.ms() >= self.outage[0] or (self.outage[2] and self.answers.heard):
                load("system.outage").look(self)
            if self.clock.ms() >= end:
                return self
            self.ticks.now += min(LOOK, end - self.clock.ms())

    def hear(self):
        """The bridge says something; then there is a quiet moment."""
        self.answers.heard = self.clock.ms() or 1
        return self.wait(0)

    def sale(self, code=CODE):
        """What is shown last for a sale."""
        return self.read(code, 2000)[-1]

    @property
    def state(self):
        return "locked" if self.scanner.locked else "amber" if "outage" in self.held else "quiet"


def test_the_light_is_amber_from_the_hour_that_the_settings_name():
    for terminal, hours in ((Terminal(), 24), (Terminal(warn_hours=2), 2)):
        equal(terminal.wait(hours * HOUR - 1).state, "quiet")
        equal(terminal.wait(1 + LOOK).state, "amber")
        equal(terminal.wait(60 * DAY).state, "amber")  # who only warns never locks
        equal(terminal.sale(), 1)


def test_nobody_can_sell_from_the_day_that_the_settings_name_and_all_else_is_kept():
    terminal = Terminal(lock_days=3)
    equal(terminal.wait(3 * DAY - 1).state, "amber")
    equal(terminal.sale(), 1)
    equal(terminal.wait(1 + LOOK).state, "locked")
    del terminal.counted[:]
    equal(terminal.read(CODE, 2000), ["read", "locked"])
    equal((terminal.counted, terminal.answers.said, terminal.journal.newest), (["read", "refused_locked"], "locked", 1))
    equal(terminal.read(CODE, 100), ["read", "locked"])  # at once: what was refused is no bounce
    for operation in (2, 3, 4, 5, 6):  # return, receive, stock-take, query, dispatch
        terminal.session.operation = operation
        equal(terminal.sale(OTHER), operation)
    for operation, target in ((7, 1), (8, None)):  # void, session end
        equal(terminal.scanner.keep("]C0", b"SL/ABC123/X", 5, operation, target), True)


def test_a_lock_before_the_warning_warns_too():
    terminal = Terminal(lock_days=1, warn_hours=720).wait(DAY)
    equal((terminal.state, "outage" in terminal.held), ("locked", True))


def test_one_word_of_the_bridge_ends_it_at_once():
    terminal = Terminal(lock_days=1).wait(2 * DAY)
    equal((terminal.state, terminal.sale()), ("locked", "locked"))
    terminal.hear()
    equal((terminal.state, terminal.held, terminal.nvs.held["outage_lasts"], terminal.sale()), ("quiet", set(), 0, 1))
    equal(terminal.wait(DAY - 1).state, "quiet")
    equal(terminal.wait(1 + LOOK).state, "locked")


def test_a_bridge_that_is_heard_keeps_it_away_without_a_write():
    terminal = Terminal(lock_days=1)
    for _ in range(30):
        terminal.wait(DAY // 4).hear()
        equal(terminal.state, "quiet")
    writes = terminal.nvs.writes
    for _ in range(100):
        terminal.wait(HOUR // 2).hear().wait(LOOK)
    equal((terminal.state, terminal.nvs.writes - writes), ("quiet", 1))  # one sets it back, none is made


def test_a_restart_forgets_an_hour_at_most_and_unlocks_nothing():
    terminal = Terminal(lock_days=5)
    for _ in range(10):  # switched on for twelve hours a day, and no clock
        equal(terminal.state != "locked", True)
        terminal = Terminal(terminal.wait(DAY // 2))
    equal(terminal.wait(10 * HOUR).state, "locked")
    again = Terminal(terminal)
    equal((again.state, again.sale()), ("locked", "locked"))
    equal(Terminal(again.hear()).state, "quiet")


def test_a_lock_that_began_within_the_hour_outlives_a_restart():
    terminal = Terminal(now=NOW, lock_days=1)
    terminal.sale()
    again = Terminal(terminal, now=NOW + 5 * HOUR + 17 * 60_000)  # so it counts and stores from an odd minute on
    equal(again.wait(19 * HOUR - 17 * 60_000 + LOOK).state, "locked")
    for _ in range(3):
        again = Terminal(again)
        equal((again.state, again.sale()), ("locked", "locked"))
        writes = again.nvs.writes
        equal(again.wait(HOUR // 2).nvs.writes - writes, 0)


def test_a_word_of_the_bridge_that_no_room_is_left_for_is_not_looked_at_all_the_time():
    terminal = Terminal(lock_days=1).wait(2 * DAY)
    tries, collected = [], []

    def nothing(name):
        tries.append(name)
        raise MemoryError

    async def a_while():
        task = asyncio.create_task(idle.run(terminal))
        for turn in range(18):  # s
            terminal.ticks.now += 1000
            await asyncio.sleep_ms(60)
            if turn == 2:
                terminal.answers.heard = terminal.clock.ms()
        task.cancel()

    terminal.engine, terminal.collect = Quiet(), lambda: collected.append(0)
    real, idle.load = idle.load, nothing
    try:
        asyncio.run(a_while())
    finally:
        idle.load = real
    equal((len(tries), terminal.state), (2, "locked"))
    equal(terminal.wait(LOOK).state, "quiet")


def test_flash_is_written_once_an_hour():
    terminal = Terminal()
    terminal.wait(10 * DAY)
    equal(230 < terminal.nvs.writes <= 240, True)


def test_a_clock_counts_the_time_without_power_from_the_oldest_record_that_nobody_has():
    terminal = Terminal(now=NOW, lock_days=10)
    equal(terminal.sale(), 1)
    equal(Terminal(terminal, now=NOW + 10 * DAY - LOOK).state, "amber")
    locked = Terminal(terminal, now=NOW + 10 * DAY + LOOK)
    equal(locked.state, "locked")
    terminal.nvs.held.clear()
    equal(Terminal(terminal).state, "quiet")  # never set: its uptime is all that it knows
    terminal.journal.free(1)
    equal(Terminal(terminal, now=NOW + 20 * DAY).state, "quiet")  # the bridge has it: nothing says how long


def test_a_clock_that_is_set_later_counts_from_then_on():
    terminal = Terminal(now=NOW, lock_days=10)
    terminal.sale()
    again = Terminal(terminal)
    equal(again.wait(HOUR).state, "quiet")
    again.clock.synchronise(NOW + 11 * DAY)
    equal(again.wait(LOOK).state, "locked")


def test_a_record_whose_clock_was_never_set_or_ran_ahead_says_nothing():
    for now in (None, NOW + 30 * DAY):
        terminal = Terminal(now=now, lock_days=10)
        terminal.sale()
        equal(Terminal(terminal, now=NOW + 20 * DAY).state, "quiet")


def test_once_the_bridge_was_heard_old_records_do_not_count():
    terminal = Terminal(now=NOW, lock_days=10)
    terminal.sale()
    again = Terminal(terminal, now=NOW + 20 * DAY)
    equal(again.state, "locked")
    equal(again.hear().wait(HOUR).state, "quiet")  # it takes its time with them; the outage is over


def test_a_store_that_fails_hides_nothing():
    terminal = Terminal(lock_days=1)

    def fails(name, value):
        raise StoreFault(name, "full")

    terminal.wait(DAY - HOUR)
    terminal.nvs.set_int = fails
    terminal.ticks.now += HOUR
    try:
        load("system.outage").look(terminal)
        equal("told", "raised")
    except OSError:
        pass
    equal(terminal.state, "locked")


def test_the_settings_have_their_bounds():
    given = {"v": 1, "site": "s", "device": "d", "operation": "sale", "board": {}}
    given["broker"] = {"host": "h", "port": 1, "name": "n"}
    for key, low, high in (("warn_hours", 2, 720), ("lock_days", 1, 365)):
        for value in (low, high):
            _settings.check(dict(given, **{key: value}))
        for value in (low - 1, high + 1, "2", True):
            try:
                _settings.check(dict(given, **{key: value}))
                equal((key, value), "refused")
            except _settings.SettingsError as error:
                equal(error.key, key)
