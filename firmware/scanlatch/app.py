# Builds the parts from the settings and starts the tasks: the only place where parts meet.
import asyncio
import os

from micropython import const

from scanlatch import VERSION
from scanlatch.keep import store
from scanlatch.keep.journal import Journal, JournalError
from scanlatch.prove import hashes
from scanlatch.prove.signer import Signer
from scanlatch.scan import Scanner
from scanlatch.send import tls
from scanlatch.send.uplink import Uplink
from scanlatch.send.verdict import Answers
from scanlatch.show.indicator import Indicator
from scanlatch.system import board, settings, watchdog
from scanlatch.system.clock import Clock
from scanlatch.system.commands import Commands
from scanlatch.system.health import Health
from scanlatch.system.idle import Idle
from scanlatch.system.log import log
from scanlatch.system.session import Session

_UPLINK_LIMIT_MS = const(120_000)  # its longest wait between two tries is 60 s
_ANSWERS_LIMIT_MS = const(10_000)
_KID_SIZE = const(8)  # WIRE: kid of the bridge = first 8 bytes of SHA-256 of its public key


def run():
    """Run the terminal until a person stops it at the console."""
    try:
        found = settings.load()
    except (settings.SettingsError, store.StoreFault) as error:
        log("settings", error=str(error))
        return
    if found is None:
        log("settings", error="not provisioned: run `scanlatch provision` from a computer")
        return
    nvs = store.Nvs(board.nvs())
    wifi = found.get("wifi", {}).get("ssid"), (nvs.get_bytes("wifi_password") or b"").decode()
    box = board.Board(found["board"], *wifi)
    try:
        asyncio.run(_Terminal(found, nvs, box).run())
    except KeyboardInterrupt:
        box.release()
        log("stopped")
    except Exception as error:  # whatever it was, a restarted terminal is better than a dead one
        log("crashed", error=repr(error))
        box.restart()


