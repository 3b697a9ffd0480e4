"""One world, chosen by one number: who is there, what goes wrong, and when; in the end all is well, and must be."""

import hashlib
import random
from collections.abc import Callable
from types import SimpleNamespace

from host_bridge import sessions
from host_bridge.devices import Registry
from host_bridge.errors import PermanentError
from host_bridge.ledger import catalogue
from tests.simulation import checks, desk, firmware
from tests.simulation.bridge import Bridge
from tests.simulation.broker import Broker, Weather
from tests.simulation.hostile import Hostile
from tests.simulation.plagues import PLAGUES, Plague
from tests.simulation.platform import Mood, Platform
from tests.simulation.scheduler import Scheduler
from tests.simulation.stage import BRIDGES, GONE, NAMES, SITES, STRANGER, Stage
from tests.simulation.terminal import START_MS, Terminal
from tests.simulation.watch import Broken, Watch

CODES = [f"8338652{number:013}".encode() for number in range(40)]
_CONTROLS = (b"RETURN", b"SALE", b"SALE", b"CANCEL", b"CANCEL", b"QUERY", b"END", b"BADGE/n-7")
_PERSON = b"opcAQ" + b"w7" * 11 + b"Z"  # 28 characters, as the insurance's e-credential has
_SETTLE_MS = 1_500_000  # the longest wait of a terminal is 10 minutes, of a resend's asking 10 more
_LOOK_MS = 2_000
_DESK = 0.15  # of all worlds, for each of the things that people at a desk do
_EVENTS_TOLD = 60


