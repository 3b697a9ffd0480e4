# What a terminal without a screen is told by control codes, and how long it holds. Loaded for each.
# pyright: reportOperatorIssue=false, reportIndexIssue=false
# pyright: reportAttributeAccessIssue=false, reportOptionalSubscript=false
from micropython import const

from scanlatch.prove import cbor
from scanlatch.system.log import log

_BACK_S = const(120)  # without a scan, then the terminal does again what it usually does
_BADGE_S = const(1800)  # without a scan, then nobody knows who stands here
_CANCEL_MS = const(600_000)  # a box that was scanned longer ago without a session is not the one in the hand
_CLOCK_MS = const(5_000)  # how often it is seen whether the clock was set meanwhile

_CONTROL_CODE = const(5)  # families and operations of WIRE.md
_DISPATCH = const(6)
_VOID = const(7)
_SESSION_END = const(8)
NAMES = ("", "sale", "return", "receive", "stock-take", "query", "dispatch")


def read(terminal, symbology, data):
    """A control code was read: `SL/<token>/<WORD>` or `SL/<token>/BADGE/<ident>`.

    One with another token than that of this terminal's site, or a word that is not known, does nothing and says so.
    """
    parts = str(data, "ascii").split("/")
    word = parts[2]
    session, indicator = terminal.session, terminal.indicator
    if parts[1] != terminal.settings.get("rules", {}).get("token") or len(parts) != (4 if word == "BADGE" else 3):
        word = ""
    name = word.lower()
    if word and word == name.upper() and name in NAMES:
        session.chosen = NAMES.index(name)
        indicator.show("idle_" + name)
        settle(terminal)
    elif word == "BADGE" and is_ident(parts[3]):
        session.operator = parts[3]
        indicator.show("badge")
        settle(terminal)
    elif word == "CANCEL":
        _cancel(terminal, symbology, data)
    elif word == "END":
        _end(terminal, symbology, data)
    elif word == "REPEAT":
        indicator.show(terminal.answers.said or "nothing")
    elif word == "SEEN":
        indicator.show("done" if terminal.answers.attention else "nothing")
        terminal.answers.acknowledge()
    else:
        terminal.health.count("foreign_control")
        indicator.show("foreign_control")


def is_ident(text):
    """Whether `text` is 1 to 32 of A-Z a-z 0-9 - (WIRE: session, operator)."""
    if not isinstance(text, str) or not 0 < len(text) <= 32:
        return False
    return all("0" <= c <= "9" or "A" <= c <= "Z" or "a" <= c <= "z" or c == "-" for c in text)


def settle(terminal):
    """Do what is in force now: end what has lapsed, and know when to look again.

    A session says what is done in it; without one it is the terminal's usual operation; a control code's word goes
    before both, until so long nothing was scanned.
    """
    session, clock, settings = terminal.session, terminal.clock, terminal.settings
    session.due_ms = 0  # where memory ends before this does, the next quiet moment does it again
    now = clock.ms()
    due = []
    back = settings.get("mode_back_s", _BACK_S) * 1000 + session.used_ms
    lapsed = session.chosen and now >= back
    if lapsed:
        session.chosen = None
    if session.operator and now >= settings.get("badge_s", _BADGE_S) * 1000 + session.used_ms:
        session.operator = None
    operation = session.usual
    if session.opened:
        utc, quality = clock.now()
        if session.session() and session.opened[1] in NAMES:
            operation = NAMES.index(session.opened[1]) or session.usual
            due.append(now + session.opened[2] - utc)
        elif not quality:
            due.append(now + _CLOCK_MS)
    if session.chosen:
        operation = session.chosen
        due.append(back)
    if session.operator:
        due.append(settings.get("badge_s", _BADGE_S) * 1000 + session.used_ms)
    if operation != session.operation:
        terminal.indicator.hold("idle_" + NAMES[operation], True)
        terminal.indicator.hold("idle_" + NAMES[session.operation], False)
        session.operation = operation
        if lapsed:  # nobody asked for it, so it is heard
            terminal.indicator.show("idle_" + NAMES[operation])
    session.due_ms = min(due) if due else None


def _cancel(terminal, symbology, data):
    # A void record for the newest one, where that is a scan of the running session.
    target = terminal.scanner.fault or _newest_scan(terminal)
    if target is None:
        terminal.indicator.show("nothing")
    else:  # in fault it is refused there
        terminal.scanner.keep(symbology, data, _CONTROL_CODE, _VOID, target)


def _newest_scan(terminal):
    journal, clock = terminal.journal, terminal.clock
    message = journal.read(journal.newest)
    if message is None:
        return None
    scan = cbor.loads(cbor.loads(message).value[2])  # pyright: ignore
    session = terminal.session.session()
    if scan[8] > _DISPATCH or scan.get(12) != session:
        return None
    if session is None and (scan[6] != terminal.boot or clock.ms() - scan[7] > _CANCEL_MS):
        return None
    return journal.newest


def _end(terminal, symbology, data):
    session = terminal.session
    if session.session() is None:
        terminal.indicator.show("nothing")
    elif terminal.scanner.keep(symbology, data, _CONTROL_CODE, _SESSION_END, None):
        session.opened = None
        settle(terminal)
        try:
            terminal.nvs.erase("session")
        except (MemoryError, OSError) as error:
            # After a restart it is in force again, and the bridge says that it is closed.
            log("store", error=repr(error))
