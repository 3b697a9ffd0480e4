"""Drives the outbox: claims rows before the call, asks about what was never answered, writes answers down."""

import threading
from collections.abc import Callable, Sequence

import structlog

from host_bridge import metrics
from host_bridge.clock import Chance, Clock
from host_bridge.errors import LedgerBusy
from host_bridge.ledger import Ledger, devices, outbox
from host_bridge.ledger.outbox import UNKNOWN, WAITING, OutboxRow
from host_bridge.replies import Replies
from host_bridge.settlement.answers import Settling
from host_bridge.settlement.port import Answer, Platform, PlatformOutcome, Submission
from host_bridge.wire import Reason
from host_bridge.work import Work

FIRST_WAIT_MS = 500  # after the first call without an answer; doubles from there
LONGEST_WAIT_MS = 10_000
CALLS = 4  # submissions that share the two transactions around them, where more than one call's worth waits
DOWN_AFTER = 2  # calls in a row without an answer: the platform is out of reach, not merely slow once
STALE_S = 30.0  # a finding that the platform is out of reach holds this long, where nothing confirms it
_JITTER = (0.5, 1.0)  # of a wait
_LEASE_MS = 120_000  # a claim older than this belongs to a bridge that died
_ROUND_S = 10.0  # longest sleep: another bridge's rows may fall to this one

_log = structlog.get_logger("scanlatch.outbox")