class World:
    """The world of `seed`. `run` lets it happen and raises Broken where a promise did not hold."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.seed = seed
        self.stage = stage
        self._digest = hashlib.sha256()
        self.events: list[str] = []
        firmware.troubles.clear()
        self._books = stage.empty()
        self.random = dice = self.chance("world")
        self.scheduler = Scheduler()
        catalogue.changed()
        catalogue.time = SimpleNamespace(monotonic=lambda: self.scheduler.now / 1000)  # type: ignore[attr-defined]
        self.weather, self.mood = Weather(), Mood()
        self.watch = Watch(
            self, self._books, {name: (stage.peers[name], stage.later_peers[name]) for name in SITES}, stage
        )
        self.watch.outlaws.add(STRANGER)
        self.hostile = Hostile(self, self.chance("hostile"), stage.peers[STRANGER], list(SITES))
        self.broker = Broker(self.scheduler, self.chance("broker"), self.weather, self.watch)
        self.platform = Platform(self.scheduler, self.chance("platform"), self.mood, self.watch.alarm)
        self.shared = dice.random() < 0.5
        self.bridges = [self._bridge(name) for name in BRIDGES[: 1 + (self.shared and dice.random() < 0.8)]]
        self.terminals = [self._terminal(name) for name in NAMES[: dice.choice((1, 2, 2, 3))]]
        self.doomed = self._terminal(GONE) if dice.random() < 0.3 else None
        self.codes = CODES[: dice.choice((2, 4, 8, 40))]
        for code in self.codes:
            if dice.random() < 0.08:
                self.platform.sell_elsewhere(code.decode())
        self.over_ms = dice.choice((10_000, 20_000, 40_000))
        share = dice.choice((0.08, 0.2, 0.4))  # in a quiet world other things come to light than in a mad one
        self.plagues: list[Plague] = [plague for plague in PLAGUES if dice.random() < share]
        staff = self.chance("desk")  # which worlds have none of it are as they were before there was any
        self.plagues += [deed for deed in desk.DEEDS if staff.random() < _DESK]
        self.at_desk = desk.Desk(self)
        self.healed = False
        self._session: str | None = None
        self.cloned: set[str] = set()  # terminals whose key somebody has stolen

    def chance(self, *names: str) -> random.Random:
        """A source of choices of its own for each part, so that one that chooses more does not change the others'."""
        return random.Random(f"{self.seed} {' '.join(names)}")

    def log(self, *what: object) -> None:
        """One event."""
        told = " ".join(
            one.hex() if isinstance(one, bytes) and len(one) < 16 else hashlib.sha256(one).hexdigest()[:12]
            if isinstance(one, bytes) else str(one) for one in what
        )  # fmt: skip
        line = f"{self.scheduler.now:9} {told}"
        self._digest.update(line.encode())
        self.events.append(line)

    @property
    def digest(self) -> str:
        """Of every event of this world."""
        return self._digest.hexdigest()

    def run(self) -> None:
        """Let it happen. Raises Broken."""
        try:
            self._live()
        finally:
            for bridge in self.bridges:
                bridge.alive = False
            self._books.close()

    def _live(self) -> None:
        names = [plague.__name__ for plague in self.plagues]
        self.log("world", self.seed, self.shared, len(self.bridges), len(self.terminals), self.over_ms, *names)
        for bridge in self.bridges:
            bridge.start()
        for terminal in self._all():
            terminal.start()
            self._soon(terminal)
        for plague in self.plagues:
            plague(self)
        if self.random.random() < 0.5:
            self.during(6_000, self._counter)
        if self.doomed is not None:
            self.scheduler.after(self.random.uniform(1_000, self.over_ms), self._revoke)
        self.scheduler.run(self.over_ms, self._is_broken)
        self._tell()
        self._heal()
        end = self.scheduler.now + _SETTLE_MS
        while not self._is_done() and self.scheduler.now < end and not self._is_broken():
            self.scheduler.run(self.scheduler.now + _LOOK_MS, self._is_broken)
        self._tell()
        for trouble in checks.after(self, self._books):
            self.watch.alarm(trouble)
        self._tell()

    def during(self, mean_ms: float, job: Callable[[], None]) -> None:
        """Do `job` again and again until all is healed, about so often."""

        def again() -> None:
            if not self.healed:
                job()
                self.scheduler.after(self.random.expovariate(1 / mean_ms), again)

        self.scheduler.after(self.random.expovariate(1 / mean_ms), again)

    def later(self, least_ms: float, most_ms: float, job: Callable[[], None]) -> None:
        """Do `job` once after a while, or not at all where all is healed by then: healing does it."""
        self.scheduler.after(self.random.uniform(least_ms, most_ms), lambda: None if self.healed else job())

    def _is_done(self) -> bool:
        return self.at_desk.done and checks.settled(self, self._books)

    def _is_broken(self) -> bool:
        return bool(self.watch.alarms or firmware.troubles)

    def _tell(self) -> None:
        alarms = [*self.watch.alarms, *(f"the firmware raised {one}" for one in firmware.troubles)]
        if alarms:
            story = "\n".join(self.events[-_EVENTS_TOLD:])
            raise Broken(f"seed {self.seed}:\n" + "\n".join(alarms[:20]) + f"\n--- its last events\n{story}")

    def _all(self) -> list[Terminal]:
        return [*self.terminals, *([self.doomed] if self.doomed else [])]

    def _soon(self, terminal: Terminal) -> None:
        """Somebody at the terminal scans, or shows it something else."""
        pace = self.random.choice((400, 1_600, 4_000))

        def somebody() -> None:
            if self.healed:
                return
            drawn = self.random.random()
            if drawn < 0.72:
                terminal.scan(self.random.choice(self.codes))
            elif drawn < 0.97:
                terminal.scan(b"SL/ABC123/" + self.random.choice(_CONTROLS))
            else:
                terminal.scan(_PERSON, "]Q1")
            self.scheduler.after(self.random.expovariate(1 / pace) + 50, somebody)

        self.scheduler.after(self.random.uniform(1, 3_000), somebody)

    def _counter(self) -> None:
        """The pharmacy's system opens a session on a terminal, or closes the last one."""
        now = START_MS + self.scheduler.now
        if self._session is not None and self.random.random() < 0.5:
            sessions.close_session(self.stage.office, self._session, now)
            self._session = None
            return
        device = self.random.choice(self.terminals).name
        kind = self.random.choice(("sale", "sale", "return", "query"))
        try:
            self._session = sessions.open_session(self.stage.office, device, now, self.random, kind=kind, minutes=1)
        except PermanentError:  # it is suspended
            return
        self.log("session", device, kind, self._session)

    def _revoke(self) -> None:
        if self.healed:
            return
        self.registry().revoke(GONE)
        self.watch.outlaws.add(GONE)
        self.log("revoked", GONE)
        self.records_of_outlaw = checks.records_of(self._books, GONE)

    def registry(self) -> Registry:
        """The registry, as people at a desk have it."""
        return Registry(self.stage.office, self.stage.agreement)

    def _heal(self) -> None:
        """Nothing goes wrong any more: power, lines, broker, bridges, platform and clocks."""
        self.healed = True
        self.log("healed")
        self.broker.up = True
        for bad in (self.weather, self.mood):
            vars(bad).update(vars(type(bad)()))
        self.at_desk.heal()
        for bridge in self.bridges:
            bridge.crash_in = bridge.busy_in = 0
            bridge.reachable = True
            bridge.start()
        for terminal in self._all():
            terminal.reachable = True
            terminal.flash.cut(0, None)
            terminal.raw_nvs.cut_in = 0
            if not terminal.on:
                terminal.start()

    def _bridge(self, name: str) -> Bridge:
        made = Bridge(self, name, self.stage.ledgers[name], self.stage.key_file(name))
        self.stage.holders[name][0] = made
        return made

    def _terminal(self, name: str) -> Terminal:
        made = Terminal(self, name, SITES[name], self.stage.keys(name), self.chance("terminal", name))
        made.rate = self.random.choice((0.97, 1.0, 1.0, 1.03))
        if self.random.random() < 0.3:  # its ticks wrap soon
            made.ticks_from = firmware.TICKS - self.random.randrange(20_000)
        made.real_signer = self.random.random() < 0.03
        return made
