"""The ledger as a batch of records sees it: read at once, in bulk, and kept up to what the batch itself does."""

from collections.abc import Iterable, Sequence

from host_bridge import session_lines, trace_code
from host_bridge.clock import local_day
from host_bridge.config import Site
from host_bridge.dock import Dock
from host_bridge.ledger import catalogue, codes, parts, scans, sessions
from host_bridge.ledger.catalogue import Claim, Facts
from host_bridge.ledger.codes import FREE, OPENED, CodeRow
from host_bridge.ledger.devices import SUSPENDED
from host_bridge.ledger.outbox import OutboxRow
from host_bridge.ledger.scans import Pair, Record, TargetRow, pair_of
from host_bridge.ledger.sessions import SessionRow
from host_bridge.moves import Moves
from host_bridge.opening import peek
from host_bridge.rules import CODELESS, Known, Target, standing
from host_bridge.times import captured
from host_bridge.wire import Operation, Outcome
from host_bridge.work import Work

_HOUR_MS = 3_600_000
_DATA, _FAMILY = 10, 11  # keys of a scan
_ANY_SITE = Site("")
_NOTHING = Facts("")
_OF_GOODS = frozenset({Operation.SALE, Operation.RETURN, Operation.RECEIVE, Operation.DISPATCH})
_AT_DOCK = frozenset({Operation.RECEIVE, Operation.DISPATCH})


