"""One terminal: the firmware's own parts over flash that survives, started and cut off as the world wants."""

import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Protocol

from tests.simulation.broker import Broker
from tests.simulation.firmware import TICKS, Sleep, chance, device, ticks_diff
from tests.simulation.hardware import Nvs, Rtc, Swift
from tests.simulation.link import NAP_MS, Link
from tests.simulation.scheduler import Appointment, Scheduler

LOOK_MS = 1_000  # after which a look round ends where nothing happens
_DETECT_MS = (100, 15_000)  # until a line that fell silent is found to be dead
START_MS = 1_790_000_000_000  # UTC at the beginning of a world
_JOURNAL_ID = b"\1\2\3\4\5\6\7\x08"


class Watcher(Protocol):
    """Who holds the terminal against the promises."""

    def shown(self, terminal: "Terminal", pattern: str) -> None: ...
    def published(self, terminal: "Terminal", topic: str, payload: bytes) -> None: ...
    def receives(self, terminal: "Terminal", kind: str, message: bytes, handle: Callable[[], Any]) -> Any: ...
    def looks(self, terminal: "Terminal") -> None: ...
    def scanned(self, terminal: "Terminal", data: bytes, newest: int) -> None: ...
    def started(self, terminal: "Terminal") -> None: ...


class _Power:
    """Within it runs the firmware; where power is cut the terminal goes dark and the world goes on."""

    def __init__(self, terminal: "Terminal") -> None:
        self._terminal = terminal

    def __enter__(self) -> None:
        chance.random = self._terminal.chance
        device.board.nvs = lambda: self._terminal.raw_nvs

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, device.PowerCut):
            self._terminal.cut("in flash")
            return True
        return False


class Box(device.app.Terminal):
    """The firmware's own terminal, but for what is hardware or needs a certificate."""

    def __init__(self, outside: "Terminal") -> None:
        super().__init__()
        self.outside = outside

    def tls(self) -> None:
        return None

    def report(self) -> None:
        return None

    def restart(self) -> None:
        self.outside.cut("restart")

    def receive(self, kind: str, message: bytes) -> bytes | None:
        handle = super().receive
        return self.outside.watcher.receives(self.outside, kind, message, lambda: handle(kind, message))

    async def dial(self, on_message: Any, on_ack: Any) -> Link:
        return await self.outside.dial(on_message, on_ack)


