"""Decides records in the order of their turn, inside the transaction that admits them."""

from collections.abc import Sequence

from host_bridge import metrics
from host_bridge.ledger import codes, outbox, scans, sessions, verdicts
from host_bridge.ledger.codes import CLAIMED, FREE, CodeRow
from host_bridge.ledger.devices import SUSPENDED
from host_bridge.ledger.outbox import CANCELLED, DONE, HELD, QUERY, REVERSE, SALE, WAITING, OutboxRow
from host_bridge.ledger.scans import Pair, Record, TargetRow, key_of
from host_bridge.ledger.verdicts import Final
from host_bridge.rules import CODELESS, Decision, Effect, Known, Standing, Target, decide, standing
from host_bridge.wire import Operation, Outcome, Reason
from host_bridge.work import Work


class Deciding:
    """Decides a batch of records: all that they need is read at once, all that follows is written at once."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._codes: dict[str, CodeRow] = {}
        self._changed: dict[str, CodeRow] = {}
        self._targets: dict[Pair, TargetRow] = {}
        self._batch: dict[Pair, Record] = {}
        self._made: dict[Pair, OutboxRow] = {}
        self._voided: dict[Pair, str] = {}
        self._cancelled: list[str] = []
        self._open: set[str] = set()
        self._closed: list[str] = []
        self._finals: list[Final] = []
        self._told: dict[Pair, bool] = {}

    def decide(self, records: Sequence[Record]) -> None:
        """Give each record its first verdict, in the order given, and write down what follows from them.

        The records themselves are for the caller to store.
        """
        if not records:
            return
        self._batch = {(one.device, one.seq): one for one in records}
        self._read(records)
        for record in records:
            self._one(record)
        self._write()

    def _read(self, records: Sequence[Record]) -> None:
        work = self._work
        sound = [one for one in records if one.fault is None]
        voids = [(one.device, one.target) for one in sound if one.operation == Operation.VOID and one.target]
        self._load_targets(voids)
        wanted = {one.code for one in sound if one.code and one.operation not in CODELESS}
        wanted |= {target.code for target in self._targets.values() if target.code}
        self._codes = codes.lock(work.connection, wanted, work.now) if wanted else {}
        returned = [self._codes[one.code] for one in sound if one.operation == Operation.RETURN and one.code]
        self._load_targets([(row.device, row.seq) for row in returned if row.device and row.seq])
        ending = {one.session for one in sound if one.operation == Operation.SESSION_END and one.session}
        if ending:
            self._open = sessions.open_ones(work.connection, sorted(ending))

    def _load_targets(self, pairs: Sequence[Pair]) -> None:
        if pairs:
            self._targets.update(scans.targets(self._work.connection, pairs))

    def _one(self, record: Record) -> None:
        work = self._work
        codeless = record.operation in CODELESS
        code = None if codeless or record.code is None else self._codes.get(record.code)
        target_pair = self._target_of(record, code)
        target = self._target(target_pair) if target_pair else None
        decision = decide(
            Known(
                operation=record.operation,
                session=record.session,
                suspended=work.devices[record.device].status == SUSPENDED,
                malformed=record.fault is not None,
                code=standing(code.state, code.site, record.site) if code else Standing.FREE,
                target=None if target is None else _as_target(target),
                session_open=record.session in self._open,
            )
        )
        record.outcome, record.reason, record.decided_at = int(decision.outcome), int(decision.reason), work.now
        metrics.verdicts.labels(decision.outcome.name.lower(), record.reason).inc()
        self._follow(record, decision, code, target)

    def _target_of(self, record: Record, code: CodeRow | None) -> Pair | None:
        if record.operation == Operation.VOID and record.target:
            return record.device, record.target
        if record.operation == Operation.RETURN and code and code.device and code.seq:
            return code.device, code.seq
        return None

    def _target(self, pair: Pair) -> TargetRow | None:
        """A target as of now: what this batch did to it is not in the ledger yet."""
        stored = self._targets.get(pair)
        mine = self._batch.get(pair)
        if mine is None or mine.outcome is None:
            return self._updated(stored) if stored else None
        made = self._made.get(pair)
        return TargetRow(
            mine.device,
            mine.seq,
            mine.digest,
            mine.operation,
            mine.session,
            mine.site,
            mine.code,
            self._voided.get(pair),
            mine.outcome,
            made.state if made else None,
            made.attempts if made else None,
            made.pending_at if made else None,
            mine.session in self._closed,
        )

    def _updated(self, stored: TargetRow) -> TargetRow:
        return stored._replace(
            voided_by=self._voided.get((stored.device, stored.seq), stored.voided_by),
            session_closed=stored.session_closed or stored.session in self._closed,
        )

    def _follow(self, record: Record, decision: Decision, code: CodeRow | None, target: TargetRow | None) -> None:
        match decision.effect:
            case Effect.CLAIM if code:
                self._hold(code, CLAIMED, record)
                self._submit(record, SALE, code.code)
            case Effect.ASK if code:
                self._submit(record, QUERY, code.code)
            case Effect.CANCEL if target:
                self._cancel(record, target)
            case Effect.REVERSE if target:
                self._reverse(record, target)
            case Effect.CLOSE_SESSION if record.session:
                self._open.discard(record.session)
                self._closed.append(record.session)
            case _:
                return

    def _hold(self, code: CodeRow, state: str, record: Record | None) -> None:
        code.state, code.since = state, self._work.now
        code.device = record.device if record else None
        code.seq = record.seq if record else None
        code.site = record.site if record else None
        self._changed[code.code] = code

    def _submit(self, record: Record, kind: str, code: str, state: str = WAITING, reverses: str | None = None) -> None:
        now, after = self._work.now, self._work.after
        pending_at = now + self._work.deadline_ms
        self._made[record.device, record.seq] = OutboxRow(
            key=key_of(record.device, record.seq),
            kind=kind,
            state=state,
            device=record.device,
            seq=record.seq,
            digest=record.digest,
            code=code,
            site=record.site or "",
            session=record.session,
            captured_at=record.captured_at or 0,
            reverses=reverses,
            made_at=now,
            attempts=0,
            next_at=now,
            pending_at=pending_at,
        )
        after.submissions += state == WAITING
        after.next_pending = min(pending_at, after.next_pending or pending_at)

    def _cancel(self, record: Record, target: TargetRow) -> None:
        pair = target.device, target.seq
        made = self._made.get(pair)
        if made:
            made.state, made.pending_at = CANCELLED, None
        else:
            self._cancelled.append(key_of(*pair))
        code = self._codes.get(target.code or "")
        if code and (code.device, code.seq) == pair:
            self._hold(code, FREE, None)
        self._voided[pair] = key_of(record.device, record.seq)
        self._told[pair] = target.pending_at is None
        self._finals.append(
            Final(*pair, target.digest, Outcome.REJECTED, Reason.VOIDED, None, self._work.now, verdicts.DUE)
        )

    def _reverse(self, record: Record, target: TargetRow) -> None:
        pair = target.device, target.seq
        state = WAITING if target.submission == DONE else HELD
        self._voided[pair] = key_of(record.device, record.seq)
        self._submit(record, REVERSE, target.code or "", state, key_of(*pair))

    def _write(self) -> None:
        connection = self._work.connection
        codes.save(connection, list(self._changed.values()))
        outbox.insert(connection, list(self._made.values()))
        outbox.cancel(connection, self._cancelled)
        sessions.close(connection, self._closed, self._work.now)
        verdicts.insert(connection, [(one, self._told[one.device, one.seq]) for one in self._finals])
        devices = self._work.devices
        self._work.after.finals += [(devices[one.device], one) for one in self._finals if one.device in devices]

    def store_voided(self) -> None:
        """Mark what was taken back, once all records of the batch are stored."""
        for (device, seq), by in self._voided.items():
            scans.set_voided(self._work.connection, device, seq, by)


def _as_target(row: TargetRow) -> Target:
    return Target(
        operation=row.operation,
        session=row.session,
        session_closed=row.session_closed,
        voided=row.voided_by is not None,
        outcome=Outcome.PENDING if row.outcome is None else row.outcome,
        attempts=row.attempts,
        submission=row.submission,
    )
