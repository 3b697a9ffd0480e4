"""What follows from a decision: codes, stock, lines, submissions, final verdicts and alerts, written at once."""

from host_bridge import code_states, session_lines, voids
from host_bridge.late import is_late
from host_bridge.ledger import alerts, codes, outbox, sessions, verdicts
from host_bridge.ledger.codes import FREE, CodeRow
from host_bridge.ledger.outbox import CANCELLED, DONE, HELD, QUERY, REVERSE, SALE, WAITING, OutboxRow
from host_bridge.ledger.scans import Pair, Record, TargetRow, key_of, pair_of
from host_bridge.ledger.verdicts import Final
from host_bridge.rules import Decision
from host_bridge.rules_tables import Alarm, Effect
from host_bridge.times import captured
from host_bridge.view import View
from host_bridge.wire import Operation, Outcome, Reason


class Effects:
    """Follows the decisions on a batch; nothing but alerts and extra items is written before `write`."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._work = view.work
        self._taken: list[tuple[str, int, int]] = []
        self._cancelled: list[str] = []
        self._closed: list[str] = []
        self._finals: list[Final] = []
        self._told: dict[Pair, bool] = {}

    def follow(self, record: Record, decision: Decision, code: CodeRow | None, target: TargetRow | None) -> None:
        """Do what a decision brings with it."""
        if decision.alarm is not None and code is not None:
            self._alarm(record, decision.alarm, code)
        match decision.effect:
            case Effect.CLAIM | Effect.PART if code:
                self._sell(record, code, split=decision.effect is Effect.PART)
            case Effect.REPEAT if code:
                code.repeats = min(code.repeats + 1, _REPEATS_MAX)
                self._view.changed[code.code] = code
            case Effect.ASK if code:
                self._submit(record, QUERY, code.code)
            case Effect.CANCEL if target:
                self._cancel(record, target)
            case Effect.REVERSE if target:
                self._reverse(record, target)
            case Effect.RESTORE if target:
                self._restore(record, target)
            case Effect.UNDO if target:
                self._undo(record, target)
            case Effect.MARK if target:
                self._view.voided[target.device, target.seq] = key_of(record.device, record.seq)
            case Effect.COUNT | Effect.STOCK | Effect.EXTRA | Effect.DIFFERS:
                self._at_dock(record, decision.effect)
            case Effect.CLOSE_SESSION if record.session:
                self._view.sessions[record.session].closed_at = self._work.now
                self._closed.append(record.session)
            case _:
                return

    def write(self) -> None:
        """Write down what all the decisions brought."""
        view, connection, now = self._view, self._work.connection, self._work.now
        codes.save(connection, list(view.changed.values()))
        if view.moves is not None:
            view.moves.write()
        outbox.insert(connection, list(view.made.values()))
        outbox.cancel(connection, self._cancelled)
        sessions.close(connection, self._closed, now)
        if self._taken:
            sessions.take(connection, self._taken)
        if view.dock is not None:
            view.dock.write()
        verdicts.insert(connection, [(one, self._told[one.device, one.seq]) for one in self._finals])
        devices = self._work.devices
        self._work.after.finals += [(devices[one.device], one) for one in self._finals if one.device in devices]

    def _sell(self, record: Record, code: CodeRow, *, split: bool) -> None:
        view, holder = self._view, (record.device, record.seq, record.site)
        session = view.sessions.get(record.session) if record.session else None
        if session is not None:
            _, line = session_lines.place(session, view.product(code.code), code.state != FREE)
            if line is not None:
                line.taken += 1
                self._taken.append((session.id, line.line, 1))
        if split:
            code_states.open_part(code, holder, self._work.now)
            view.dispensed.setdefault(code.code, []).append((record.device, record.seq))
        else:
            code_states.claim(code, holder, self._work.now)
        view.changed[code.code] = code
        self._submit(record, SALE, code.code, payer=session.payer if session else None, split=split)

    def _submit(
        self,
        record: Record,
        kind: str,
        code: str,
        state: str = WAITING,
        reverses: str | None = None,
        payer: str | None = None,
        split: bool = False,
        sale: TargetRow | None = None,
    ) -> None:
        """Tell or ask the platform; of a sale that stands again, session and time are the sale's own."""
        now, after = self._work.now, self._work.after
        pending_at, at = now + self._work.deadline_ms, captured(record)
        self._view.made[record.device, record.seq] = OutboxRow(
            key=key_of(record.device, record.seq),
            kind=kind,
            state=state,
            device=record.device,
            seq=record.seq,
            digest=record.digest,
            code=code,
            site=record.site or "",
            session=sale.sold_in if sale else record.session,
            captured_at=captured(sale or record),
            reverses=reverses,
            made_at=now,
            attempts=0,
            next_at=at if is_late(at, now) else now,  # a late one goes with the backlog, behind those who wait
            pending_at=pending_at,
            payer=payer or sessions.INSURED,
            split=split,
        )
        after.submissions += state == WAITING
        after.next_pending = min(pending_at, after.next_pending or pending_at)

    def _cancel(self, record: Record, target: TargetRow) -> None:
        view, pair = self._view, (target.device, target.seq)
        made = view.made.get(pair)
        if made:
            made.state, made.pending_at = CANCELLED, None
        else:
            self._cancelled.append(key_of(*pair))
        if target.operation == Operation.SALE:
            self._unsell(target)
        elif target.operation == Operation.RETURN:
            self._stands_after_all(target)
        view.voided[pair] = key_of(record.device, record.seq)
        self._told[pair] = target.pending_at is None
        self._finals.append(
            Final(*pair, target.digest, Outcome.REJECTED, Reason.VOIDED, None, self._work.now, verdicts.DUE)
        )

    def _unsell(self, target: TargetRow) -> None:
        view = self._view
        code = view.codes.get(target.code or "")
        if code and code_states.give_back(code, (target.device, target.seq), target.split, self._work.now):
            view.changed[code.code] = code
        session = view.sessions.get(target.session) if target.session else None
        line = session and session_lines.taken_on(session, view.product(target.code), target.split)
        if session and line:
            line.taken -= 1
            self._taken.append((session.id, line.line, -1))

    def _stands_after_all(self, target: TargetRow) -> None:
        """The sale that a return was to take back, which nobody was told of yet."""
        view, sale = self._view, pair_of(target.reverses)
        if sale is None:
            return
        view.voided[sale] = None
        if target.split and target.code:
            view.dispensed.setdefault(target.code, []).append(sale)

    def _restore(self, record: Record, target: TargetRow) -> None:
        """The sale that a return took back, or may have, stands again: under this record, the platform's key for it."""
        view, pair = self._view, (record.device, record.seq)
        sale, code = view.target(pair_of(target.reverses)), view.codes.get(target.code or "")
        if sale is None or code is None:
            return
        view.voided[target.device, target.seq] = key_of(*pair)
        state = HELD
        if target.submission == DONE:
            state = WAITING
            code_states.sell_again(code, (*pair, target.site), target.split, self._work.now)
            view.changed[code.code] = code
            if target.split:
                view.dispensed.setdefault(code.code, []).append(pair)
            _, session, line = voids.room(view, target)
            if session and line:
                line.taken += 1
                self._taken.append((session.id, line.line, 1))
        reverses = key_of(target.device, target.seq)
        self._submit(record, SALE, code.code, state, reverses, target.payer, target.split, sale)

    def _undo(self, record: Record, target: TargetRow) -> None:
        view, pair = self._view, (target.device, target.seq)
        view.voided[pair] = key_of(record.device, record.seq)
        if view.dock is not None and view.moves is not None:
            view.dock.undo(pair)
            for row in view.moves.undo(pair, view.codes):
                view.changed[row.code] = row

    def _reverse(self, record: Record, target: TargetRow) -> None:
        pair = target.device, target.seq
        state = WAITING if target.submission == DONE else HELD
        self._view.voided[pair] = key_of(record.device, record.seq)
        code, key = target.code or "", key_of(*pair)
        self._submit(record, REVERSE, code, state, key, payer=target.payer, split=target.split)

    def _at_dock(self, record: Record, effect: Effect) -> None:
        dock, moves = self._view.dock, self._view.moves
        if dock is None or moves is None:
            return
        if effect is Effect.EXTRA:
            dock.note_extra(record)
        elif effect is Effect.DIFFERS:
            dock.note_difference(record, record.reason or 0)
        else:
            moved = dock.count(record) if effect is Effect.COUNT else dock.moved(record)
            stock = record.site if record.operation == Operation.RECEIVE else None
            for one in moved:
                row = self._view.codes[one]
                if row.state == FREE:  # where it lies already too: from here on it is this scan that placed it
                    moves.move((record.device, record.seq), row, stock)
                    self._view.changed[one] = row

    def _alarm(self, record: Record, alarm: Alarm, code: CodeRow) -> None:
        connection, now = self._work.connection, self._work.now
        key, kind = key_of(record.device, record.seq), _KINDS[alarm]
        holder = key_of(code.device or "", code.seq or 0)
        detail = f"{code.code}: sold at {code.site} by {holder}, presented at {record.site} by {key}"
        alerts.open_alert(connection, kind, record.device, record.seq, record.seq, detail, now, record.site)
        if alarm is Alarm.SOLD_ELSEWHERE and code.device and code.seq:
            alerts.open_alert(connection, kind, code.device, code.seq, code.seq, detail, now, code.site)


_REPEATS_MAX = 32_767  # what the ledger's column takes
_KINDS = {Alarm.SOLD_ELSEWHERE: alerts.SOLD_ELSEWHERE, Alarm.REPEATED: alerts.REPEATED}
