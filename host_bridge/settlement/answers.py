"""What a platform's answers mean for verdicts, codes and what was taken back."""

from collections.abc import Callable, Mapping, Sequence

from host_bridge import code_states
from host_bridge.ledger import alerts, codes, devices, moves, outbox, scans, verdicts
from host_bridge.ledger.codes import CodeRow
from host_bridge.ledger.outbox import CANCELLED, DONE, QUERY, REVERSE, SALE, SENDING, UNKNOWN, WAITING, OutboxRow
from host_bridge.ledger.scans import Pair, TargetRow, key_of, pair_of
from host_bridge.ledger.verdicts import Final
from host_bridge.rules import Decision, refusal
from host_bridge.session_lines import LinesBack
from host_bridge.settlement.port import Answer
from host_bridge.wire import Operation, Outcome, Reason
from host_bridge.work import Work

TEXT_BYTES = 64  # WIRE.md "Verdict" key 9

_ACCEPTED = Decision(Outcome.ACCEPTED)
_VOIDED = Decision(Outcome.REJECTED, Reason.VOIDED)
_NEVER_SOLD = Decision(Outcome.REJECTED, Reason.RETURN_REFUSED)


class Settling:
    """Applies the answers of one call, in one transaction. `work.devices` holds the devices' locked rows."""

    def __init__(self, work: Work, rows: Sequence[OutboxRow], wait_ms: Callable[[int], int]) -> None:
        connection = work.connection
        self._work = work
        self._wait_ms = wait_ms
        self._codes = codes.lock(connection, {row.code for row in rows}, work.now)
        self._claims = {row.key: (SENDING, row.claimed_by, row.attempts) for row in rows}
        self._rows = outbox.lock(connection, [row.key for row in rows])
        self._held = outbox.held_for(connection, [row.key for row in rows])
        self._known = {(row.device, row.seq): row for row in (*self._rows.values(), *self._held.values())}
        takers = [(row.device, row.seq) for row in self._held.values()]
        takers += [(row.device, row.seq) for row in rows if row.kind != SALE]
        takers += [pair for row in rows if (pair := pair_of(row.reverses))]
        self._records = scans.targets(connection, takers) if takers else {}
        self._told = {pair: row.pending_at is None for pair, row in self._known.items()}
        self._moved: dict[str, OutboxRow] = {}
        self._held_codes: dict[str, CodeRow] = {}
        self._placed: dict[str, str] = {}
        self._finals: list[Final] = []
        self._lines = LinesBack(work)

    def apply(self, answers: Mapping[str, Answer]) -> None:
        """Write down what each answer brings. Rows settled meanwhile stay as they are.

        What became of a row is final, whoever learns it; that nobody knows holds only for the claim that found it.
        """
        for key, row in self._rows.items():
            if row.state in (DONE, CANCELLED):
                continue
            answer = answers.get(key) or Answer(key, "unknown", Reason.PLATFORM_UNKNOWN)
            if answer.outcome in ("accepted", "refused"):
                self._moved[key] = row
                row.state, row.detail = DONE, None
                self._settle(row, answer)
                row.pending_at = None
            elif self._claims[key] == (row.state, row.claimed_by, row.attempts):
                self._moved[key] = row
                self._unsettled(row, answer)
        self._write()

    def _unsettled(self, row: OutboxRow, answer: Answer) -> None:
        if answer.outcome == "unseen":
            row.state, row.next_at = WAITING, row.made_at  # back into its old place
            return
        row.state, row.trouble, row.detail = UNKNOWN, answer.reason or Reason.PLATFORM_UNKNOWN, _short(answer.text)
        row.next_at = self._work.now + self._wait_ms(row.attempts)

    def _settle(self, row: OutboxRow, answer: Answer) -> None:
        taken = answer.outcome == "accepted"
        text = _short(answer.text)
        mine = row.device, row.seq
        if row.kind == QUERY and self._is_voided(mine):
            self._final(mine, _VOIDED, None)
        elif row.kind == QUERY:
            self._final(mine, _ACCEPTED if taken else refusal(answer.reason), text)
        elif row.kind == REVERSE and row.key in self._held:
            self._return_to_undo(row, self._held[row.key], taken)
        elif row.kind == REVERSE:
            self._reversal(row, taken, refusal(answer.reason), text)
        elif row.key in self._held:
            self._sale_to_take_back(row, self._held[row.key], taken, refusal(answer.reason), text)
        else:
            self._sale(row, taken, refusal(answer.reason))
            self._final(mine, _ACCEPTED if taken else refusal(answer.reason), text)

    def _sale(self, row: OutboxRow, taken: bool, refused: Decision) -> None:
        """What the answer to a sale means for its code, its session's line and whoever has to know."""
        mine = row.device, row.seq
        if taken:
            self._sold(row.code, mine)
        else:
            self._given_back(row.code, mine, row.split, row.session)
            if refused.alarm is not None:
                self._alarm(row)
        undone = pair_of(row.reverses)
        if undone is not None:  # it made the sale stand again that this return had taken back
            if self._is_pending(undone):
                self._final(undone, _VOIDED if taken else _ACCEPTED, None)
            if not taken:
                scans.set_voided(self._work.connection, *undone, None)

    def _alarm(self, row: OutboxRow) -> None:
        """For the site that presents the box, and for that of ours, if any, which had it last."""
        connection, now = self._work.connection, self._work.now
        last = pair_of(moves.placed(connection, [row.code]).get(row.code))
        other = scans.targets(connection, [last]).get(last) if last else None
        detail = f"{row.code}: presented at {row.site} by {row.key}; the platform knows of another sale, "
        if other is None or other.site == row.site:
            detail += "this ledger of no other site that had the box"
        else:
            detail += f"this ledger that {other.site} had the box last, by {key_of(other.device, other.seq)}"
        kind = alerts.SOLD_ELSEWHERE
        alerts.open_alert(connection, kind, row.device, row.seq, row.seq, detail, now, row.site)
        if other is not None and other.site != row.site:
            alerts.open_alert(connection, kind, other.device, other.seq, other.seq, detail, now, other.site)

    def _sale_to_take_back(
        self, sale: OutboxRow, held: OutboxRow, taken: bool, refused: Decision, text: str | None
    ) -> None:
        """The answer to a sale that a void or return waits for."""
        mine, other = (sale.device, sale.seq), (held.device, held.seq)
        is_void = self._is_void(other)
        self._moved[held.key] = held
        self._sale(sale, taken, refused)
        if taken:
            held.state, held.next_at = WAITING, self._work.now
            if not is_void:  # a return takes back what was sold, a void what should not have been
                self._final(mine, _ACCEPTED, text)
            return
        held.state = DONE
        self._final(mine, _VOIDED if is_void else refused, None if is_void else text)
        self._final(other, _ACCEPTED if is_void else _NEVER_SOLD, None)
        held.pending_at = None

    def _reversal(self, row: OutboxRow, taken: bool, refused: Decision, text: str | None) -> None:
        """The answer to a sale's reversal."""
        target = pair_of(row.reverses)
        pending = target is not None and self._is_pending(target)
        self._final((row.device, row.seq), _ACCEPTED if taken else refused, text)
        if target is None:
            return
        if taken:
            record = self._records.get(target)
            self._given_back(row.code, target, row.split, record.sold_in if record else None)
            if not self._is_void((row.device, row.seq)):
                self._placed[row.code] = row.key
        else:
            scans.set_voided(self._work.connection, *target, None)
        if pending:
            self._final(target, _VOIDED if taken else _ACCEPTED, None)

    def _return_to_undo(self, back: OutboxRow, held: OutboxRow, taken: bool) -> None:
        """The answer to a return that a void waits for: where it was taken, the platform is told of the sale anew."""
        sale, mine, void = pair_of(back.reverses), (back.device, back.seq), (held.device, held.seq)
        self._moved[held.key] = held
        if taken and sale is not None:
            held.state, held.next_at = WAITING, self._work.now
            code = self._codes.get(back.code)
            if code is not None and code_states.give_back(code, sale, back.split, self._work.now):
                code_states.sell_again(code, (*void, back.site), back.split, self._work.now)
                self._held_codes[back.code] = code
            return
        held.state, held.pending_at = CANCELLED, None
        self._final(mine, _VOIDED, None)
        self._final(void, _ACCEPTED, None)
        if sale is not None:
            scans.set_voided(self._work.connection, *sale, None)

    def _final(self, pair: Pair, decision: Decision, text: str | None) -> None:
        record = self._known.get(pair) or self._records.get(pair)
        if record is not None:
            self._finals.append(
                Final(*pair, record.digest, decision.outcome, decision.reason, text, self._work.now, verdicts.DUE)
            )

    def _sold(self, code: str, sale: Pair) -> None:
        row = self._codes.get(code)
        if row is not None and code_states.settled(row, sale, self._work.now):
            self._held_codes[code] = row

    def _given_back(self, code: str, sale: Pair, split: bool, session: str | None) -> None:
        row = self._codes.get(code)
        if row is not None and code_states.give_back(row, sale, split, self._work.now):
            self._held_codes[code] = row
        if session is not None:
            self._lines.add(session, code, split)

    def _is_void(self, pair: Pair) -> bool:
        record = self._records.get(pair)
        return record is not None and record.operation == Operation.VOID

    def _is_voided(self, pair: Pair) -> bool:
        record = self._records.get(pair)
        return record is not None and record.voided_by is not None

    def _is_pending(self, pair: Pair) -> bool:
        record: TargetRow | None = self._records.get(pair)
        return record is not None and record.outcome == Outcome.PENDING

    def _write(self) -> None:
        connection, after = self._work.connection, self._work.after
        codes.save(connection, list(self._held_codes.values()))
        moves.place(connection, self._placed.items())
        outbox.settle(connection, list(self._moved.values()))
        self._lines.write()
        told = [(final, self._told.get((final.device, final.seq), True)) for final in self._finals]
        verdicts.insert(connection, told)
        for final in self._finals:
            row = self._work.devices.get(final.device) or devices.get(connection, final.device)
            if row is not None:
                after.finals.append((row, final))


def _short(text: str | None) -> str | None:
    """At most TEXT_BYTES of UTF-8, cut between characters; an empty text is none."""
    if not text:
        return None
    return text.encode(errors="replace")[:TEXT_BYTES].decode(errors="ignore") or None
