"""One bridge: the product's intake, ledger, outbox and replies, driven by one hand and killed between any two steps."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from host_bridge.agreement import Agreements
from host_bridge.devices import Registry
from host_bridge.errors import LedgerBusy
from host_bridge.intake import Intake, Parts
from host_bridge.ledger import Ledger
from host_bridge.peers import Peers
from host_bridge.replies import Done, Replies
from host_bridge.settlement.outbox import RENEW_S, Outbox
from host_bridge.settlement.port import Answer, Submission
from tests.simulation.bridge_line import BridgeLine
from tests.simulation.scheduler import Appointment
from tests.simulation.terminal import START_MS

BATCH = 64
_RETRY_MS = 50


class Crash(BaseException):
    """The bridge's process is gone: nothing behind this may run."""


class Bridge:
    """A bridge through all its lives; what is in `ledger` outlives them.

    Attributes:
        crash_in: steps from here to the one that it dies before; 0: it lives.
        busy_in: statements from here to one that the disk does not take; 0: it takes all.
        skew: ms by which its clock is wrong.
        key: file of its first agreement key; later ones lie beside it.
    """

    def __init__(self, world: Any, name: str, ledger: Ledger, key: Path) -> None:
        self.name = name
        self.world = world
        self.ledger = ledger
        self.key = key
        self.chance: random.Random = world.chance("bridge", name)
        self.skew = 0
        self.crash_in = self.busy_in = 0
        self.alive = False
        self.reachable = True
        self.life = 0  # how many it had
        self.line: BridgeLine
        self._turning: Appointment | None = None
        self._settling: Appointment | None = None
        self._calls = False

    # What the product asks for from outside: time, an outlet, a platform

    def now(self) -> int:
        return START_MS + self.world.scheduler.now + self.skew

    def ticks(self) -> float:
        return self.world.scheduler.now / 1000

    @property
    def batch_limit(self) -> int:
        return self.world.platform.batch_limit

    def submit(self, items: Sequence[Submission]) -> list[Answer]:
        return self.world.platform.submit(items, self)

    def ask(self, keys: Sequence[str]) -> list[Answer]:
        return self.world.platform.ask(keys, self)

    def close(self) -> None:
        """A platform's; there is nothing to give back."""

    def publish(self, topic: str, payload: bytes, done: Done | None) -> bool:
        """See replies.Outlet."""
        self.step("publish")
        if not self.line.up:
            return False
        self.world.watch.said(topic, payload)
        self.line.publish(topic, payload, done)
        return True

    # Steps, between which it may die

    def step(self, where: str) -> None:
        """One more step is done."""
        if not self.alive:
            raise Crash(where)
        if self.crash_in:
            self.crash_in -= 1
            if not self.crash_in:
                raise Crash(where)

    def statement(self) -> None:
        """One more statement goes to the ledger."""
        self.step("statement")
        if self.busy_in:
            self.busy_in -= 1
            if not self.busy_in:
                raise LedgerBusy("database or disk is full")

    def wait(self, ms: float) -> None:
        """The outbox's thread waits for the platform; the world goes on, this bridge too, and may die."""
        life = self.life
        scheduler = self.world.scheduler
        end = scheduler.now + round(ms)
        while scheduler.now < end:
            scheduler.run(min(end, scheduler.now + round(RENEW_S * 1000)))
            if self.alive and self.life == life and scheduler.now < end:
                self._outbox.renew()
        if not self.alive or self.life != life:
            raise Crash("while it waited")

    def start(self) -> None:
        """A process begins: nothing but the ledger's rows is known."""
        if self.alive:
            return
        world = self.world
        self.alive, self.life = True, self.life + 1
        registry = Registry(self.ledger, Agreements.load(self.key))
        self._replies = Replies(self, registry, self)
        self._outbox = Outbox(self.ledger, self, self._replies, self, self.chance, self.name)  # type: ignore[arg-type]
        outbox, shared = self._outbox, world.shared
        self._intake = Intake(
            Parts(
                self.ledger,
                registry,
                self._replies,
                self,
                self.chance,
                900,
                self._wake,
                lambda: not outbox.reachable,
                {},
                shared,
            )
        )
        self._peers = Peers(self.ledger, registry, self._replies, self, self.name) if shared else None
        self.line = BridgeLine(self)
        self._started = self._recovered = self._calls = self._woken = False
        self.turn_in(0)

    def hang_up(self) -> None:
        """The connection ends, at both ends."""
        if self.alive:
            self.line.hang_up()

    def fall_silent(self) -> None:
        """The connection is cut somewhere, and both ends learn of it later."""
        if self.alive:
            self.line.fall_silent()

    def die(self, where: str) -> None:
        """Power off, kill -9: what is in memory is gone."""
        if not self.alive:
            return
        self.alive, self.crash_in, self.busy_in = False, 0, 0
        self.world.log("bridge dies", self.name, where)
        self.line.end()
        for one in (self._turning, self._settling):
            if one is not None:
                one.cancel()
        self._turning = self._settling = None

    # Its two threads, as host_bridge/service.py and the outbox's `run` have them

    def turn_in(self, ms: float) -> None:
        """Its main thread has something to do in `ms`."""
        if not self.alive:
            return
        at = self.world.scheduler.now + ms
        if self._turning is not None and self._turning.job is not None:
            if self._turning.at <= at:
                return
            self._turning.cancel()
        self._turning = self.world.scheduler.after(ms, self._turn)

    def _turn(self) -> None:
        self._guarded(self._serve, self.turn_in)

    def _serve(self) -> float:
        if not self._started:
            self._intake.start()
            self._started = True
            self._settle_in(0)
        inbox = self.line.inbox
        if inbox:
            batch = [inbox[at] for at in range(min(BATCH, len(inbox)))]
            self._intake.process(batch)
            for _ in batch:
                inbox.popleft()
        if self.line.fresh:
            self.line.fresh = False
            self._intake.connected()
        self._intake.tick()
        if self._peers is not None and self.line.up:
            self._peers.look()
        return 0.0 if inbox else max(1.0, self._intake.idle_s() * 1000)

    def _wake(self) -> None:
        self._outbox.wake()
        self._woken = self._calls
        self._settle_in(0)

    def _settle_in(self, ms: float) -> None:
        if not self.alive or self._calls:
            return
        at = self.world.scheduler.now + ms
        if self._settling is not None and self._settling.job is not None:
            if self._settling.at <= at:
                return
            self._settling.cancel()
        self._settling = self.world.scheduler.after(ms, self._settle)

    def _settle(self) -> None:
        life, self._calls = self.life, True
        ms = self._guarded(self._work, lambda _: None)
        if self.life == life and ms is not None:
            self._calls = False
            self._settle_in(0 if self._woken else ms)
            self._woken = False

    def _work(self) -> float:
        if not self._recovered:
            self._outbox.recover()
            self._recovered = True
        busy = self._outbox.step()
        return 0.0 if busy else max(1.0, self._outbox.idle_s() * 1000)

    def _guarded(self, job: Callable[[], float], again: Callable[[float], None]) -> float | None:
        life = self.life
        try:
            ms = job()
        except Crash as crash:
            if self.life == life:
                self.die(str(crash))
            return None
        except LedgerBusy:
            ms = _RETRY_MS
        if self.life == life:
            again(ms)
        return ms
