"""Walks one device's chain from its first record to its last signed head: what is there, what not, and who said so."""

from collections.abc import Iterator, Mapping

from host_bridge.audit.findings import Findings, Told
from host_bridge.audit.records import SETTLED, Records
from host_bridge.config import Site
from host_bridge.late import is_late
from host_bridge.ledger import alerts, passed
from host_bridge.ledger.audit import Books, Kept
from host_bridge.ledger.devices import DeviceRow
from host_bridge.ledger.passed import QUARANTINED, Range
from host_bridge.ledger.times import GIVEN
from host_bridge.texts import text
from host_bridge.wire import Head, OpenedScan, UnsaidReason, WireError, digest, open_head, open_scan, public_key

LATE_MS = 600_000  # what is on its way, or due, for longer than this is a finding
_NONE_YET = bytes(32)


class Walk:
    """One device; `now` is ms UTC."""

    def __init__(self, books: Books, findings: Findings, row: DeviceRow, sites: Mapping[str, Site], now: int) -> None:
        self._books = books
        self._findings = findings
        self._row = row
        self._now = now
        self._key = public_key(row.signing_public)
        self._records = Records(books, findings, row.id, self._key, sites)
        self._told = Told(row.id, row.status, newest=row.newest)
        self._alerts = alerts.listed(books.connection, row.id)
        self._heads = _Heads(self._read_heads())
        self._before: bytes | None = _NONE_YET  # digest of the record below `_next`, where it is known
        self._next = 1
        self._whole = True  # nothing is missing so far
        self._open_from: int | None = None  # the first seq that is on its way
        self._receipted = row.receipt_seq == 0
        self._last_head_at = 0

    def walk(self) -> Told:
        """Walk it; what is wrong goes into the findings."""
        row = self._row
        for record in self._books.records(row.id):
            if record.seq < self._next:
                self._add("fork", text("there are two records under this seq"), record.seq)
                continue
            if record.seq > self._next:
                self._gap(self._next, record.seq - 1, record.received_at)
            self._record(record)
        for head, _ in self._heads.rest():
            self._against_ledger(head)
        self._end()
        for seq, found, message in self._books.conflicts(row.id):
            self._conflict(seq, found, message)
        return self._told

    def _record(self, row: Kept) -> None:
        told = self._told
        claim = self._records.evidence(row)
        if claim is not None:
            self._follows(row, claim)
        self._records.followed(row)
        self._turn(row)
        for head in self._heads.up_to(row.seq):
            if head.newest == row.seq:
                self._same(head, row.digest)
            else:
                self._against_ledger(head)
        if row.seq == self._row.receipt_seq:
            self._receipted = row.digest == self._row.receipt_digest
        told.records += 1
        if row.corrected_by not in (None, GIVEN):
            told.times[row.corrected_by] = told.times.get(row.corrected_by, 0) + 1
        at = row.captured_at if row.corrected_at is None else row.corrected_at
        if at is not None and is_late(at, row.received_at):
            told.add_late(row.seq)
        told.decided += row.outcome is not None
        told.waiting += row.outcome is None
        told.final += row.final is not None
        told.revoked += row.reason == UnsaidReason.DEVICE_REVOKED
        told.pending += row.submission not in (None, *SETTLED)
        self._before, self._next = row.digest, row.seq + 1
        if self._whole:
            told.unbroken = row.seq

    def _follows(self, row: Kept, claim: OpenedScan) -> None:
        if self._before is None or claim.prev is None or claim.prev == self._before:
            return
        self._whole = False
        alert = self._covered(alerts.CHAIN, row.seq, row.seq)
        self._add(
            "chain", text("record {seq} does not name the one before it; {alert}", seq=row.seq, alert=alert), row.seq
        )

    def _turn(self, row: Kept) -> None:
        if row.seq <= self._row.upto:
            if row.outcome is None:
                self._add("undecided", text("its turn has come, and it has no verdict"), row.seq)
        elif row.outcome is not None:
            self._add("turn", text("it has a verdict, though only {upto} was reached", upto=self._row.upto), row.seq)
        elif self._open_from is None and self._now - row.received_at > LATE_MS:
            self._add("undecided", text("nothing is missing before it, and it has no verdict"), row.seq)

    def _gap(self, first: int, last: int, seen_at: int) -> None:
        """Seqs without a record; that they should be there is known since `seen_at`."""
        self._before = None
        for known in passed.overlapping(self._books.connection, self._row.id, first, last):
            if first < known.first:
                self._missing(first, known.first - 1, seen_at)
            self._explained(Range(max(first, known.first), min(last, known.last), known.how, known.digest))
            first = known.last + 1
        if first <= last:
            self._missing(first, last, seen_at)

    def _explained(self, known: Range) -> None:
        if known.how != QUARANTINED:
            self._whole = False
            alert = self._covered(alerts.LOST, known.first, known.last)
            self._add(
                "lost",
                text("records {first} to {last} were lost; {alert}", first=known.first, last=known.last, alert=alert),
                known.first,
                known.last,
            )
            self._before = None
            return
        there = self._books.quarantined(self._row.id)
        kept = next((message for found, _, message, _ in there if found == known.digest), None)
        if kept is None:
            gone = text("message {first} was quarantined, and is not there any more", first=known.first)
            self._add("quarantine", gone, known.first)
        elif self._is_record(kept):
            what = text("message {first} is said to claim nothing, and is a record that verifies", first=known.first)
            self._add("quarantine", what, known.first)
        self._before = known.digest
        self._receipted |= (known.last, known.digest) == (self._row.receipt_seq, self._row.receipt_digest)
        if self._whole:
            self._told.unbroken = known.last

    def _is_record(self, message: bytes) -> bool:
        try:
            open_scan(message, self._row.id, self._key)
        except WireError:
            return False
        return True

    def _missing(self, first: int, last: int, seen_at: int) -> None:
        self._before = None
        row, told = self._row, self._told
        if first <= row.archived:
            upto = min(last, row.archived)
            told.archived += upto - first + 1
            self._receipted |= first <= row.receipt_seq <= upto
            self._note(
                text(
                    "records {first} to {upto} were archived, and are not in the database any more: not audited",
                    first=first,
                    upto=upto,
                )
            )
            if self._whole:
                told.unbroken = upto
            first = upto + 1
        if first > last:
            return
        self._whole = False
        if first > row.upto and self._now - seen_at <= LATE_MS:
            self._open_from = self._open_from or first
            self._note(text("records {first} to {last} are on their way", first=first, last=last))
            return
        self._open_from = self._open_from or first
        covered = [self._covered(kind, first, last) for kind in (alerts.LOST, alerts.BEHIND)]
        alert = next((one for one in covered if one.startswith("an")), "no open alert says so")
        self._add(
            "gap",
            text("records {first} to {last} are missing; {alert}", first=first, last=last, alert=alert),
            first,
            last,
        )

    def _end(self) -> None:
        row = self._row
        newest = max(row.newest, row.head_newest)
        if self._next <= newest:
            self._gap(self._next, newest, max(row.last_record_at, self._last_head_at))
        elif row.newest != self._next - 1:
            self._add(
                "columns",
                text("the registry says that record {newest} is the newest", newest=row.newest),
                self._next - 1,
            )
        if not self._receipted or row.receipt_seq > row.upto:
            self._add(
                "receipt",
                text("a receipt names record {receipt_seq}, which is not held", receipt_seq=row.receipt_seq),
                row.receipt_seq,
            )
        elif row.upto > newest:
            self._add(
                "receipt",
                text("all up to {upto} is said to be held, the newest is {newest}", upto=row.upto, newest=newest),
                newest,
            )
        if self._heads.last != (None if row.head_digest == _NONE_YET else row.head_digest):
            self._add("head", text("the last head that the registry took is not among the heads"), row.head_newest)

    def _same(self, head: Head, found: bytes) -> None:
        if head.digest != found:
            alert = self._covered(alerts.CHAIN, head.newest, head.newest)
            what = f"a signed head names other bytes for record {head.newest} than the ledger holds; {alert}"
            self._add("fork", what, head.newest)

    def _against_ledger(self, head: Head) -> None:
        """A head whose newest record the walk went by, or did not meet."""
        record = self._books.find(self._row.id, head.newest) if head.newest else None
        if record is not None:
            self._same(head, record.digest)

    def _read_heads(self) -> Iterator[tuple[Head, bytes]]:
        for place, message, received_at in self._books.heads(self._row.id):
            try:
                head = open_head(message, self._row.id, self._key)
            except WireError as error:
                self._add(
                    "head",
                    text(
                        "the head of {place} does not verify under the registered key: {error}",
                        place=_place(place),
                        error=error,
                    ),
                )
                continue
            if (head.boot, head.connection, head.uptime) != place:
                self._add("head", text("the head of {place} is one of another place", place=_place(place)))
            self._last_head_at, self._told.head = received_at, head.newest
            yield head, digest(message)

    def _conflict(self, seq: int, found: bytes, message: bytes) -> None:
        try:
            claim = open_scan(message, self._row.id, self._key)
        except WireError as error:
            self._add(
                "signature",
                text("what is kept beside record {seq} does not verify: {error}", seq=seq, error=error),
                seq,
            )
            return
        kept = self._books.find(self._row.id, seq)
        if digest(message) != found or claim.seq != seq or (kept is not None and kept.digest == found):
            self._add(
                "columns", text("what is kept beside record {seq} is not a second record of that seq", seq=seq), seq
            )
        else:
            self._add("fork", text("the terminal signed two records under this seq; both are kept"), seq)

    def _covered(self, kind: str, first: int, last: int) -> str:
        fits = (one for one in self._alerts if one.kind == kind and one.first <= first and last <= one.last)
        return (
            text('an open alert "{kind}" says so', kind=kind)
            if any(fits)
            else text('no open alert "{kind}" says so', kind=kind)
        )

    def _add(self, kind: str, what: str, first: int = 0, last: int = 0) -> None:
        self._findings.add(kind, self._row.id, what, first, last)

    def _note(self, what: str) -> None:
        self._findings.notes.append(text("{where}: {detail}", where=self._row.id, detail=what))


class _Heads:
    """Heads in their order, taken as the walk comes to the record that each names as its newest."""

    def __init__(self, source: Iterator[tuple[Head, bytes]]) -> None:
        self._source = source
        self._ahead: tuple[Head, bytes] | None = next(source, None)
        self.last: bytes | None = None  # digest of the last one taken

    def up_to(self, seq: int) -> Iterator[Head]:
        while self._ahead is not None and self._ahead[0].newest <= seq:
            yield self._take(self._ahead)

    def rest(self) -> Iterator[tuple[Head, bytes]]:
        while self._ahead is not None:
            ahead = self._ahead
            yield self._take(ahead), ahead[1]

    def _take(self, ahead: tuple[Head, bytes]) -> Head:
        self._ahead, self.last = next(self._source, None), ahead[1]
        return ahead[0]


def _place(place: tuple[int, int, int]) -> str:
    return "boot {}, connection {}, uptime {}".format(*place)
