"""Takes scans into the ledger as evidence; what they claim beyond that is decided in the order of their seq."""

from collections.abc import Sequence

from host_bridge import chain, metrics, times, trace_code
from host_bridge.code_rules import DEFAULT
from host_bridge.deciding import Deciding
from host_bridge.ledger import alerts, evidence, outbox, passed, scans
from host_bridge.ledger.devices import ENROLLED, SUSPENDED, DeviceRow
from host_bridge.ledger.scans import Pair, Record, Today, key_of
from host_bridge.opening import Opened, peek
from host_bridge.rules import CODELESS, unanswered
from host_bridge.wire import OpenedScan, Outcome, Reason, Scan, Verdict
from host_bridge.work import ReceiptDue, Work

QUARANTINE_LIMIT = 1_000  # messages kept under one device's name; beyond it they are answered and counted only
_SEQ = 2  # key of `seq` in a scan
_Fresh = dict[str, dict[int, Record]]


class Admission:
    """Admits the records of one transaction."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._repeats: dict[Pair, None] = {}
        self._conflicts: dict[tuple[Pair, bytes], None] = {}
        self._past: set[str] = set()  # devices that repeated what is archived: a receipt is all that they get

    def admit(self, messages: Sequence[Opened]) -> None:
        """Store records, decide those whose turn has come, and note what goes out.

        Every message claims (device, seq), and its device's row is locked.
        """
        claims = [(one, one.content) for one in messages if isinstance(one.content, OpenedScan)]
        if not claims:
            return
        fresh, said = self._sort(claims)
        due: list[Record] = []
        for device, records in fresh.items():
            times.put(self._work, self._work.devices[device], records, said[device])
            due += self._due(self._work.devices[device], records)
        stored = [record for records in fresh.values() for record in records.values()]
        self.decide(due, stored)
        for device in sorted({one.device for one, _ in claims}):
            self.close_gaps(self._work.devices[device])
        self._answer_again()

    def decide(self, due: Sequence[Record], fresh: Sequence[Record]) -> None:
        """Decide records whose turn has come, and store them with the rest of `fresh`."""
        work = self._work
        deciding = Deciding(work)
        deciding.decide(due)
        scans.insert(work.connection, fresh)
        new = {(one.device, one.seq) for one in fresh}
        scans.decided(work.connection, [one for one in due if (one.device, one.seq) not in new])
        deciding.store_voided()
        for record in due:
            self._answer(record)

    def close_gaps(self, row: DeviceRow, again: bool = False) -> None:
        """Pass what the chain shows by now, and decide what waited for it."""
        behind = row.upto < max(row.newest, row.head_newest)
        if (behind and chain.show_quarantined(self._work, row)) or again:
            self.decide(chain.advance(self._work, row, {}), [])

    def quarantine(self, message: Opened) -> None:
        """Keep a message that claims nothing, and say so to a device that may listen."""
        work = self._work
        metrics.refused.labels(message.kind, (message.why or "").split(":")[0]).inc()
        row = work.devices.get(message.device)
        if message.digest not in evidence.quarantined(work.connection, [message.digest]):
            self._keep(message, row)
        if row is None or message.kind != "scan":
            return
        self.close_gaps(row)
        seq = _seq_of(message)
        why = Verdict(seq, message.digest, Outcome.ERROR, Reason.MALFORMED, work.now, final=True, kept=False)
        work.after.verdicts.append((row, why))

    def _keep(self, message: Opened, row: DeviceRow | None) -> None:
        work, connection = self._work, self._work.connection
        kept = row.quarantined if row else evidence.quarantine_size(connection, message.device)
        if kept >= QUARANTINE_LIMIT:
            return
        why = message.why or ""
        if not evidence.put_in_quarantine(
            connection, message.digest, message.device, message.kind, message.message, why, work.now
        ):
            return
        seq = _seq_of(message)
        alerts.open_alert(connection, alerts.QUARANTINE, message.device, seq, seq, why, work.now)
        if row:
            row.quarantined += 1
            work.touched.add(row.id)

    def _sort(self, claims: Sequence[tuple[Opened, OpenedScan]]) -> tuple[_Fresh, dict[str, dict[int, Scan]]]:
        """New records by device and seq, and what those say that can be read; repeats and conflicts are noted."""
        work = self._work
        old = [(one.device, it.seq) for one, it in claims if it.seq <= work.devices[one.device].newest]
        known = scans.digests(work.connection, old) if old else {}
        fresh: _Fresh = {}
        said: dict[str, dict[int, Scan]] = {}
        for message, claim in claims:
            row = work.devices[message.device]
            row.last_record_at, row.spoke_from = work.now, message.site
            work.touched.add(row.id)
            mine, words = fresh.setdefault(row.id, {}), said.setdefault(row.id, {})
            pair = row.id, claim.seq
            digest = mine[claim.seq].digest if claim.seq in mine else known.get(pair)
            if digest is None and self._is_archived(row, claim.seq):
                self._past.add(row.id)
                metrics.records.labels("archived").inc()
            elif digest is None:
                mine[claim.seq] = _record(message, claim, row, work)
                if claim.scan is not None:
                    words[claim.seq] = claim.scan
                metrics.records.labels("admitted").inc()
            elif digest == claim.digest:
                self._repeats[pair] = None
                metrics.records.labels("repeated").inc()
            else:
                self._conflict(message, claim, row)
        return fresh, said

    def _is_archived(self, row: DeviceRow, seq: int) -> bool:
        """Whether there was a record that is not in the ledger any more; a lost one that comes after all was none."""
        return seq <= row.archived and passed.covering(self._work.connection, row.id, seq) is None

    def _conflict(self, message: Opened, claim: OpenedScan, row: DeviceRow) -> None:
        work, connection = self._work, self._work.connection
        self._conflicts[(row.id, claim.seq), claim.digest] = None
        metrics.records.labels("conflict").inc()
        if evidence.has_conflict(connection, row.id, claim.seq, claim.digest):
            return
        evidence.add_conflict(connection, row.id, claim.seq, claim.digest, message.message, work.now)
        if row.status == ENROLLED:
            row.status = SUSPENDED
        detail = "a second record under a used seq, validly signed; the device is suspended"
        alerts.open_alert(connection, alerts.CONFLICT, row.id, claim.seq, claim.seq, detail, work.now)

    def _due(self, row: DeviceRow, records: dict[int, Record]) -> list[Record]:
        """Records of a device whose turn has come, lowest seq first."""
        work = self._work
        late = [records[seq] for seq in sorted(records) if seq <= row.upto]
        for record in late:
            alerts.found_again(work.connection, row.id, record.seq, work.now)
            chain.check_late(work, record)
        return late + chain.advance(work, row, records)

    def _answer(self, record: Record) -> None:
        if record.outcome == Outcome.PENDING:
            return  # held back: the platform may answer in time
        verdict = Verdict(
            record.seq,
            record.digest,
            Outcome(record.outcome or 0),
            record.reason or 0,
            record.decided_at or 0,
            final=True,
            kept=True,
        )
        self._work.after.verdicts.append((self._work.devices[record.device], verdict))

    def _answer_again(self) -> None:
        """Today's verdict and receipt for bytes that came before; nothing is decided or alarmed twice."""
        work = self._work
        answered = set(self._past)
        todays = scans.today(work.connection, list(self._repeats)) if self._repeats else {}
        for today in todays.values():
            work.after.verdicts.append((work.devices[today.device], todays_verdict(today)))
        told = [key_of(*pair) for pair, today in todays.items() if today.outcome == Outcome.PENDING]
        outbox.pending_told(work.connection, told)
        for (device, seq), digest in self._conflicts:
            row = work.devices[device]
            if seq <= row.upto:
                verdict = Verdict(seq, digest, Outcome.ERROR, Reason.SEQUENCE_CONFLICT, work.now, final=True, kept=True)
                work.after.verdicts.append((row, verdict))
                answered.add(device)
        answered |= {device for device, _ in self._repeats}
        for device in sorted(answered):
            row = work.devices[device]
            work.after.receipts.append((row, ReceiptDue(row.receipt_seq, row.receipt_digest, None)))


