"""Drives the outbox: claims rows before the call, asks about what was never answered, writes answers down."""

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

import structlog

from host_bridge import metrics
from host_bridge.clock import Chance, Clock
from host_bridge.errors import BridgeError, LedgerBusy
from host_bridge.ledger import Ledger, devices, outbox
from host_bridge.ledger.outbox import REVERSE, UNKNOWN, WAITING, OutboxRow
from host_bridge.replies import Replies
from host_bridge.settlement.answers import Settling
from host_bridge.settlement.port import Answer, Platform, Submission
from host_bridge.settlement.reach import Reach
from host_bridge.work import Work

CALLS = 4  # submissions that share the two transactions around them, where more than one call's worth waits
LIVE_MS = 5_000  # somebody still stands before a scan of this age: it goes before the backlog
TRANCHE_CALLS = 1  # the backlog's part of a round in which live ones wait too
ALONE_FROM = 6  # attempts: from there on a submission has calls of its own, and spoils no others'
ALONE_CALLS = 4  # such calls in one go
STUCK_FROM = 20  # attempts: what was tried so often without an answer is for a person to look at
LEASE_MS = 30_000  # a claim that was not renewed for so long belongs to a bridge that died
RENEW_S = 5.0
ROUND_S = 10.0  # longest sleep: another bridge's rows may fall to this one
_WRITES = 5  # tries to write down what a call brought
_WRITE_WAIT_S = 0.05  # after the first of them; doubles
_BUSY_WAIT_S = 1.0  # where the ledger can't be written before a call

