# Builds the parts from the settings and starts the tasks: the only place where parts meet.
import asyncio
import gc
import os
import sys

from micropython import const

from scanlatch import VERSION, forget
from scanlatch.keep import store
from scanlatch.keep.journal import Journal, JournalError
from scanlatch.prove import hashes
from scanlatch.prove.signer import Signer
from scanlatch.scan import Scanner
from scanlatch.send.uplink import Uplink
from scanlatch.send.verdict import Answers
from scanlatch.show.indicator import Indicator
from scanlatch.system import board, watchdog
from scanlatch.system.clock import Clock
from scanlatch.system.health import Health
from scanlatch.system.idle import Idle
from scanlatch.system.log import log
from scanlatch.system.session import Session

_UPLINK_LIMIT_MS = const(120_000)  # its longest wait between two tries is 60 s
_ANSWERS_LIMIT_MS = const(10_000)
_TECHNICIAN_MS = const(600_000)  # for the person who took over at the console
_AGAIN_MS = const(60_000)  # before a terminal that can't be built is tried again
_KID_SIZE = const(8)  # WIRE: kid of the bridge = first 8 bytes of SHA-256 of its public key
_KEYS = ("sign_key", "tls_key", "mac_key", "bridge")  # what enrolment leaves in the store
_BUTTON_MS = const(20)
_PRESS_MS = const(40)
_LONG_PRESS_MS = const(1500)


def run():
    """Run the terminal until a person stops it at the console."""
    settings = _settings()
    if settings is None:
        return
    try:
        terminal = _built(settings)
        if terminal is not None:
            asyncio.run(terminal.run())
    except KeyboardInterrupt:
        board.watchdog(_TECHNICIAN_MS)
        log("stopped")
    except Exception as error:  # whatever it was, a restarted terminal is better than a dead one
        sys.print_exception(error)
        board.restart()


def _built(settings):
    # The terminal. Where it can't be built, a light that says so until the watchdog has it tried again.
    box = None
    try:
        nvs = store.Nvs(board.nvs())
        password = nvs.get_bytes("wifi_password") or b""
        box = board.Board(settings.pop("board"), settings.get("wifi", {}).get("ssid"), password.decode())
        return _Terminal(settings, nvs, box)
    except Exception as error:  # most likely it comes again: a restart at once would go on for ever
        log("broken", error=repr(error))
        board.watchdog(_AGAIN_MS)
    if box is None:
        return None
    indicator = Indicator(box.light, box, Clock())
    indicator.hold("fault", True)
    return indicator


def _settings():
    from scanlatch.system import settings

    try:
        found = settings.load()
    except (settings.SettingsError, store.StoreFault) as error:
        log("settings", error=str(error))
        return None
    if found is None:
        log("settings", error="not provisioned: enrol this terminal from a computer")
        return None
    found["operation_code"] = settings.OPERATIONS[found["operation"]]
    forget(settings)
    return found