class Outbox:
    """One platform's worker. `name` is this bridge's client id: claims of an earlier run bear it."""

    def __init__(
        self, ledger: Ledger, platform: Platform, replies: Replies, clock: Clock, chance: Chance, name: str
    ) -> None:
        self._ledger = ledger
        self._platform = platform
        self._replies = replies
        self._clock = clock
        self._chance = chance
        self._name = name
        self._failures = 0  # calls without an answer since the last with one
        self._resume = 0.0  # ticks before which nothing is called
        self._down_until = 0.0  # ticks up to which the platform counts as out of reach
        self._next_round = 0.0
        self._woken = threading.Event()
        self._stopping = False

    def wake(self) -> None:
        """There is a new row."""
        self._woken.set()

    def stop(self) -> None:
        """Let `run` return after the call that is under way."""
        self._stopping = True
        self._woken.set()

    @property
    def reachable(self) -> bool:
        """False while the platform is out of reach, as far as this bridge knows; any thread may ask.

        A lost answer alone does not mean that: a connection refused does, or DOWN_AFTER calls in a row. What was
        found STALE_S ago is no longer known.
        """
        return self._clock.ticks() >= self._down_until

    def run(self) -> None:
        """Work until `stop`."""
        self.recover()
        while not self._stopping:
            try:
                busy = self.step()
            except LedgerBusy as error:
                _log.warning("ledger busy", detail=error.detail)
                busy = False
            if not busy:
                self._woken.wait(self.idle_s())
            self._woken.clear()

    def recover(self) -> None:
        """Rows that were being sent when this bridge ended, or that a dead bridge holds, are unknown now."""
        with self._ledger.write() as connection:
            now = self._clock.now()
            found = outbox.orphaned(connection, self._name, now - _LEASE_MS)
        if found:
            _log.info("submissions taken up again", rows=found)

    def step(self) -> bool:
        """One round: ask about unknown rows, submit waiting ones. True where there may be more at once."""
        ticks = self._clock.ticks()
        if ticks < self._resume:
            return False
        self._look_round(ticks)
        limit = 1 if self._failures else self._platform.batch_limit  # a platform in trouble is asked one thing
        unknown, waiting = self._claim(limit)
        if unknown:
            self._call(unknown, self._ask, {"accepted", "refused", "unseen"})
        if waiting:
            self._call(waiting, self._submit, {"accepted", "refused"})
        return bool(unknown or waiting) and not self._failures

    def idle_s(self) -> float:
        """How long nothing falls due unless `wake` is called."""
        if self._failures:
            return max(0.0, self._resume - self._clock.ticks())
        with self._ledger.read() as connection:
            at = outbox.next_due(connection)
        return _ROUND_S if at is None else min(_ROUND_S, max(0.0, (at - self._clock.now()) / 1000))

    def _claim(self, limit: int) -> tuple[list[OutboxRow], list[OutboxRow]]:
        now = self._clock.now()
        with self._ledger.write() as connection:
            unknown = outbox.claim(connection, UNKNOWN, self._name, now, limit)
            room = limit * CALLS
            if self._failures:
                room = 0 if unknown else limit
            waiting = outbox.claim(connection, WAITING, self._name, now, room) if room else []
        return unknown, waiting

    def _ask(self, rows: Sequence[OutboxRow]) -> list[Answer]:
        metrics.platform_calls.labels("ask").inc()
        return self._platform.ask([row.key for row in rows])

    def _submit(self, rows: Sequence[OutboxRow]) -> list[Answer]:
        """Submit in calls of the platform's size. After one without any answer the rest is not sent: "unseen"."""
        answers: list[Answer] = []
        for start in range(0, len(rows), self._platform.batch_limit):
            part = rows[start : start + self._platform.batch_limit]
            metrics.platform_calls.labels("submit").inc()
            told = self._platform.submit([_submission(row) for row in part])
            answers += told
            if self._stopping or all(answer.outcome == "unknown" for answer in told):
                return answers + [Answer(row.key, "unseen") for row in rows[start + len(part) :]]
        return answers

    def _call(
        self,
        rows: Sequence[OutboxRow],
        made: Callable[[Sequence[OutboxRow]], list[Answer]],
        signs_of_life: set[PlatformOutcome],
    ) -> None:
        answers = {answer.key: answer for answer in made(rows)}
        for row in rows:
            outcome = answers[row.key].outcome if row.key in answers else "unknown"
            metrics.platform_answers.labels(row.kind, outcome).inc()
        answered = any(answer.outcome in signs_of_life for answer in answers.values())
        recovered = self._judge(answered, answers)
        targets = {_device_of(row.reverses) for row in rows if row.reverses}
        ids = {row.device for row in rows} | targets
        with self._ledger.write() as connection:
            now = self._clock.now()
            work = Work(connection, now, 0, devices.lock(connection, ids))
            self._replies.acknowledged(connection)
            Settling(work, rows, self._wait_ms).apply(answers)
            if recovered:
                outbox.hasten(connection, now)
        self._replies.send(work.after)

    def _judge(self, answered: bool, answers: dict[str, Answer]) -> bool:
        """Learn from a call whether the platform is there; True where it has just come back."""
        if answered:
            back, self._failures, self._down_until = self._failures > 0, 0, 0.0
            if back:
                _log.info("platform answers again")
            return back
        self._failures += 1
        self._resume = self._clock.ticks() + self._wait_ms(self._failures) / 1000
        refused = any(answer.reason == Reason.PLATFORM_UNREACHABLE for answer in answers.values())
        if refused or self._failures >= DOWN_AFTER:
            self._down_until = self._clock.ticks() + STALE_S
        detail = next((answer.text for answer in answers.values() if answer.text), None)
        _log.warning("platform gives no answer", failures=self._failures, detail=detail)
        return False

    def _wait_ms(self, attempts: int) -> int:
        longest = min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(max(attempts - 1, 0), 16))
        return int(longest * self._chance.uniform(*_JITTER))

    def _look_round(self, ticks: float) -> None:
        if ticks < self._next_round:
            return
        self._next_round = ticks + _ROUND_S
        with self._ledger.write() as connection:
            outbox.orphaned(connection, "", self._clock.now() - _LEASE_MS)
            metrics.outbox_open.set(outbox.open_count(connection))


def _submission(row: OutboxRow) -> Submission:
    return Submission(
        key=row.key,
        kind=row.kind,  # pyright: ignore[reportArgumentType]  # the ledger holds the port's words
        code=row.code,
        site=row.site,
        device=row.device,
        seq=row.seq,
        captured_at=row.captured_at,
        session=row.session,
        reverses=row.reverses,
        payer=row.payer,  # pyright: ignore[reportArgumentType]
        split=row.split,
    )


def _device_of(key: str) -> str:
    return key.rpartition("/")[0]
