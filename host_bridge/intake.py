"""Messages in batches: verified, put into the ledger in one transaction, answered, and only then acknowledged."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog

from host_bridge import credentials, due, heads, metrics, renewal, rollout_answers, rotation, times
from host_bridge.admission import Admission
from host_bridge.clock import Chance, Clock
from host_bridge.config import Site
from host_bridge.devices import Registry
from host_bridge.errors import LedgerBusy
from host_bridge.hints import Hints
from host_bridge.ledger import Ledger, commands, devices, outbox, verdicts
from host_bridge.ledger.devices import DeviceRow
from host_bridge.ledger.verdicts import Final
from host_bridge.opening import EVIDENCE, Inbound, Opened, Opener
from host_bridge.replies import Replies
from host_bridge.wire import Credential, Head, Reply
from host_bridge.work import After, Work

ROUND_S = 10.0  # WIRE.md "Delivery": at start and this often, what is due is decided
_FLUSH_S = 1.0  # acknowledgements of the broker wait this long at most for a transaction to share
_PENDING_GRAIN_MS = 20  # pending verdicts that fall due this close together share a transaction
_UNSENT = 1_000  # rows published again at once
OTHERS_MS = 5_000  # what another bridge has decided is its own to publish for so long; it writes down within one second

_log = structlog.get_logger("scanlatch.intake")


@dataclass(frozen=True, slots=True)
class Parts:
    """What intake works with."""

    ledger: Ledger
    registry: Registry
    replies: Replies
    clock: Clock
    chance: Chance
    deadline_ms: int  # how long a pending verdict is held back for the platform
    wake_outbox: Callable[[], None]
    platform_down: Callable[[], bool] = lambda: False  # whether the platform is out of reach, as far as is known
    sites: Mapping[str, Site] = field(default_factory=dict[str, Site])  # what each asks for; one not named, nothing
    shared: bool = False  # other bridges work on the same ledger
    rescued: bool = False  # what comes was read from terminals over their cables: of one that is out, too


class Intake:
    """The bridge's front door. One thread calls it; the transport is somebody else's."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._opener = Opener(parts.registry)
        self._hints = Hints(parts.ledger)
        self._next_pending: int | None = None
        self._next_round = 0.0
        self._next_flush = 0.0
        self._asks_from = 0.0  # ticks: amid a drain all are behind, and silent only because nobody took anything
        self._others_from = 0.0  # ticks: before, what others may be publishing is left to them

    def start(self) -> None:
        """Take up what an earlier run left: pending verdicts, finals and commands not yet sent."""
        with self._parts.ledger.read() as connection:
            self._next_pending = outbox.next_pending(connection)
        self._next_round = 0.0
        self._asks_from = self._parts.clock.ticks() + due.SILENT_MS / 1000
        self.tick()

    def process(self, batch: Sequence[Inbound]) -> None:
        """Commit a batch, publish what follows, acknowledge.

        Raises LedgerBusy where nothing of it was kept: the same batch may be given again.
        """
        opened = [one for one in map(self._opener.open, batch) if one is not None]
        if opened:
            with self._transaction({one.device for one in opened}) as work:
                self._take(work, opened)
        now = self._parts.clock.now()
        for message in batch:
            self._hints.note(message, now)
            message.ack()

    def tick(self) -> None:
        """Do what has fallen due; cheap where nothing has. Raises LedgerBusy."""
        now, ticks = self._parts.clock.now(), self._parts.clock.ticks()
        if self._next_pending is not None and now >= self._next_pending:
            self._send_pending()
        if ticks >= self._next_round:
            self._next_round = ticks + ROUND_S
            with self._transaction(set()) as work:
                due.look_after(work, ticks >= self._asks_from)
            self.publish_unsent()
            self._parts.registry.refresh()
        if ticks >= self._next_flush:
            if self._parts.replies.has_acknowledged:
                with self._parts.ledger.write() as connection:
                    self._parts.replies.acknowledged(connection)
            self._hints.write()
            self._next_flush = ticks + _FLUSH_S

    def idle_s(self) -> float:
        """How long the caller may wait for messages before the next `tick`."""
        wait = min(_FLUSH_S, self._next_round - self._parts.clock.ticks())
        if self._next_pending is not None:
            wait = min(wait, (self._next_pending - self._parts.clock.now() + _PENDING_GRAIN_MS) / 1000)
        return max(0.0, wait)

    def connected(self) -> None:
        """The broker is there again, and for the others too: each begins with what it missed itself."""
        self._others_from = self._parts.clock.ticks() + OTHERS_MS / 1000
        self.publish_unsent()

    def publish_unsent(self) -> None:
        """Publish rows that the broker has not acknowledged and that are not on their way.

        Of bridges that share a ledger each leaves fresh ones to whoever made them.
        """
        with self._parts.ledger.read() as connection:
            finals = [one for one in verdicts.due(connection, _UNSENT) if self._is_ours(one)]
            orders = commands.due(connection, self._parts.clock.now(), _UNSENT)
            rows = {one: devices.get(connection, one) for one in {row.device for row in (*finals, *orders)}}
        after = After()
        for final in finals:
            if row := rows[final.device]:
                after.finals.append((row, final))
        for command in orders:
            if row := rows[command.device]:
                after.commands.append((row, command))
        self._parts.replies.send(after, again=True)

    def _is_ours(self, final: Final) -> bool:
        parts = self._parts
        if not parts.shared or parts.replies.missed(final):
            return True
        fresh = final.decided_at > parts.clock.now() - OTHERS_MS
        return not fresh and parts.clock.ticks() >= self._others_from

    def _send_pending(self) -> None:
        fell_due, self._next_pending = self._next_pending, None
        try:
            with self._transaction(set()) as work:
                due.pending(work)
        except LedgerBusy:
            self._next_pending = fell_due
            raise

    @contextmanager
    def _transaction(self, ids: set[str]) -> Generator[Work]:
        """One transaction; what it leaves to be said goes out once it is committed."""
        parts = self._parts
        with parts.ledger.write() as connection:
            rows = devices.lock(connection, ids) if ids else {}
            work = Work(connection, parts.clock.now(), parts.deadline_ms, rows)
            work.platform_down, work.sites = parts.platform_down(), parts.sites
            work.agreements, work.offered = parts.registry.agreements, parts.registry.offered()
            yield work
            devices.save(connection, [work.devices[device] for device in sorted(work.touched)])
            parts.replies.acknowledged(connection)  # last: rows of any device, and nothing is waited for after them
            apart = [(one.device, one.counter) for _, one, _ in work.after.under]
            work.after.commands = commands.in_order(connection, work.after.commands, work.now, apart)
        after = work.after
        if after.submissions:
            parts.wake_outbox()
        if after.next_pending is not None:
            self._next_pending = min(after.next_pending, self._next_pending or after.next_pending)
        parts.replies.send(after)

    def _take(self, work: Work, opened: Sequence[Opened]) -> None:
        admission = Admission(work)
        current = [self._current(one, work.devices.get(one.device)) for one in opened]
        messages = [one for one in current if one is not None]
        for message in messages:
            if message.content is None:
                self._refuse(admission, message)
        times.note_heads(work, messages)
        admission.admit(messages)
        for message in messages:
            match message.content:
                case Head() as head:
                    heads.take(work, admission, message, head)
                case Credential() as credential:
                    rotation.heard(work, work.devices[message.device], message)
                    credentials.take(work, message, credential, self._parts.chance)
                case _:
                    continue
        for message in messages:
            if isinstance(message.content, Reply):  # last: the command's row may be another bridge's for its end
                self._reply(work, message, message.content)

    def _current(self, message: Opened, row: DeviceRow | None) -> Opened | None:
        """The message under the keys that its locked row has; None for one that is out: nothing in."""
        if row is None:
            return message
        if row.is_out and not self._parts.rescued:
            metrics.refused.labels(message.kind, row.status).inc()
            return None
        if message.keys_version == row.keys_version:
            return message
        keys = self._parts.registry.keys_of(row)
        return self._opener.opened(message.site, message.device, message.kind, message.message, keys)

    def _refuse(self, admission: Admission, message: Opened) -> None:
        why = (message.why or "").split(":")[0]
        _log.warning("refused", device=message.device, kind=message.kind, why=why)
        if message.kind in EVIDENCE:
            admission.quarantine(message)
        else:
            metrics.refused.labels(message.kind, why).inc()

    def _reply(self, work: Work, message: Opened, reply: Reply) -> None:
        row = work.devices[message.device]
        row.command_counter = max(row.command_counter, reply.last)
        row.spoke_from = message.site
        work.touched.add(row.id)
        rotation.heard(work, row, message)
        rotation.replied(work, row, reply)
        renewal.replied(work, row, reply)
        unheard = None
        if reply.last > reply.counter:  # of commands that this ledger has forgotten: it was put back
            unheard = commands.unheard(work.connection, row.id, reply.counter, work.now)
        details = reply.details
        known = commands.replied(work.connection, row.id, reply.counter, reply.result, details, work.now)
        rollout_answers.answered(work, row, reply)
        _log.info("reply", device=row.id, counter=reply.counter, result=reply.result, known=known)
        if unheard is not None:
            name, arguments, not_after = unheard.name, unheard.arguments, unheard.not_after
            again = commands.add(work.connection, row, name, arguments, work.now, not_after)
            work.after.commands.append((row, again))