class _Terminal:
    def __init__(self, settings, nvs, box):
        for name in _KEYS:
            if nvs.get_bytes(name) is None:
                raise board.BoardError("no " + name + ": enrol this terminal again")
        self._box = box
        self._nvs = nvs
        self._tls = None
        try:
            self.tls()  # now: it needs 3 KB in one piece, which the heap no longer has once all stands
        except ValueError:
            pass  # told where it is needed
        self._settings = settings
        not_before = settings["broker"].get("not_before", 0)
        floor = max(nvs.get_int("last_time") or 0, not_before)
        self._clock = clock = Clock(box.rtc, box.rtc_ran_on, floor, earliest=not_before)
        self._indicator = indicator = Indicator(box.light, box, clock)
        self._health = health = Health(clock, box.reset_cause)
        self._dog = watchdog.Watchdog(board.watchdog(watchdog.TIMEOUT_MS), clock)
        self._boot, fault = _next_boot(nvs)
        self._signer = signer = Signer(nvs.get_bytes("sign_key"), self._boot, os.urandom)
        self._session = Session(settings["operation_code"], clock, nvs)
        self._journal, journal_fault = _journal(nvs)
        self._journal_stands = journal_fault is None
        self._engine = _engine(box, clock)
        self._commands = None
        bridge = hashes.sha256(nvs.get_bytes("bridge"))[:_KID_SIZE]
        self._keys = bridge, nvs.get_bytes("mac_key")
        parts = clock, self._journal, signer, indicator, health
        self._uplink = Uplink(settings, self._boot, parts, box.link, self)
        self._answers = Answers(self._keys, parts, self._uplink.freed, self._went_back)
        self._birth = {"fw": VERSION, "board": box.name, "engine": "", "operation": settings["operation"]}
        self._scanner = Scanner(settings, self._boot, self._session, parts, self._uplink, self._answers)
        self._fail(fault or journal_fault)

    async def run(self):
        gc.threshold(-1)  # from here on somebody chooses the moment
        log("started", device=self._settings["device"], boot=self._boot, fault=self._scanner.fault)
        self._indicator.hold("idle_" + self._settings["operation"], True)
        self._indicator.hold("offline", True)
        watch = self._dog.watch
        jobs = [
            self._indicator.run(),
            self._engine.run(self._scanner.on_frame, self._on_engine),
            self._answers.run(watch("answers", _ANSWERS_LIMIT_MS)),
            self._dog.run(),
            self._watch_button(),
        ]
        if self._journal_stands:
            jobs.append(self._uplink.run(watch("uplink", _UPLINK_LIMIT_MS)))
            idle = Idle(self._engine, self._journal, self._signer, self._clock, self._health)
            jobs.append(idle.run(self._on_journal_fault))
        if self._settings.get("ntp"):
            from scanlatch.system import ntp  # most sites have none: their clock is set by receipts

            jobs.append(ntp.run(self._settings["ntp"], self._clock, self._box.link, self._dog.feed))
        await asyncio.gather(*jobs)

    # What the uplink asks of the terminal

    def tls(self):
        """The link's TLS context. Raises ValueError where this terminal has no certificate that can be used."""
        if self._tls is None:
            from scanlatch.send import tls

            try:
                ca, certificate = store.read_file("ca.der"), store.read_file("device.der")
                key = self._nvs.get_bytes("tls_key")
            except store.StoreFault as error:
                raise ValueError(str(error))
            if ca is None or certificate is None:
                raise ValueError("no certificate: enrol this terminal again")
            self._tls = tls.context(ca, certificate, key)
        return self._tls

    def birth(self):
        """What the status message says of this terminal."""
        return self._birth

    def report(self):
        """The health message. Asked for while the link stands: the time to keep the time, too."""
        not_after = self._settings["broker"].get("not_after")
        try:
            self._clock.keep(self._nvs, not_after)
        except store.StoreFault as error:
            log("store", error=repr(error))  # the next boot counter won't be stored either, and says so by its light
        return self._health.report(self._journal, self._signer, self._box.link.rssi(), not_after)

    def blocks(self):
        """Something is about to block the loop, and is known to end."""
        self._dog.feed()

    def receive(self, kind, message):
        """A message of the bridge. Returns the reply's bytes, or None."""
        if kind == "verdict":
            self._answers.verdict(message)
        elif kind == "receipt":
            self._answers.receipt(message)
        elif kind == "command":
            return self._command(message)
        return None

    def online(self, online, cause):
        """The link came or went."""
        log("link", online=online, cause=cause)
        self._indicator.hold("offline", not online)
        self._indicator.hold("link_refused", cause in ("certificate", "refused"))
        if not online:
            self._answers.head = None  # a later connection's receipt answers it no more

    def head(self, digest, sent_ms):
        """A head leaves now; its receipt may set the clock."""
        self._answers.head = (digest, sent_ms)  # pyright: ignore

    restart = staticmethod(board.restart)  # where nothing else helps

    # What else happens

    def _command(self, message):
        if self._commands is None:
            from scanlatch.system.commands import Commands  # rare: loaded by the first one

            actions = {
                "identify": self._identify,
                "session": self._session.command,
                "acknowledge": self._answers.acknowledge,
                "health": self._uplink.report_health,
                "resend": self._uplink.resend,
            }
            device = self._settings["device"]
            self._commands = Commands(device, self._keys, self._nvs, self._clock, self._health, actions)
        return self._commands.handle(message)

    def _identify(self, _arguments):
        self._indicator.show("identify")
        return "ok"

    def _fail(self, fault):
        if fault is not None:
            self._scanner.fault = fault
            self._indicator.hold("fault", True)

    def _went_back(self):
        log("journal", error="went back")
        self._fail("journal went back")

    def _on_journal_fault(self, error):
        log("journal", error=repr(error))
        self._fail("journal")

    def _on_engine(self, state, detail):
        log("engine", state=state, detail=detail)
        self._indicator.hold("engine", state != "ready")
        self._health.engine = state
        self._birth["engine"] = detail if state == "ready" else ""

    async def _watch_button(self):
        held_ms = 0
        while True:
            await asyncio.sleep_ms(_BUTTON_MS)
            if self._box.pressed():
                held_ms += _BUTTON_MS
                if held_ms == _LONG_PRESS_MS:
                    self._indicator.show("identify")
            else:
                if _PRESS_MS <= held_ms < _LONG_PRESS_MS:
                    self._answers.acknowledge()
                    await self._engine.trigger(True)
                held_ms = 0


def _next_boot(nvs):
    # Durable before the first nonce; where it can't be stored nothing may be signed.
    boot = (nvs.get_int("boot") or 0) + 1
    try:
        nvs.set_int("boot", boot)
    except store.StoreFault as error:
        log("store", error=repr(error))
        return boot, "store"
    return boot, None


def _journal(nvs):
    journal = Journal(board.scanlog(), nvs.get_bytes("journal"))
    try:
        journal.recover()
    except JournalError as error:
        log("journal", error=repr(error))
        return journal, "journal"
    return journal, journal.fault


def _engine(box, clock):
    # Only the engine in use is imported: modules live in the heap.
    kind = box.engine["kind"]
    if kind == "grow":
        from scanlatch.read.engines.grow import Grow

        return Grow(box.uart, clock, box.set_baud)
    if kind == "line":
        from scanlatch.read.engines.line import Line

        return Line(box.uart, clock)
    raise board.BoardError("engine.kind must be grow or line, not " + str(kind))
