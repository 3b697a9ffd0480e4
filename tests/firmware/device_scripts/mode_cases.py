# Control codes, and what lapses by itself: on a real scanner and journal, with a clock to turn.
from cases import equal
from scan_cases import CODE, Box
from scanlatch import load
from scanlatch.keep.store import StoreFault
from scanlatch.prove import cbor
from scanlatch.system import modes
from scanlatch.system.session import Session
from system_desk import NOW, Nvs

TOKEN = "ABC123"


class Answers:
    said, attention = "", False

    def __init__(self, shown):
        self._shown = shown

    def kept(self, seq, operation, online):
        self._shown.append(seq)

    def refused(self, pattern):
        self.said = pattern

    def acknowledge(self):
        self.attention = False


class Terminal(Box):
    """A box whose session is a real one, with what control codes act on."""

    boot = 1

    def __init__(self, usual=1, **settings):
        super().__init__()
        self.settings = {"rules": {"token": TOKEN}}
        self.settings.update(settings)
        self.held = []
        self.clock.synchronise(NOW)
        self.nvs, self.health, self.indicator = Nvs(), self, self
        self.session = Session(usual, self.clock, self.nvs)
        self.answers = Answers(self.shown)
        self.scanner._session, self.scanner._answers = self.session, self.answers
        self.hold("idle_" + modes.NAMES[usual], True)

    def aside(self, kind, symbology, data):
        modes.read(self, symbology, data)

    def hold(self, name, on):
        if on:
            self.held.append(name)
        else:
            self.held.remove(name)

    def control(self, word, after_ms=100, token=TOKEN):
        return self.read(("SL/" + token + "/" + word).encode(), after_ms)

    def wait(self, ms):
        """What is shown while nobody scans for so long."""
        del self.shown[:]
        self.ticks.now += ms
        due = self.session.due_ms
        if due is not None and self.clock.ms() >= due:
            modes.settle(self)
        return self.shown

    def record(self):
        return cbor.loads(cbor.loads(self.journal.read(self.journal.newest)).value[2])


def test_each_operation_has_its_word_and_its_idle_light():
    terminal = Terminal()
    for number, word in enumerate(("SALE", "RETURN", "RECEIVE", "STOCK-TAKE", "QUERY", "DISPATCH"), 1):
        idle = "idle_" + word.lower()
        equal(terminal.control(word), ["read", idle])
        equal((terminal.session.operation, terminal.held), (number, [idle]))
        terminal.read(CODE, 2000)
        equal(terminal.record()[8], number)


def test_a_mode_ends_after_a_time_without_scans_and_each_scan_begins_it_anew():
    terminal = Terminal(mode_back_s=60)
    terminal.control("RETURN")
    equal(terminal.wait(59_000), [])
    terminal.read(CODE)
    equal(terminal.wait(59_999), [])
    equal(terminal.session.operation, 2)
    equal(terminal.wait(1), ["idle_sale"])
    equal((terminal.session.operation, terminal.held, terminal.session.due_ms), (1, ["idle_sale"], None))


def test_without_a_setting_a_mode_holds_two_minutes_and_a_badge_half_an_hour():
    terminal = Terminal()
    terminal.control("QUERY")
    terminal.control("BADGE/li-wei-7")
    terminal.wait(119_999)
    equal(terminal.session.operation, 5)
    terminal.wait(1)
    equal((terminal.session.operation, terminal.session.operator), (1, "li-wei-7"))
    terminal.wait(1_679_999)
    equal(terminal.session.operator, "li-wei-7")
    terminal.wait(1)
    equal((terminal.session.operator, terminal.session.due_ms), (None, None))


def test_a_terminal_whose_usual_work_is_another_falls_back_to_that():
    terminal = Terminal(3)
    terminal.control("SALE")
    terminal.wait(120_000)
    equal((terminal.session.operation, terminal.held), (3, ["idle_receive"]))


def test_a_box_left_under_the_beam_does_not_hold_the_mode():
    terminal = Terminal(mode_back_s=60)
    terminal.control("RETURN")
    terminal.read(CODE)
    for _ in range(60):
        equal(terminal.read(CODE, 1000), ["bounce"])
        terminal.session.due_ms is not None and terminal.clock.ms() >= terminal.session.due_ms and modes.settle(
            terminal
        )
    equal(terminal.session.operation, 1)


def test_in_a_session_the_mode_falls_back_to_the_session_and_with_its_end_to_the_usual():
    terminal = Terminal()
    terminal.session.opened = ["S-1", "return", NOW + 600_000]
    modes.settle(terminal)
    equal(terminal.session.operation, 2)
    terminal.control("SALE")
    terminal.wait(120_000)
    equal(terminal.session.operation, 2)
    terminal.wait(480_000)
    equal((terminal.session.operation, terminal.held), (1, ["idle_sale"]))


def test_a_session_kept_over_a_restart_is_in_force_once_the_clock_is_set():
    terminal = Terminal()
    terminal.clock.quality = 0
    terminal.nvs.held["session"] = b'["S-1", "receive", %d]' % (NOW + 600_000)
    terminal.session = Session(1, terminal.clock, terminal.nvs)
    terminal.wait(0)
    equal(terminal.session.operation, 1)
    terminal.clock.synchronise(NOW)
    terminal.wait(5_000)
    equal(terminal.session.operation, 3)


def test_a_badge_is_named_in_every_record_until_another_one():
    terminal = Terminal()
    terminal.read(CODE)
    equal(terminal.record().get(13), None)
    for ident in ("li-wei-7", "x" * 32, "A"):
        equal(terminal.control("BADGE/" + ident), ["read", "badge"])
        terminal.read(CODE, 2000)
        equal(terminal.record()[13], ident)