class _Terminal:
    def __init__(self, found, nvs, box):
        self._box = box
        self._nvs = nvs
        self._settings = found
        self._clock = Clock(box.rtc, box.rtc_ran_on, _floor(found, nvs))
        self._indicator = Indicator(box.light, box.tone, self._clock)
        self._health = Health(self._clock, box.reset_cause)
        self._dog = watchdog.Watchdog(box.watchdog(watchdog.TIMEOUT_MS), self._clock)
        self._boot, fault = _next_boot(nvs)
        self._signer = Signer(nvs.get_bytes("sign_key"), self._boot, os.urandom)
        self._session = Session(settings.OPERATIONS[found["operation"]], self._clock, nvs)
        self._engine = _engine(box, self._clock)
        self._journal, journal_fault = _journal(nvs)
        self._wire_up()
        self._journal_stands = journal_fault is None
        self._fail(fault or journal_fault)

    def _wire_up(self):
        clock, health, nvs, found = self._clock, self._health, self._nvs, self._settings
        keys = hashes.sha256(nvs.get_bytes("bridge"))[:_KID_SIZE], nvs.get_bytes("mac_key")
        device, site = found["device"], found["site"]
        self._answers = Answers(keys, self._journal, clock, self._indicator, health, self._freed, self._went_back)
        actions = {
            "identify": self._identify,
            "session": self._session.command,
            "acknowledge": self._acknowledge,
            "health": self._health_command,
            "resend": self._resend,
        }
        commands = Commands(device, keys, nvs, clock, health, actions)
        handlers = {
            "verdict": self._answers.verdict,
            "receipt": self._answers.receipt,
            "command": commands.handle,
        }
        birth = {"fw": VERSION, "board": self._box.name, "engine": "", "operation": found["operation"]}
        self._birth = birth
        self._uplink = Uplink(
            (site, device, self._boot),
            found["broker"],
            self._make_tls,
            self._box.link,
            (clock, self._journal, self._signer, health),
            handlers,
            self._report,
            birth,
            self._dog.feed,
        )
        self._uplink.on_online = self._on_online
        self._uplink.on_head = self._on_head
        self._uplink.on_memory = self._box.restart
        self._scanner = Scanner(
            (device, site),
            self._boot,
            self._session,
            (clock, self._journal, self._signer, self._indicator, health),
            self._uplink,
            self._answers,
            found.get("rules", {}),
            found.get("rescan_ms"),
        )

    async def run(self):
        log("started", device=self._settings["device"], boot=self._boot, fault=self._scanner.fault)
        self._indicator.hold("idle_" + self._settings["operation"], True)
        self._indicator.hold("offline", True)
        watch = self._dog.watch
        jobs = [
            self._indicator.run(),
            self._engine.run(self._scanner.on_frame, self._on_engine),
            self._answers.run(watch("answers", _ANSWERS_LIMIT_MS)),
            self._dog.run(),
        ]
        if self._journal_stands:
            jobs.append(self._uplink.run(watch("uplink", _UPLINK_LIMIT_MS)))
            idle = Idle(self._engine, self._journal, self._signer, self._clock, self._health)
            jobs.append(idle.run(self._on_journal_fault))
        if self._settings.get("ntp"):
            from scanlatch.system import ntp  # most sites have none: their clock is set by receipts

            jobs.append(ntp.run(self._settings["ntp"], self._clock, self._box.link, self._dog.feed))
        if self._box.button is not None:
            jobs.append(self._watch_button())
        await asyncio.gather(*jobs)

    def _fail(self, fault):
        if fault is not None:
            self._scanner.fault = fault
            self._indicator.hold("fault", True)

    def _freed(self):
        self._uplink.freed()

    def _went_back(self):
        log("journal went back")
        self._fail("journal went back")

    def _on_journal_fault(self, error):
        log("journal", error=repr(error))
        self._fail("journal")

    def _on_engine(self, state, detail):
        log("engine", state=state, detail=detail)
        self._indicator.hold("engine", state != "ready")
        self._health.engine = state
        self._birth["engine"] = detail if state == "ready" else ""

    def _on_online(self, online, cause):
        log("link", online=online, cause=cause)
        self._indicator.hold("offline", not online)
        self._indicator.hold("link_refused", cause in ("certificate", "refused"))
        if online:
            self._clock.keep(self._nvs)

    def _on_head(self, digest, sent_ms):
        self._answers.head = (digest, sent_ms)

    def _identify(self, _arguments):
        self._indicator.show("identify")
        return "ok"

    def _acknowledge(self, _arguments):
        self._answers.acknowledge()
        return "ok"

    def _health_command(self, arguments):
        return self._uplink.report_health(arguments)

    def _resend(self, arguments):
        return self._uplink.resend(arguments)

    def _make_tls(self):
        ca, certificate = store.read_file("ca.der"), store.read_file("device.der")
        return tls.context(ca, certificate, self._nvs.get_bytes("tls_key"))

    def _report(self):
        self._clock.keep(self._nvs)  # every minute while the link stands; it stores at most hourly
        return self._health.report(
            self._journal, self._signer, self._box.link.rssi(), self._settings["broker"].get("not_after")
        )

    async def _watch_button(self):
        button, held_ms = self._box.button, 0
        while True:
            await asyncio.sleep_ms(20)
            if button.down():
                held_ms += 20
                if held_ms == 1500:
                    self._indicator.show("identify")
            elif held_ms:
                if 40 <= held_ms < 1500:
                    self._answers.acknowledge()
                    await self._engine.trigger(True)
                held_ms = 0


def _floor(found, nvs):
    return max(nvs.get_int("last_time") or 0, found["broker"].get("not_before", 0))


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
    return journal, None


def _engine(box, clock):
    # Only the engine in use is imported: modules live in the heap.
    kind = box.engine["kind"]
    if kind == "grow":
        from scanlatch.read.engines.grow import Grow

        return Grow(box.uart.port, clock, box.uart.set_baud)
    if kind == "line":
        from scanlatch.read.engines.line import Line

        return Line(box.uart.port, clock)
    raise board.BoardError("engine.kind must be grow or line, not " + str(kind))
