# The terminal at work: starts the tasks, and is where parts meet that know nothing of each other.
# pyright: reportAttributeAccessIssue=false
import asyncio
import gc
import sys

from micropython import const

from scanlatch import forget, load
from scanlatch.read.trace_code import CONTROL
from scanlatch.system import board, idle
from scanlatch.system.log import log

_UPLINK_LIMIT_MS = const(120_000)  # its longest wait between two tries is 60 s
_AGAIN_MS = const(60_000)  # before a program that can't be loaded is tried again
_TECHNICIAN_MS = const(600_000)  # for the person who took over at the console
_LOOK_MS = const(20)
_PRESS_MS = const(40)
_LONG_PRESS_MS = const(1500)


def run():
    """Run the terminal until a person stops it at the console."""
    try:
        from scanlatch import start
    except Exception as error:  # a file that can't be read, or no room: tried again, as what can't be built is
        sys.print_exception(error)
        board.watchdog(_AGAIN_MS)
        return
    ready = None
    try:
        ready = start.build(Terminal())
        forget(start)
        del start
        if ready is not None:
            asyncio.run(ready.run())
    except KeyboardInterrupt:
        board.watchdog(_TECHNICIAN_MS)
        log("stopped")
    except Exception as error:  # whatever it was, a restarted terminal is better than a dead one
        sys.print_exception(error)
        if isinstance(ready, Terminal):
            board.restart()
        else:  # it could not be built: at once it would go on so for ever
            board.watchdog(_AGAIN_MS)


class Terminal:
    """All parts of one terminal, made by `start`, and named by the class of each.

    told: what the status message says of it; keys: of the bridge, see verdict.opened; not_after: UTC ms at which its
    certificate ends, or None; certificate: the file that it is in; waiting: a new one is there, and not proven yet;
    after(client): what is to happen once replies have left, or None.
    """

    def __init__(self):
        self._tls = None
        self.credentials = 0  # were sent since boot
        self.outage = [0, None, False]  # see outage.py
        self.after = None

    async def run(self):
        gc.threshold(-1)  # from here on somebody chooses the moment
        log("started", device=self.device, boot=self.boot, fault=self.scanner.fault)
        self.indicator.hold("offline", True)  # first: a light that says "ready" for a moment would be believed
        self.indicator.hold("idle_" + self.told["operation"], True)
        asyncio.get_event_loop().set_exception_handler(_fallen)
        jobs = [self.indicator.run(), self._read()]
        if self.journal_stands:
            jobs.insert(1, idle.run(self))  # it looks at the outage ahead of the set-up of an engine: no room for both
            jobs.append(self.uplink.run(self.dog.watch("uplink", _UPLINK_LIMIT_MS)))
        if self.ntp:  # most sites have none: their clock is set by receipts
            try:
                jobs.append(load("system.ntp").run(self.ntp, self.clock, self.box.link, self.dog.feed))
            except (MemoryError, OSError) as error:  # receipts of the bridge set the clock as well
                log("ntp", error=repr(error))
        for job in jobs:  # `gather` would hold 1.5 KB of heap for as long as they run
            asyncio.create_task(job)  # noqa: RUF006 - MicroPython's loop holds it
        del jobs
        await self._look()

    @property
    def nvs(self):
        """The store, a keep.store.Nvs. Loaded for each use: don't hold it. Raises MemoryError, OSError."""
        return load("keep.store").Nvs(board.nvs())

    # What the uplink asks of the terminal

    def tls(self):
        """The link's TLS context. Raises ValueError where this terminal has no certificate that can be used."""
        if self._tls is None:
            self._tls = load("send.tls").stored(self.nvs, self.certificate)
        return self._tls

    def report(self):
        """The health message, None where there is no room for it now: it is a hint, not worth the link.

        Asked for while the link stands: the time to keep the time, too.
        """
        try:
            return load("system.report").made(self)
        except (MemoryError, OSError) as error:
            log("report", error=repr(error))
            return None

    def receive(self, kind, message):
        """A message of the bridge. Returns the reply's bytes, or None."""
        if kind == "verdict":
            self.answers.verdict(message)
        elif kind == "receipt":
            self.answers.receipt(message)
        elif kind == "command":
            return load("system.commands").handle(message, self)
        return None

    def opened(self, message, aad):
        """A message of the bridge under a new key. Raises CoseError, OSError."""
        return load("system.bridge_key").opened(self, message, aad)

    def online(self, online, cause):
        """The link came or went."""
        log("link", online=online, cause=cause)
        if self.waiting:
            try:
                load("system.certificate").tried(self, online, cause)
            except (MemoryError, OSError) as error:
                log("certificate", error=repr(error))
        self.indicator.hold("offline", not online)
        self.indicator.hold("link_refused", cause in ("certificate", "refused"))
        if not online:
            self.answers.head = None  # a later connection's receipt answers it no more

    restart = staticmethod(board.restart)  # where nothing else helps

    # What else happens

    def aside(self, kind, symbology, data):
        """A control code or a person's credential was read: both are rare."""
        try:
            load("system.modes" if kind == CONTROL else "system.credential").read(self, symbology, data)
        except (MemoryError, OSError) as error:
            if self.journal.fault and not self.scanner.fault:  # an append did not end: a restart finds how far it came
                raise
            log("aside", error=repr(error))
            self.scanner.refuse("refused_full", "busy" if isinstance(error, MemoryError) else "error")

    def fail(self, fault):
        """Nothing may be scanned any more, for the reason `fault`; None: nothing has failed."""
        if fault is not None:
            self.scanner.fault = fault
            self.indicator.hold("fault", True)

    def went_back(self):
        """The bridge knows a record of this journal that the journal does not."""
        log("journal", error="went back")
        self.fail("journal went back")

    def on_journal_fault(self, error):
        """The journal's flash failed in a quiet moment."""
        log("journal", error=repr(error))
        self.fail("journal")

    def _on_engine(self, state, detail):
        log("engine", state=state, detail=detail)
        self.indicator.hold("engine", state != "ready")
        self.health.engine = state
        self.told["engine"] = detail if state == "ready" else ""

    async def _read(self):
        while True:  # an engine that is found, or gone, has another driver take its place
            self.engine = await self.engine.run(self.scanner.on_frame, self._on_engine)
            if hasattr(self.box.buzzer, "driver"):
                self.box.buzzer.driver = self.engine

    async def _look(self):
        # What wants a look many times a second; where this hangs, nobody feeds the watchdog.
        held_ms = 0
        while True:
            self.dog.look()
            self.answers.look()
            await asyncio.sleep_ms(_LOOK_MS)
            if self.box.pressed():
                held_ms += _LOOK_MS
                if held_ms == _LONG_PRESS_MS:  # which one is this? Its light says so, and the next health message
                    self.indicator.show("identify")
                    self.health.count("identify")
                    self.uplink.health_due = True
                    self.uplink.wake()
            else:
                if not _PRESS_MS <= held_ms < _LONG_PRESS_MS:
                    pass
                elif self.answers.attention:  # one press says one thing: seen, or scan
                    self.answers.acknowledge()
                    self.indicator.show("done")
                else:
                    await self.engine.trigger(True)
                held_ms = 0


def _fallen(_loop, context):
    # A task ended by what it raised: that ends them all, for `run` to see.
    raise context["exception"]