def todays_verdict(today: Today) -> Verdict:
    """The verdict as of now on a record that has one."""
    final = today.outcome != Outcome.PENDING
    return Verdict(
        today.seq,
        today.digest,
        Outcome(today.outcome),
        today.reason if final else unanswered(today.submission, today.trouble),
        today.decided_at,
        final=final,
        kept=True,
        text=today.text,
    )


def _record(message: Opened, claim: OpenedScan, row: DeviceRow, work: Work) -> Record:
    scan = claim.scan
    if scan is None:
        return Record(
            row.id,
            claim.seq,
            message.message,
            claim.digest,
            claim.prev,
            claim.fault,
            *(None,) * 6,
            received_at=work.now,
        )
    codeless = scan.operation in CODELESS
    site = work.sites.get(scan.site)
    rules = site.codes if site else DEFAULT
    code = None if codeless else trace_code.canonical(scan.family, scan.data, rules)
    fault = None
    if message.site not in row.sites or scan.site not in row.sites:
        fault = f"site: {scan.site!r} under {message.site!r}, never given to this device"
    elif code is None and not codeless:
        fault = "code: the data is not what its family says"
    return Record(
        device=row.id,
        seq=claim.seq,
        message=message.message,
        digest=claim.digest,
        prev=claim.prev,
        fault=fault,
        operation=int(scan.operation),
        code=code,
        site=scan.site,
        session=scan.session,
        target=scan.target,
        captured_at=scan.captured_at,
        received_at=work.now,
    )


def _seq_of(message: Opened) -> int:
    seq = peek(message.message, _SEQ) if message.kind == "scan" else None
    return seq if isinstance(seq, int) and 0 < seq < 1 << 63 else 0