_log = structlog.get_logger("scanlatch.outbox")
_Call = Callable[[Sequence[OutboxRow]], list[Answer]]


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
        self._reach = Reach(clock, chance)
        self._next_round = 0.0
        self._looked = 0  # ms UTC of the last claim
        self._calling = False
        self._called = False  # since the last claim: time has passed, and another bridge may have taken rows up
        self._none_due = False  # in the last round nothing could be claimed
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._ended = threading.Event()

    @property
    def reachable(self) -> bool:
        """False while the platform is out of reach, as far as this bridge knows; any thread may ask."""
        return self._reach.reachable

    def wake(self) -> None:
        """There is a new row."""
        self._woken.set()

    def stop(self) -> None:
        """Let `run` return after the call that is under way."""
        self._stopped.set()
        self._woken.set()

    def run(self) -> None:
        """Work until `stop`."""
        self.recover()
        heart = threading.Thread(target=self._beat, name="outbox-lease", daemon=True)
        heart.start()
        try:
            while not self._stopped.is_set():
                self._turn()
        finally:
            self._ended.set()
            heart.join()

    def recover(self) -> None:
        """Rows that were being sent when this bridge ended, or that a dead bridge holds, are unknown now."""
        self._take_up(self._name)

    def step(self) -> bool:
        """One round: submit what is new, ask about what is unknown, submit a tranche of the backlog.

        True where there may be more at once.
        """
        self._none_due = False
        if self._reach.rest_s > 0:
            return False
        self._look_round()
        with self._under_way():
            live, unknown, backlog = self._claim()
            answered = self._call(live, self._submit)
            answered = self._call(unknown, self._ask, made=answered)
            self._call(backlog, self._submit, made=answered, yields=True)
        self._none_due = not (live or unknown or backlog)
        return not self._none_due and not self._reach.in_trouble

    def _turn(self) -> None:
        try:
            busy = self.step()
            idle_s = 0.0 if busy else self.idle_s()
        except LedgerBusy as error:
            _log.warning("ledger busy", detail=error.detail)
            busy, idle_s = False, _BUSY_WAIT_S
        if not busy:
            self._woken.wait(idle_s)
        self._woken.clear()

    def idle_s(self) -> float:
        """How long nothing falls due unless `wake` is called."""
        if self._reach.in_trouble and not self._none_due:  # a submission may rest longer than its platform
            return self._reach.rest_s
        with self._ledger.read() as connection:
            at = outbox.next_due(connection, self._looked)
        return ROUND_S if at is None else min(ROUND_S, max(0.0, (at - self._clock.now()) / 1000))

    def renew(self) -> None:
        """While a call is under way, say that this bridge lives: else its claims fall to another after LEASE_MS."""
        if self._calling:
            with self._ledger.write() as connection:
                outbox.renew(connection, self._name, self._clock.now())

    def _claim(self) -> tuple[list[OutboxRow], list[OutboxRow], list[OutboxRow]]:
        """Live rows, unknown ones, and a tranche of the backlog; of a platform in trouble, one thing."""
        now = self._looked = self._clock.now()
        size, me, self._called = self._platform.batch_limit, self._name, False
        fresh = now - LIVE_MS
        with self._ledger.write() as connection:
            if self._reach.in_trouble:
                unknown = outbox.claim(connection, UNKNOWN, me, now, 1)
                return [], unknown, [] if unknown else outbox.claim(connection, WAITING, me, now, 1)
            unknown = outbox.claim(connection, UNKNOWN, me, now, size)
            oldest = outbox.claim(connection, WAITING, me, now, size * CALLS)
            live = [row for row in oldest if row.next_at > fresh]
            backlog = [row for row in oldest if row.next_at <= fresh]
            if backlog and len(oldest) == size * CALLS:  # more waits than one round holds
                room = size * (CALLS - TRANCHE_CALLS) - len(live)
                live += outbox.claim(connection, WAITING, me, now, max(0, room), fresh)
                tranche = size * (TRANCHE_CALLS if live else CALLS)
                outbox.give_back(connection, backlog[tranche:])
                backlog = backlog[:tranche]
        return live, unknown, backlog

    def _ask(self, rows: Sequence[OutboxRow]) -> list[Answer]:
        metrics.platform_calls.labels("ask").inc()
        return self._platform.ask([row.key for row in rows])

    def _submit(self, rows: Sequence[OutboxRow]) -> list[Answer]:
        metrics.platform_calls.labels("submit").inc()
        return self._platform.submit([_submission(row) for row in rows])

    def _call(self, rows: Sequence[OutboxRow], call: _Call, *, made: bool = True, yields: bool = False) -> bool:
        """Make the calls for these rows and write down what they bring; rows not `made` are given back.

        Gives whether the platform is there, as far as this showed. One that `yields` lets new rows go first.
        """
        if not rows:
            return made
        sent: list[OutboxRow] = []
        answers: list[Answer] = []
        alive = True
        for part in self._parts(rows) if made else []:
            if self._stopped.is_set() or not alive or (yields and sent and self._woken.is_set()):
                break
            if self._called and call == self._submit:
                part = self._still_claimed(part)
                if not part:
                    continue
            told, self._called = call(part), True
            sent += part
            answers += told
            alive = any(answer.outcome != "unknown" for answer in told)
        recovered = self._reach.judge(answers) if sent else False
        self._write_down(sent, {answer.key: answer for answer in answers}, rows, recovered)
        return made and alive

    def _still_claimed(self, rows: Sequence[OutboxRow]) -> list[OutboxRow]:
        """Without those that another bridge took up while calls before this one were waited for."""
        try:
            with self._ledger.read() as connection:
                return outbox.still_claimed(connection, rows)
        except LedgerBusy:  # what can't be looked at is not sent: it goes back, and keeps its turn
            return []

    def _parts(self, rows: Sequence[OutboxRow]) -> list[list[OutboxRow]]:
        """Calls of the platform's size; a row that failed time and again goes alone, a few of them at once.

        By kind, which most platforms want apart: codes differ within a claim, but for a query before its sale.
        """
        size = self._platform.batch_limit
        together = sorted((row for row in rows if row.attempts <= ALONE_FROM), key=_query_first)
        alone = [row for row in rows if row.attempts > ALONE_FROM]
        parts = [together[at : at + size] for at in range(0, len(together), size)]
        return parts + [[row] for row in alone[:ALONE_CALLS]]

    def _write_down(
        self, sent: Sequence[OutboxRow], answers: dict[str, Answer], claimed: Sequence[OutboxRow], recovered: bool
    ) -> None:
        """Retried, because answers that are not written down have to be asked for again."""
        self._count(sent, answers)
        keys = {row.key for row in sent}
        unsent = [row for row in claimed if row.key not in keys]
        for write in range(1, _WRITES + 1):
            try:
                self._settle(sent, answers, unsent, recovered)
                return
            except LedgerBusy as error:
                if write == _WRITES:
                    raise
                _log.warning("ledger busy", detail=error.detail)
            self._stopped.wait(_WRITE_WAIT_S * 2**write * self._chance.uniform(0.5, 1.0))

    def _settle(
        self, sent: Sequence[OutboxRow], answers: dict[str, Answer], unsent: Sequence[OutboxRow], recovered: bool
    ) -> None:
        targets = {_device_of(row.reverses) for row in sent if row.reverses}
        ids = {row.device for row in sent} | targets
        with self._ledger.write() as connection:
            now = self._clock.now()
            work = Work(connection, now, 0, devices.lock(connection, ids) if ids else {})
            if sent:
                Settling(work, sent, self._reach.row_wait_ms).apply(answers)
            outbox.give_back(connection, unsent)
            if recovered:
                outbox.hasten(connection, now, STUCK_FROM)
            self._replies.acknowledged(connection)  # last: nothing is waited for after them
        self._replies.send(work.after)

    def _count(self, sent: Sequence[OutboxRow], answers: dict[str, Answer]) -> None:
        for row in sent:
            outcome = answers[row.key].outcome if row.key in answers else "unknown"
            metrics.platform_answers.labels(row.kind, outcome).inc()
            if outcome == "unknown" and row.attempts % STUCK_FROM == 0:
                _log.warning("submission stuck", key=row.key, attempts=row.attempts)

    def _look_round(self) -> None:
        ticks = self._clock.ticks()
        if ticks < self._next_round:
            return
        self._next_round = ticks + ROUND_S
        self._take_up(None)
        with self._ledger.read() as connection:
            metrics.outbox_open.set(outbox.open_count(connection))

    def _take_up(self, name: str | None) -> None:
        now = self._clock.now()
        with self._ledger.write() as connection:
            found = outbox.orphaned(connection, name or "", now - LEASE_MS, now) + outbox.call_back(connection, now)
        if found:
            _log.info("submissions taken up again", rows=found)

    @contextmanager
    def _under_way(self) -> Generator[None]:
        self._calling = True
        try:
            yield
        finally:
            self._calling = False

    def _beat(self) -> None:
        while not self._ended.wait(RENEW_S):
            try:
                self.renew()
            except BridgeError as error:  # the worker meets it too, and says what it means
                _log.warning("claims not renewed", detail=str(error))


def _query_first(row: OutboxRow) -> str:
    return row.kind  # query, reverse, sale


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
        reverses=row.reverses if row.kind == REVERSE else None,
        payer=row.payer,  # pyright: ignore[reportArgumentType]
        split=row.split,
    )


def _device_of(key: str) -> str:
    return key.rpartition("/")[0]