class Terminal:
    """A terminal from its first start to the end of the world. What is in `flash` and `nvs` outlives its boots."""

    def __init__(
        self, world: Any, name: str, site: str, keys: SimpleNamespace, random_: random.Random, sectors: int = 8
    ) -> None:
        self.name = name
        self.site = site
        self.watcher: Watcher = world.watch
        self.scheduler: Scheduler = world.scheduler
        self.broker: Broker = world.broker
        self.chance = random_
        self.flash = device.Nor(sectors, seed=random_.randrange(1, 1 << 30))
        self.raw_nvs = Nvs(_dark)
        self.raw_nvs.values |= {
            "journal": _JOURNAL_ID, "sign_key": keys.sign, "tls_key": b"t" * 32, "mac_key": keys.mac,
            "agree_key": keys.agree, "bridge": keys.bridge,
        }  # fmt: skip
        device.journal.Journal.format(self.flash, _JOURNAL_ID)
        self.keys = keys
        self.real_signer = False
        self.token = "ABC123"
        self.box: Box | None = None
        self.reachable = True  # whether a line to the broker can be had
        self.rate = 1.0  # of its ticks
        self.ticks_from = random_.randrange(TICKS)  # of its ticks when it starts: some wrap soon
        self.rtc = Rtc()
        self.rtc_off = 0  # ms by which it runs wrong
        self.soft = False  # the next start is one that the RTC outlives
        self.boots = 0
        self.link: Link | None = None
        self.acknowledged: set[int] = set()  # records that the broker said it has, in this boot
        self._tasks: list[_Task] = []
        self._started_at = 0

    @property
    def on(self) -> bool:
        return self.box is not None

    @property
    def commanded(self) -> int:
        """The counter of the last command that it accepted."""
        return int.from_bytes(self.raw_nvs.values.get("command", b""), "little")

    def power(self) -> _Power:
        return _Power(self)

    def start(self) -> None:
        """Power on: the firmware builds its parts and begins its tasks."""
        with self.power():
            self.flash.restart()
            self._started_at, self.boots = self.scheduler.now, self.boots + 1
            self.acknowledged = set()
            self._machine()
            box = Box(self)
            settings = {
                "device": self.name, "site": self.site, "operation": "sale", "operation_code": 1,
                "board": {"engine": {"kind": "sim"}, "name": "sim"}, "broker": {"host": "b", "port": 1, "name": "b"},
                "rules": {"token": self.token},
            }  # fmt: skip
            nvs = device.start.store.Nvs(self.raw_nvs)
            device.start._fill(box, settings, nvs, self._hardware())
            self.box = box
            jobs = [_looks(box), box.uplink.run(_beat), device.idle.run(box)]
            self._tasks = [_Task(self, job) for job in jobs]
            self.watcher.started(self)

    def _machine(self) -> None:
        rtc, ran_on = self.rtc, self.soft
        if not ran_on:
            rtc.kept = b""
        self.soft = False
        device.clock.time.time = lambda: (START_MS + self.scheduler.now + self.rtc_off) // 1000
        device.start.wiring.woken = lambda: ("power", rtc, ran_on)
        device.start.wiring.engine = lambda *_: SimpleNamespace(quiet_ms=lambda: 1_000)
        device.start.wiring.scanlog = lambda: self.flash
        device.start.Indicator = lambda *_: SimpleNamespace(
            show=lambda pattern: self.watcher.shown(self, pattern), hold=lambda *_: None
        )
        base = device.clock.Clock
        device.start.Clock = lambda *given, **named: base(*given, ticks=self._ticks, diff=ticks_diff, **named)
        device.start.Signer = self._signer() if self.real_signer else Swift

    def _signer(self) -> Any:
        from scanlatch.prove.signer import Signer

        return Signer

    def _hardware(self) -> SimpleNamespace:
        async def up(_: int) -> bool:
            return True

        return SimpleNamespace(light=None, link=SimpleNamespace(up=up))

    def _ticks(self) -> int:
        return (self.ticks_from + round((self.scheduler.now - self._started_at) * self.rate)) % TICKS

    def cut(self, why: str) -> None:
        """Power is gone, wherever the firmware is."""
        if self.box is None:
            return
        self.box = None
        for task in self._tasks:
            task.end()
        self._tasks = []
        if self.link is not None and self.link.line is not None:
            self.link.why = self.link.why or EOFError()
            self.link.line.end()
        self.link = None
        self.watcher.shown(self, f"(dark: {why})")

    def scan(self, data: bytes, symbology: str = "]C0") -> None:
        """A symbol is read."""
        if self.box is not None:
            newest = self.box.journal.newest
            with self.power():
                self.box.scanner.on_frame(symbology, data)
            self.watcher.scanned(self, data, newest)
            self.poke()

    def poke(self) -> None:
        """Something happened: whoever only looks round looks now."""
        for task in list(self._tasks):
            task.poke()

    async def dial(self, on_message: Any, on_ack: Any) -> Link:
        """A link in place of send/opening's."""
        link = Link(self, on_message, on_ack)
        await Sleep(60)
        start = f"scanlatch/v1/{self.site}/{self.name}/"
        wanted = tuple(start + kind for kind in ("verdict", "receipt", "command"))
        line = self.broker.connect(self.name, wanted.__contains__, link.received) if self.reachable else None
        if line is None:
            raise device.mqtt.MqttError("network", "no broker")
        link.line = line
        line.on_end = lambda: link.fail(EOFError())
        self.link = link
        return link

    def hang_up(self) -> None:
        """The connection ends, at both ends."""
        if self.link is not None and self.link.line is not None:
            self.link.line.end()

    def fall_silent(self) -> None:
        """The line is cut somewhere: both ends learn of it later, each by itself."""
        line = self.link.line if self.link else None
        if line is not None and line.up:
            line.silent = True
            self.scheduler.after(self.chance.uniform(*_DETECT_MS), line.end)


class _Task:
    """One of the firmware's tasks."""

    def __init__(self, terminal: Terminal, job: Any) -> None:
        self._terminal = terminal
        self._job = job
        self._next: Appointment | None = None
        self._naps = False
        self._running = False
        self._due(0)

    def poke(self) -> None:
        if self._naps and not self._running and self._next is not None and self._next.at > self._terminal.scheduler.now:
            self._next.cancel()
            self._due(0)

    def end(self) -> None:
        if self._next is not None:
            self._next.cancel()
        if not self._running:
            self._job.close()
        self._job = None

    def _due(self, ms: float) -> None:
        self._next = self._terminal.scheduler.after(ms, self._step)

    def _step(self) -> None:
        job = self._job
        if job is None:
            return
        self._running = True
        try:
            with self._terminal.power():
                ms = job.send(None)
        finally:
            self._running = False
        if self._job is None:  # power was cut meanwhile
            return
        self._naps = 0 < ms <= NAP_MS
        self._due(LOOK_MS if self._naps else ms / self._terminal.rate)


async def _looks(box: Any) -> None:
    while True:
        box.answers.look()
        await Sleep(NAP_MS)


def _dark() -> None:
    raise device.PowerCut


def _beat() -> None:
    """The watchdog's; tasks that hang are not of this world."""