class View:
    """Rows as of now. Whoever changes one in place puts it into `changed`."""

    def __init__(self, work: Work, records: Sequence[Record]) -> None:
        self.work = work
        self.batch: dict[Pair, Record] = {(one.device, one.seq): one for one in records}
        self.changed: dict[str, CodeRow] = {}
        self.made: dict[Pair, OutboxRow] = {}
        self.voided: dict[Pair, str | None] = {}  # by which record; None: by none after all
        self.dispensed: dict[str, list[Pair]] = {}
        self.dock: Dock | None = None
        self.moves: Moves | None = None
        self._targets: dict[Pair, TargetRow] = {}
        self._relatives: dict[str, set[str]] = {}
        sound = [one for one in records if one.fault is None]
        by_kind: dict[int | None, list[Record]] = {}
        for record in sound:
            by_kind.setdefault(record.operation, []).append(record)
        self._read_goods(by_kind)
        self._read_holders(by_kind)
        self.sessions = self._read_sessions(by_kind)

    def site(self, record: Record) -> Site:
        """What the record's site asks for."""
        return self.work.sites.get(record.site or "", _ANY_SITE)

    def code(self, record: Record) -> CodeRow | None:
        """Row of the code that a record is about."""
        return None if record.code is None or record.operation in CODELESS else self.codes.get(record.code)

    def product(self, code: str | None) -> str | None:
        """What a code is of, as far as the batch needed to know."""
        return self._facts.get(code or "", _NOTHING).product

    def content(self, code: str) -> int:
        """How many parts a box can be dispensed in."""
        return self._facts.get(code, _NOTHING).content

    def relative_held(self, code: str) -> bool:
        """Whether a package that it lies in is sold, or what lies in it."""
        return any(self.codes[one].state != FREE for one in self._relatives.get(code, ()))

    def known(self, record: Record, code: CodeRow | None, target: TargetRow | None) -> Known:
        """All that the decision on a record may look at."""
        known = Known(
            operation=record.operation,
            session=record.session,
            malformed=record.fault is not None,
            suspended=self.work.devices[record.device].status == SUSPENDED,
            revoked=self.work.devices[record.device].is_out,
            target=None if target is None else _as_target(target),
        )
        if known.malformed:
            return known
        if record.session is not None:
            row = self.sessions.get(record.session)
            known.session_state = session_lines.state(row, record.device, True, captured(record))
            known.other_kind = session_lines.of_another_kind(row, record.device, record.operation)
        if code is not None:
            known.code = standing(code.state, code.site, record.site)
            if record.operation in _OF_GOODS:
                self._tell_goods(record, code, known)
        if record.operation == Operation.RETURN and target is not None:
            known.late = captured(record) - captured(target) > self.site(record).return_hours * _HOUR_MS
        return known

    def target_of(self, record: Record, code: CodeRow | None) -> Pair | None:
        """The record that a void names, or the sale that a return takes back."""
        if record.operation == Operation.VOID and record.target:
            return record.device, record.target
        if record.operation != Operation.RETURN or code is None or code.device is None or code.seq is None:
            return None
        if code.state != OPENED:
            return code.device, code.seq
        left = [pair for pair in self.dispensed.get(code.code, ()) if not self.voided.get(pair)]
        return left[-1] if left else None

    def target(self, pair: Pair | None) -> TargetRow | None:
        """A target as of now: what this batch did to it is not in the ledger yet."""
        if pair is None:
            return None
        stored, mine = self._targets.get(pair), self.batch.get(pair)
        if mine is None or mine.outcome is None:
            return None if stored is None else self._updated(stored)
        made = self.made.get(pair)
        return TargetRow(
            device=mine.device,
            seq=mine.seq,
            digest=mine.digest,
            operation=mine.operation,
            session=mine.session,
            site=mine.site,
            code=mine.code or (made.code if made else None),
            voided_by=self.voided.get(pair),
            outcome=mine.outcome,
            submission=made.state if made else None,
            reverses=made.reverses if made else None,
            sold_in=made.session if made else None,
            attempts=made.attempts if made else None,
            pending_at=made.pending_at if made else None,
            session_closed=self._is_closed(mine.session),
            captured_at=made.captured_at if made else captured(mine),
            received_at=mine.received_at,
            payer=made.payer if made else None,
            split=made.split if made else False,
        )

    def _updated(self, stored: TargetRow) -> TargetRow:
        return stored._replace(
            voided_by=self.voided.get((stored.device, stored.seq), stored.voided_by),
            session_closed=stored.session_closed or self._is_closed(stored.session),
        )

    def _is_closed(self, session: str | None) -> bool:
        row = self.sessions.get(session or "")
        return row is not None and row.closed_at is not None

    def _tell_goods(self, record: Record, code: CodeRow, known: Known) -> None:
        site, facts = self.site(record), self._facts.get(code.code, _NOTHING)
        known.in_stock = code.stock is not None and code.stock == record.site
        known.requires_receipt = site.require_receipt
        if facts is not _NOTHING:
            known.recalled = facts.recalled is not None
            known.expired = facts.expires_on is not None and local_day(captured(record)) > facts.expires_on
        known.exempt = facts.exempt is not None
        if record.operation != Operation.SALE:
            if record.operation in _AT_DOCK and self.dock is not None:
                self.dock.tell(record, known)
            return
        known.opened, known.repeats = code.state == OPENED, code.repeats
        known.used_up = known.opened and code.parts >= facts.content
        known.level, known.sales_level = facts.level, site.sales_level
        known.relative_held = bool(self._relatives) and self.relative_held(code.code)
        known.requires_session, known.refuses_offline = site.require_session, site.offline_sales == "refused"
        known.platform_down = self.work.platform_down
        session = self.sessions.get(record.session) if record.session else None
        if session is not None:
            known.expects = session.expects
            known.split_lines = session_lines.has_split(session, facts.product)
            known.place, _ = session_lines.place(session, facts.product, known.opened)

    def _read_goods(self, by_kind: dict[int | None, list[Record]]) -> None:
        """Facts first: they say which other codes the decisions hang on, and all codes are locked in one go."""
        work = self.work
        self._load_targets([(one.device, one.target) for one in by_kind.get(Operation.VOID, ()) if one.target])
        voided = list(self._targets.values())
        self._load_targets([pair for one in voided if (pair := pair_of(one.reverses))])
        taken_back = {one.code for one in voided if one.code}
        goods = [one for kind in _OF_GOODS for one in by_kind.get(kind, ())]
        self._facts = self._read_facts(goods, taken_back)
        wanted = taken_back.union(*({one.code for one in kind if one.code} for kind in by_kind.values()))
        if self._facts:
            returned = {one.code for one in voided if one.code and one.operation == Operation.RETURN}
            self._relatives = self._read_relatives(by_kind.get(Operation.SALE, ()), returned)
            wanted.update(*self._relatives.values())
        at_dock = [one for kind in _AT_DOCK for one in by_kind.get(kind, ())]
        undone = [(one.device, one.seq) for one in voided if one.operation in _AT_DOCK]
        if at_dock or undone:
            self.dock, self.moves = Dock(work, at_dock, self._facts), Moves(work, undone)
            wanted |= self.dock.contents | self.moves.codes
        self.codes = codes.lock(work.connection, wanted, work.now) if wanted else {}
        if self.dock is not None and self.moves is not None:
            self.dock.read()
            self.moves.read(self.codes)

    def _read_facts(self, goods: Sequence[Record], taken_back: Iterable[str]) -> dict[str, Facts]:
        work = self.work
        bare = catalogue.empty(work.connection)
        labelled = [one for one in goods if one.code and not trace_code.is_twenty(one.code)]
        claims = {one.code or "": _claim(one) for one in labelled}
        if bare:
            return {
                code: Facts(code, batch=claim.batch, expires_on=claim.expires_on)
                for code, claim in claims.items()
                if claim.batch or claim.expires_on
            }
        for code in {*taken_back, *(one.code for one in goods if one.code)}:
            claims.setdefault(code, Claim(trace_code.prefix(code), trace_code.gtin(code), None, None))
        return catalogue.facts(work.connection, claims, work.now)

    def _read_relatives(self, sales: Sequence[Record], returned: set[str]) -> dict[str, set[str]]:
        unit = {one.code for one in sales if one.code and self._level(one.code) <= self.site(one).sales_level}
        unit |= returned
        bare = catalogue.empty(self.work.connection)
        found = {} if bare or not unit else catalogue.relatives(self.work.connection, unit)
        return {code: those for code, those in found.items() if those}

    def _level(self, code: str) -> int:
        return self._facts.get(code, _NOTHING).level

    def _read_holders(self, by_kind: dict[int | None, list[Record]]) -> None:
        rows = [row for one in by_kind.get(Operation.RETURN, ()) if one.code and (row := self.codes.get(one.code))]
        opened = [row.code for row in rows if row.state == OPENED]
        self.dispensed = parts.dispensed(self.work.connection, opened) if opened else {}
        pairs = [(row.device, row.seq) for row in rows if row.device and row.seq]
        pairs += [pair for those in self.dispensed.values() for pair in those]
        self._load_targets(pairs + list(self._targets))  # a void's again: its code is locked only now

    def _read_sessions(self, by_kind: dict[int | None, list[Record]]) -> dict[str, SessionRow]:
        kinds = (Operation.SALE, Operation.SESSION_END, Operation.VOID, Operation.STOCK_TAKE)
        wanted = {one.session for kind in kinds for one in by_kind.get(kind, ()) if one.session}
        wanted |= {one for target in self._targets.values() for one in (target.session, target.sold_in) if one}
        return sessions.get(self.work.connection, wanted) if wanted else {}

    def _load_targets(self, pairs: Sequence[Pair]) -> None:
        if pairs:
            self._targets.update(scans.targets(self.work.connection, pairs))


def _claim(record: Record) -> Claim:
    family, data, code = peek(record.message, _FAMILY), peek(record.message, _DATA), record.code or ""
    year = local_day(record.received_at) // 10_000
    said = trace_code.label(family, data, year) if isinstance(family, int) and isinstance(data, bytes) else None
    gtin = trace_code.gtin(code)
    return Claim(None, gtin, said.batch if said else None, said.expires_on if said else None)


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
