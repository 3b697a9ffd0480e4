# Builds the terminal's parts from its settings and keys: needed once, at the start.
from micropython import const
import os

from scanlatch import VERSION, forget
from scanlatch.keep import store
from scanlatch.keep.journal import Journal, JournalError
from scanlatch.prove import hashes
from scanlatch.prove.signer import Signer
from scanlatch.scan import Scanner
from scanlatch.send.uplink import Uplink
from scanlatch.send.verdict import Answers
from scanlatch.show.indicator import Indicator
from scanlatch.system import board, watchdog, wiring
from scanlatch.system.clock import Clock
from scanlatch.system.health import Health
from scanlatch.system.log import log
from scanlatch.system.session import Session

_AGAIN_MS = const(60_000)  # before a terminal that can't be built is tried again
_KID_SIZE = const(8)  # WIRE: kid of the bridge = first 8 bytes of SHA-256 of its public key
_KEYS = const(("sign_key", "tls_key", "mac_key", "bridge"))  # what enrolment leaves in the store
_COUNTED = const(
    " read kept sent accepted rejected duplicate pending exempt error wrong_symbol product torn unknown personal "
    "engine_code glued case_code credential foreign_control identify bounced refused_full refused_fault "
    "refused_locked mac_failures malformed unmatched receipt_alarms reconnects "
)


def build(terminal):
    """Whether `terminal` is ready to run: something to run that is all of it, its light alone, or None.

    Where the terminal can't be built its light says so, until the watchdog has it tried again.
    """
    settings = _settings()
    if settings is None:
        return None
    box = None
    try:
        nvs = store.Nvs(board.nvs())
        password = nvs.get_bytes("wifi_password") or b""
        box = wiring.board(settings["board"], settings.get("wifi", {}).get("ssid"), password.decode())
        _fill(terminal, settings, nvs, box)
        return terminal
    except Exception as error:  # most likely it comes again: a restart at once would go on for ever
        log("broken", error=repr(error))
        board.watchdog(_AGAIN_MS)
    finally:
        forget(wiring)
        forget(store)
    if box is None:
        return None
    indicator = Indicator(box.light, box, Clock())
    indicator.hold("fault", True)
    return indicator


def _settings():
    from scanlatch.system import settings

    try:
        found = settings.load()
    except (settings.SettingsError, OSError) as error:
        log("settings", error=str(error))
        return None
    if found is None:
        log("settings", error="not provisioned: enrol this terminal from a computer")
        return None
    found["operation_code"] = settings.OPERATIONS[found["operation"]]
    forget(settings.files)
    forget(settings)
    return found


def _fill(terminal, settings, nvs, box):
    for name in _KEYS:
        if nvs.get_bytes(name) is None:
            raise wiring.BoardError("no " + name + ": enrol this terminal again")
    reset_cause, rtc, rtc_ran_on = wiring.woken()
    broker = settings["broker"]
    terminal.device = settings["device"]
    terminal.not_after = nvs.get_int("not_after") or broker.get("not_after")
    terminal.waiting = "next.der" in os.listdir()
    terminal.certificate = "next.der" if terminal.waiting else "device.der"
    terminal.ntp = settings.get("ntp")
    terminal.box = box
    try:
        terminal.tls()  # now: it needs 3 KB in one piece, which the heap no longer has once all stands
    except (ValueError, OSError):
        pass  # told where it is needed
    not_before = broker.get("not_before", 0)
    floor = max(nvs.get_int("last_time") or 0, not_before)
    terminal.clock = clock = Clock(rtc, rtc_ran_on, floor, earliest=not_before)
    terminal.indicator = indicator = Indicator(box.light, box, clock)
    terminal.health = health = Health(reset_cause, _COUNTED)
    terminal.dog = watchdog.Watchdog(board.watchdog(watchdog.TIMEOUT_MS), clock)
    terminal.boot, fault = _next_boot(nvs)
    terminal.signer = signer = Signer(nvs.get_bytes("sign_key"), terminal.boot, os.urandom)
    terminal.session = session = Session(settings["operation_code"], clock, nvs)
    terminal.journal, journal_fault = _journal(nvs)
    terminal.journal_stands = journal_fault is None
    terminal.engine = wiring.engine(settings["board"]["engine"], box, clock)
    terminal.keys = keys = bridge_keys(nvs, terminal.opened)
    parts = clock, terminal.journal, signer, indicator, health
    terminal.uplink = uplink = Uplink(settings, parts, box.link, terminal)
    terminal.answers = answers = Answers(keys, parts, uplink.freed, terminal.went_back)
    name = settings["board"]["name"]
    terminal.told = {"fw": VERSION, "board": name, "engine": "", "operation": settings["operation"]}
    terminal.scanner = Scanner(settings, terminal.boot, session, parts, uplink, answers, terminal.aside)
    terminal.settings = settings
    del settings["board"]  # its parts are made
    terminal.fail(fault or journal_fault)


def bridge_keys(nvs, other):
    """Keys of the bridge, see verdict.opened; `other` opens what comes under a new one that waits."""
    public, waits = nvs.get_bytes("bridge"), nvs.get_bytes("bridge_next")
    waits = waits and waits[: len(public)] != public  # else it is in use, and the power failed before it was cleared
    return [hashes.sha256(public)[:_KID_SIZE], nvs.get_bytes("mac_key"), other if waits else None]


def _next_boot(nvs):
    # Durable before the first nonce; where it can't be stored nothing may be signed.
    boot = (nvs.get_int("boot") or 0) + 1
    for _ in range(2):  # what fails once may be no more than once
        try:
            nvs.set_int("boot", boot)
            return boot, None
        except store.StoreFault as error:
            log("store", error=repr(error))
    return boot, "store"


def _journal(nvs):
    journal = Journal(wiring.scanlog(), nvs.get_bytes("journal"))
    try:
        journal.recover()
    except JournalError as error:
        log("journal", error=repr(error))
        return journal, "journal"
    return journal, journal.fault
