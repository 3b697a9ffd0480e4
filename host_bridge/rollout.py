"""Delivers an update: to each terminal of the group at hand one command after the other, while nobody waits for a scan.

Several bridges may do so at once: whoever holds a terminal's row sends, and what stands there is all that any of them
knows.
"""

from collections.abc import Callable, Sequence

import structlog

from host_bridge import rollout_answers, rollout_plan
from host_bridge.clock import Clock
from host_bridge.ledger import Ledger, commands, devices, rollouts
from host_bridge.ledger.devices import ENROLLED, SUSPENDED, DeviceRow
from host_bridge.ledger.rollouts import Package, Place, RolloutRow
from host_bridge.opening import Inbound
from host_bridge.replies import Replies
from host_bridge.work import After, Work

CHUNK = 512  # bytes in one command: a terminal may take 1,024, and has little heap to spare
AT_ONCE = 32  # terminals of which content is on its way
ROUND = 16  # commands in one transaction: a scan waits for one such at most
PAUSE_S = 0.02  # between two of them
QUIET_S = 0.25  # since the last scan that came here: people go first
PATIENCE_S = 2.0  # and yet one transaction so often: a bridge that is never quiet updates its terminals, too
IDLE_S = 1.0  # between two looks where nothing is under way
ANSWER_MS = 90_000  # for one answer: a terminal that is scanned at finds a quiet moment within a minute
_AGAIN_MS = (30_000, 1_800_000)  # first and longest wait before a terminal that did not answer is asked again
_BUSY_MS = 2_000  # a terminal that was scanned at so lately, or has a backlog to send, is left to it
_PUT_OFF_MS = 10_000  # but for no longer than this between two chunks
_GONE = "it is not enrolled any more"

_log = structlog.get_logger("scanlatch.rollout")


class Rollout:
    """One bridge's part in updates. Its main thread calls it."""

    def __init__(
        self, ledger: Ledger, replies: Replies, clock: Clock, connected: Callable[[], bool] = lambda: True
    ) -> None:
        self._ledger = ledger
        self._replies = replies
        self._clock = clock
        self._connected = connected  # whether the broker is there: nothing is sent into the void
        self._next = 0.0  # ticks
        self._went = 0.0
        self._scanned = -QUIET_S
        self._next_judged = 0.0
        self._running = False
        self._content: tuple[bytes, bytes] = b"", b""  # of the bundle that is on its way, by its digest

    def look(self, batch: Sequence[Inbound] = ()) -> None:
        """Send what is due; cheap where nothing is. `batch`: what was just taken from the broker. Raises LedgerBusy."""
        ticks = self._clock.ticks()
        if self._running:
            kinds = {one.topic.rpartition("/")[2] for one in batch}
            if "scan" in kinds:
                self._scanned = ticks
            if "reply" in kinds or "head" in kinds:
                self._next = min(self._next, self._went + PAUSE_S)
        if ticks < self._due or not self._connected():
            return
        self._went = ticks
        sent = self._round()
        self._next = ticks + (PAUSE_S if sent else IDLE_S)

    def idle_s(self) -> float:
        """How long the caller may wait for messages before the next look."""
        if not self._running or not self._connected():
            return IDLE_S
        return max(0.0, self._due - self._clock.ticks())

    @property
    def _due(self) -> float:
        """When to look next: people go first, within bounds."""
        return max(self._next, min(self._scanned + QUIET_S, self._went + PATIENCE_S))

    def _round(self) -> bool:
        now = self._clock.now()
        with self._ledger.read() as connection:
            row = rollouts.open_one(connection)
            self._running = row is not None and row.state == rollouts.RUNNING
            if row is None or not self._running:
                return False
            ids = rollouts.due(connection, row.id, row.part, now, AT_ONCE, ROUND)
            package = rollouts.package(connection, row.bundle)
            if self._content[0] != row.bundle:
                self._content = row.bundle, rollouts.content(connection, row.bundle) or b""
        sent = self._send(row, package, ids, now) if ids else False
        if self._clock.ticks() >= self._next_judged:
            self._next_judged = self._clock.ticks() + IDLE_S
            self._judge(row, now)
        return sent

    def _send(self, row: RolloutRow, package: Package, ids: Sequence[str], now: int) -> bool:
        """One step of each of these terminals, in one transaction."""
        after = After()
        with self._ledger.write() as connection:
            rows = devices.lock(connection, ids)
            work = Work(connection, now, 0, rows, after)
            for place in rollouts.lock(connection, row.id, ids):
                if place.next_at <= now:  # else another bridge was quicker
                    self._step(work, rows[place.device], place, package)
                    rollouts.save(connection, place)
            after.commands = commands.in_order(connection, after.commands, now)
        self._replies.send(after)
        return bool(after.commands)

    def _step(self, work: Work, row: DeviceRow, place: Place, package: Package) -> None:
        now = work.now
        if place.state == rollouts.TRIAL:
            rollout_answers.look_after_trial(work, place, package)
        elif place.state not in (rollouts.QUEUED, rollouts.SENDING):
            return
        elif place.counter is not None:  # nothing was answered
            rollouts.forget_command(work.connection, place, answered=False)
            first, longest = _AGAIN_MS
            place.counter, place.at, place.state = None, None, rollouts.QUEUED
            place.next_at = now + min(first << min(place.waits, 16), longest)
            place.waits += 1
        elif row.status not in (ENROLLED, SUSPENDED):
            rollout_answers.skipped(place, _GONE, now)
        elif rollout_answers.unreached(place, now):
            return
        elif _is_busy(row, now) and now - place.moved_at < _PUT_OFF_MS:
            place.next_at = now + _BUSY_MS // 2
        else:
            self._command(work, row, place, package)

    def _command(self, work: Work, row: DeviceRow, place: Place, package: Package) -> None:
        if place.at is None:
            name, arguments = "update-begin", {"manifest": package.manifest}
        elif place.at < package.size:
            name, arguments = "update-chunk", {"at": place.at, "data": self._content[1][place.at : place.at + CHUNK]}
        else:
            name, arguments = "update-commit", {"digest": package.digest}
        until = work.now + ANSWER_MS
        command = commands.add(work.connection, row, name, arguments, work.now, until)
        work.after.commands.append((row, command))
        place.state, place.counter, place.next_at = rollouts.SENDING, command.counter, until

    def _judge(self, row: RolloutRow, now: int) -> None:
        """Go on to the next group, or stop, where the group at hand says so."""
        with self._ledger.read() as connection:
            state, why = rollout_plan.verdict(row, rollouts.counts(connection, row.id, row.part))
        if state == rollouts.RUNNING and why:
            return
        with self._ledger.write() as connection:
            if rollouts.open_one(connection, locked=True) != row:  # another bridge was quicker, or a person
                return
            rollout_plan.judge(connection, row, now)
            told = rollouts.get(connection, row.id)
        _log.info("rollout", state=told.state, group=told.part, why=told.why)


def _is_busy(row: DeviceRow, now: int) -> bool:
    """Whether somebody scans at it now, or it has a backlog to send: that goes first."""
    return now - row.last_record_at < _BUSY_MS or max(row.newest, row.head_newest) > row.upto