def test_a_sheet_from_elsewhere_or_a_terminal_without_a_token_does_nothing_and_says_so():
    for terminal, token, word in (
        (Terminal(), "ABC124", "RETURN"),
        (Terminal(), "ABC124", "BADGE/li-wei-7"),
        (Terminal(), TOKEN, "EXPLODE"),
        (Terminal(), TOKEN, "SALE/x"),
        (Terminal(rules={}), TOKEN, "RETURN"),
        (Terminal(rules={}), "None", "RETURN"),
    ):
        modes.read(terminal, "]C0", ("SL/" + token + "/" + word).encode())
        equal((terminal.shown, terminal.counted), (["foreign_control"], ["foreign_control"]))
        equal((terminal.session.operation, terminal.session.operator, terminal.journal.newest), (1, None, 0))


def test_no_bytes_behind_a_token_raise():
    terminal = Terminal()
    for tail in (
        b"",
        b"/",
        b"BADGE",
        b"BADGE/",
        b"BADGE/a/b",
        b"BADGE/a_b",
        b"BADGE/" + b"x" * 33,
        b"sale",
        b"//",
        b"SALE/",
    ):
        modes.read(terminal, "]C0", b"SL/ABC123/" + tail)
    equal(set(terminal.shown), {"foreign_control"})
    equal(terminal.session.operator, None)


def test_cancel_voids_the_newest_scan_once():
    terminal = Terminal()
    terminal.read(CODE)
    equal(terminal.control("CANCEL"), ["read", "kept", 2])
    void = terminal.record()
    equal((void[8], void[11], void[16], void[10]), (7, 5, 1, b"SL/ABC123/CANCEL"))
    equal(terminal.control("CANCEL", 2000), ["read", "nothing"])
    equal(terminal.read(CODE), ["read", "kept", 3])  # at once: another code was in between
    equal(terminal.journal.newest, 3)


def test_cancel_held_under_the_beam_voids_one_scan():
    terminal = Terminal()
    terminal.read(CODE)
    terminal.read(b"83386520001941653399")
    terminal.control("CANCEL")
    for _ in range(5):
        equal(terminal.control("CANCEL", 500), ["bounce"])
    equal(terminal.journal.newest, 3)


def test_cancel_reaches_no_other_session_and_nothing_of_long_ago():
    terminal = Terminal()
    equal(terminal.control("CANCEL"), ["read", "nothing"])
    terminal.read(CODE)
    terminal.session.opened = ["S-1", "sale", NOW + 3_600_000]
    equal(terminal.control("CANCEL", 2000), ["read", "nothing"])
    terminal.read(CODE)
    equal(terminal.control("CANCEL", 1_200_000), ["read", "kept", 3])  # its session is still running
    terminal.read(CODE)
    terminal.session.opened = None
    equal(terminal.control("CANCEL", 2000), ["read", "nothing"])
    terminal.read(CODE)
    equal(terminal.control("CANCEL", 600_001), ["read", "nothing"])
    terminal.read(CODE)
    terminal.boot = 2
    equal(terminal.control("CANCEL", 2000), ["read", "nothing"])


def test_the_end_of_a_session_is_a_record_and_frees_the_terminal_of_it():
    terminal = Terminal()
    equal(terminal.control("END"), ["read", "nothing"])
    terminal.nvs.held["session"] = b"x"
    terminal.session.opened = ["S-1", "return", NOW + 60_000]
    modes.settle(terminal)
    terminal.read(CODE)
    equal(terminal.control("END", 2000), ["read", "kept", 2])
    end = terminal.record()
    equal((end[8], end[11], end[12]), (8, 5, "S-1"))
    equal((terminal.session.session(), terminal.session.operation, terminal.nvs.held), (None, 1, {}))


def test_a_session_whose_end_is_not_kept_goes_on():
    terminal = Terminal()
    terminal.session.opened = ["S-1", "sale", NOW + 60_000]
    terminal.scanner.fault = "journal"
    for word in ("END", "CANCEL"):
        equal(terminal.control(word, 2000), ["read", "fault_refused"])
    equal(terminal.session.session(), "S-1")


def test_an_end_that_the_store_does_not_take_ends_the_session_here():
    terminal = Terminal()

    def erase(name):
        raise StoreFault(name, "full")

    terminal.nvs.erase = erase
    terminal.session.opened = ["S-1", "sale", NOW + 60_000]
    terminal.control("END")
    equal(terminal.session.session(), None)


def test_the_last_answer_is_shown_again():
    terminal = Terminal()
    equal(terminal.control("REPEAT"), ["read", "nothing"])
    terminal.answers.said = "rejected"
    equal(terminal.control("REPEAT", 2000), ["read", "rejected"])
    terminal.read(b"6901234567892")
    equal(terminal.control("REPEAT"), ["read", "wrong_symbol"])  # what was held last was no code


def test_seen_ends_attention_and_says_whether_there_was_any():
    terminal = Terminal()
    equal(terminal.control("SEEN"), ["read", "nothing"])
    terminal.answers.attention = True
    equal(terminal.control("SEEN", 2000), ["read", "done"])
    equal(terminal.answers.attention, False)


def test_what_is_loaded_for_one_code_is_forgotten():
    import sys

    for name in ("system.modes", "system.credential"):
        load(name)
        equal("scanlatch." + name in sys.modules, False)
