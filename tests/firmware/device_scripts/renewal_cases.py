# A terminal that is nearly as old as small integers reach: when it starts again by itself, when not, and what is there then.
import asyncio

from cases import equal
from outage_cases import HOUR, Quiet, Terminal
from scan_cases import CODE, OTHER
from scanlatch.keep.journal import Journal
from scanlatch.send.resend import Resend
from scanlatch.system import idle
from scanlatch.system.session import Session
from system_desk import NOW

OLD = 993_600_000  # ms: eleven and a half days
END = 1 << 30  # of small integers on the chip
LOOK = 600_000


class Engine(Quiet):
    def quiet_ms(self):
        return 1_000


class Uplink:
    online = True

    def __init__(self, terminal):
        self.records = Resend(terminal.journal, terminal.clock)


def _old(uptime=OLD - HOUR):
    """A terminal that has run for so long, with a record that the bridge has, and a clock that was set."""
    made = Terminal()
    made.uplink, made.engine, made.restarts = Uplink(made), Engine(), []
    made.restart = lambda: made.restarts.append(made.clock.ms())
    made.collect = lambda: None
    made.answers.attention = made.bridge_away = False
    made.ticks.now = uptime % made.ticks.wrap
    made.clock.ms()
    made.clock._ms = uptime
    made.clock.synchronise(NOW)
    made.outage[0] = made.answers.heard = uptime
    equal(made.sale(), 1)
    made.journal.free(1)
    made.uplink.records.connected()
    return made


def _through(terminal, ms):
    """As system/idle goes through so much time; the link is there, and the bridge answers it."""
    real, end = asyncio.sleep_ms, terminal.clock.ms() + ms

    async def passes(_):
        terminal.ticks.now += LOOK // 2
        if not terminal.bridge_away:
            terminal.answers.heard = terminal.clock.ms()
        if terminal.restarts or terminal.clock.ms() > end:
            raise EOFError
        await real(0)

    idle.asyncio.sleep_ms = passes
    try:
        asyncio.run(idle.run(terminal))
    except EOFError:
        pass
    finally:
        idle.asyncio.sleep_ms = real
    return terminal.restarts


def test_an_old_terminal_that_nobody_needs_restarts_before_its_clock_takes_heap():
    (at,) = _through(_old(), 12 * HOUR)
    equal(OLD <= at < OLD + 2 * LOOK < END, True)


def test_a_young_terminal_never_does():
    equal(_through(_old(HOUR), 100 * HOUR), [])


def _kept(terminal):
    equal(terminal.sale(OTHER), 2)


def _unreceipted(terminal):
    _kept(terminal)
    terminal.uplink.records.sent(2)


def _session(terminal):
    terminal.session.opened = ["s-1", "sale", NOW + (1 << 40)]


def _operation(terminal):
    terminal.session.chosen = 2
    terminal.settings["mode_back_s"] = 1 << 29


def _badge(terminal):
    terminal.session.operator = "0123"


def _attention(terminal):
    terminal.answers.attention = True


def _offline(terminal):
    terminal.uplink.online = False


def _asked(terminal):
    terminal.uplink.records.again(1, 1)


def _fault(terminal):
    terminal.scanner.fault = "journal went back"


def _amber(terminal):
    terminal.bridge_away = True
    terminal.answers.heard, terminal.outage[1] = 0, 1


def _bytes(terminal):
    terminal.engine = Quiet()


def test_what_a_restart_would_lose_or_disturb_keeps_it_running_for_as_long_as_it_lasts():
    held = _session, _operation, _badge, _attention, _fault
    for change in (_kept, _unreceipted, _offline, _asked, _amber, _bytes) + held:
        terminal = _old()
        change(terminal)
        equal((change.__name__, _through(terminal, END - OLD + 24 * HOUR)), (change.__name__, []))


def test_who_scanned_within_ten_minutes_is_not_interrupted():
    terminal = _old(OLD)
    terminal.session.used_ms = terminal.clock.ms()
    (at,) = _through(terminal, HOUR)
    equal(at - terminal.session.used_ms >= 600_000, True)


def test_one_that_found_no_moment_in_time_goes_on_and_takes_the_next():
    terminal = _old(END + HOUR)
    terminal.answers.attention = True
    equal(_through(terminal, HOUR), [])
    equal(terminal.sale(OTHER), 2)  # as before
    equal(_through(terminal, 2 * HOUR), [])
    terminal.answers.attention = False
    terminal.journal.free(2)
    terminal.uplink.records.connected()
    equal(len(_through(terminal, HOUR)), 1)


def test_journal_time_and_session_go_on_behind_it():
    terminal = _old()
    terminal.nvs.set_bytes("session", b'["s-0", "sale", %d]' % (NOW + 20 * HOUR))  # opened as it starts again
    terminal.nvs.set_int("last_time", NOW)
    equal(len(_through(terminal, 12 * HOUR)), 1)
    ring = terminal.journal._ring
    again = Terminal(terminal)
    again.journal = Journal(ring.sectors._flash, b"scanlog1")
    again.journal.recover()
    again.scanner._journal = again.journal
    equal((again.clock.ms(), again.journal.newest, again.journal.freed), (0, 1, 1))
    equal(again.clock.now()[0] >= NOW, True)
    again.clock.synchronise(NOW + HOUR)
    again.scanner._session = again.session = Session(1, again.clock, terminal.nvs)
    equal(again.session.session(), "s-0")
    equal(again.sale(CODE), 2)
