"""The running bridge: builds its parts from the settings, and ends them in order."""

import gc
import random
import sys
import threading
from collections.abc import Callable

import structlog

from host_bridge import expiry
from host_bridge.agreement import Agreements
from host_bridge.clock import SystemClock, system_chance
from host_bridge.config import Config
from host_bridge.devices import Registry
from host_bridge.errors import LedgerBusy
from host_bridge.intake import Intake, Parts
from host_bridge.ledger import Ledger, open_existing
from host_bridge.mqtt import Broker
from host_bridge.opening import Inbound
from host_bridge.peers import Peers
from host_bridge.replies import Replies
from host_bridge.rollout import Rollout
from host_bridge.settlement.outbox import Outbox
from host_bridge.settlement.port import Platform
from host_bridge.settlement.rest import RestPlatform

_BUSY_WAIT_S = (0.05, 2.0)  # first and longest wait for the ledger
_LOOK_AHEAD_MS = 12 * 3_600_000  # how often the ledger is made ready for the time to come
# How long a thread computes before another may: Python's 5 ms, three threads long, would stand in every answer.
_SWITCH_S = 0.0005
_GOODBYE_S = 2.0  # how long the broker is given to acknowledge what is in flight at the end

_log = structlog.get_logger("scanlatch.bridge")


class Service:
    """One bridge. `run` blocks until `stop`, which any thread or signal handler may call."""

    def __init__(self, config: Config, on_ready: Callable[[], None] | None = None) -> None:
        self._config = config
        self._on_ready = on_ready
        self._stopping = threading.Event()
        self._connected = threading.Event()
        self._failure: BaseException | None = None
        self._clock, chance = SystemClock(), system_chance()
        self._next_look = 0  # ms UTC
        self._next_expiry = 0  # the same
        clock = self._clock
        agreement = Agreements.load(config.bridge.agreement_key)
        self._ledger: Ledger = open_existing(config.ledger.url, config.ledger.busy_timeout_ms)
        registry = Registry(self._ledger, agreement)
        self._broker = Broker(config.mqtt, self._ready)
        self._replies = Replies(self._broker, registry, clock)
        self._platform: Platform = _platform(config)
        self._outbox = Outbox(self._ledger, self._platform, self._replies, clock, chance, config.mqtt.client_id)
        self._intake = Intake(
            Parts(
                self._ledger,
                registry,
                self._replies,
                clock,
                chance,
                config.platform.deadline_ms,
                self._outbox.wake,
                lambda: not self._outbox.reachable,
                config.sites,
                config.mqtt.shared,
            )
        )
        self._rollout = Rollout(self._ledger, self._replies, clock, lambda: self._broker.connected)
        # A lone bridge is given again by the broker what it did not acknowledge.
        name, shared = config.mqtt.client_id, config.mqtt.shared
        self._peers = Peers(self._ledger, registry, self._replies, clock, name) if shared else None
        self._worker = threading.Thread(target=self._settle, name="outbox", daemon=True)

    def stop(self) -> None:
        """End `run`: what was taken is committed, answered and acknowledged first."""
        self._stopping.set()
        self._broker.interrupt()

    def reconnect(self) -> None:
        """Connect anew, with the certificate that the files have; for a signal handler."""
        self._broker.reconnect()

    def run(self) -> None:
        """Work until `stop`. Raises what broke a part for good."""
        settings = self._config.bridge
        sys.setswitchinterval(_SWITCH_S)
        self._retried(self._intake.start)
        gc.freeze()  # what is loaded stays: to walk over it in search of garbage stops every thread for 60 ms
        self._worker.start()
        self._broker.start()
        try:
            while not self._stopping.is_set():
                wait_s = min(self._intake.idle_s(), self._rollout.idle_s())
                batch = self._broker.take(settings.batch_size, wait_s, settings.batch_wait_ms / 1000)
                self._turn(batch)
            self._turn(self._broker.take(settings.batch_size, 0.0))
        finally:
            self._end()
        if self._failure is not None:
            raise self._failure

    def _turn(self, batch: list[Inbound]) -> None:
        if batch:
            self._retried(lambda: self._intake.process(batch))
        if self._connected.is_set():
            self._connected.clear()
            self._retried(self._intake.connected)
        self._retried(self._intake.tick)
        self._retried(lambda: self._rollout.look(batch))
        if self._peers is not None and self._broker.connected:
            self._retried(self._peers.look)
        self._retried(self._look_ahead)
        self._retried(self._look_at_certificates)

    def _look_at_certificates(self) -> None:
        """While connected, since only then the broker's own is known."""
        now = self._clock.now()
        if now >= self._next_expiry and self._broker.connected:
            with self._ledger.read() as connection:
                expiry.look(self._config.mqtt, connection, self._broker.broker_until, now)
            self._next_expiry = now + expiry.EVERY_MS

    def _look_ahead(self) -> None:
        """A bridge that runs for months makes the months to come."""
        now = self._clock.now()
        if now >= self._next_look:
            self._ledger.look_ahead(now)
            self._next_look = now + _LOOK_AHEAD_MS

    def _retried(self, job: Callable[[], None]) -> None:
        """Do a job that wrote nothing where it raised LedgerBusy, until it succeeds or the bridge ends."""
        wait_s, longest_s = _BUSY_WAIT_S
        while True:
            try:
                job()
                return
            except LedgerBusy as error:
                _log.warning("ledger busy", detail=error.detail)
            if self._stopping.wait(wait_s * random.uniform(0.5, 1.0)):  # noqa: S311  # jitter
                return
            wait_s = min(2 * wait_s, longest_s)

    def _settle(self) -> None:
        try:
            self._outbox.run()
        except BaseException as error:  # noqa: BLE001  # told to run(), which raises it
            self._failure = error
            self.stop()  # first: what broke it may be the log
            _log.exception("the outbox has stopped")

    def _ready(self) -> None:
        self._connected.set()
        self._broker.interrupt()
        _log.info("ready", host=self._config.mqtt.host, port=self._config.mqtt.port)
        if self._on_ready is not None:
            self._on_ready()

    def _end(self) -> None:
        self._outbox.stop()
        self._worker.join()
        waited = threading.Event()
        for _ in range(int(_GOODBYE_S / 0.02)):
            if not self._broker.in_flight:
                break
            waited.wait(0.02)
        self._broker.stop()
        try:
            with self._ledger.write() as connection:
                self._replies.acknowledged(connection)
            if self._peers is not None:
                self._peers.leave()
        except LedgerBusy as error:  # at worst something is said twice
            _log.warning("ledger busy at the end", detail=error.detail)
        self._platform.close()
        self._ledger.close()
        _log.info("ended")


def _platform(config: Config) -> Platform:
    settings = config.platform
    return RestPlatform(settings.url, settings.institution, settings.timeout_s)
