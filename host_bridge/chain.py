"""Where a device's chain stands: which seqs are passed, and which records' turn has come."""

from collections.abc import Mapping

from host_bridge.ledger import alerts, evidence, passed, scans
from host_bridge.ledger.devices import DeviceRow
from host_bridge.ledger.passed import LOST, QUARANTINED, Range
from host_bridge.ledger.scans import Record
from host_bridge.opening import peek
from host_bridge.work import Work

_RUN = 500  # stored records read at once
_EDGES = 500  # gaps looked at in one transaction
_PREV = 3  # key of `prev` in a scan
_LAST_SEQ = (1 << 63) - 1


def advance(work: Work, row: DeviceRow, fresh: Mapping[int, Record]) -> list[Record]:
    """Move `upto` over all that is passed now; the records it came over, in order: their turn has come.

    `fresh` are records of this device that are not stored yet; all others are read from the ledger.
    """
    due: list[Record] = []
    start = row.upto
    stored = row.newest  # nothing above is in the ledger
    row.newest = max(row.newest, max(fresh, default=0))
    while row.upto < row.newest:
        seq = row.upto + 1
        found = [fresh[seq]] if seq in fresh else []
        if not found and seq <= stored:
            found = scans.run(work.connection, row.id, seq, _RUN)
        if not found and (seq > stored or not _skip(work, row, seq)):
            break
        for record in found:
            _pass(work, row, record)
            due.append(record)
    if row.upto > start:
        work.touched.add(row.id)
        _come_on(work, row)
    return due


def check_late(work: Work, record: Record) -> None:
    """A record that comes where the chain had already gone on must fit both its neighbours."""
    before, after = (record.device, record.seq - 1), (record.device, record.seq + 1)
    digest = scans.digests(work.connection, [before]).get(before)
    if digest is not None and record.prev not in (None, digest):
        _broken(work, record.device, record.seq)
    prev = scans.prevs(work.connection, [after]).get(after)
    if prev not in (None, record.digest):
        _broken(work, record.device, record.seq + 1)


def show_quarantined(work: Work, row: DeviceRow) -> bool:
    """Pass quarantined messages that the chain shows to be this device's own (WIRE.md "Receipt" (b))."""
    if not row.quarantined:
        return False
    connection = work.connection
    named = scans.gap_edges(connection, row.id, row.upto, _EDGES)
    if row.head_newest > row.upto:
        named.append((row.head_newest, row.head_newest_digest))
    shown = False
    while named:
        found = evidence.quarantined(connection, [digest for _, digest in named])
        before: list[tuple[int, bytes]] = []
        for seq, digest in named:
            device, message = found.get(digest, ("", b""))
            if device != row.id or not row.upto < seq <= _LAST_SEQ:
                continue
            if _is_open(work, row, seq):  # else shown before; the one below it may have come since
                passed.insert(connection, row.id, Range(seq, seq, QUARANTINED, digest))
                row.newest = max(row.newest, seq)
                shown = True
            prev = peek(message, _PREV)
            if isinstance(prev, bytes):
                before.append((seq - 1, prev))
        named = before
    return shown


def declare_lost(work: Work, row: DeviceRow, first: int, last: int) -> None:
    """Pass the seqs of [first, last] that nothing is known of, with an alert (WIRE.md "Receipt" (c))."""
    first = max(first, row.upto + 1)
    if first > last:
        return
    there = [(seq, seq) for seq in scans.present(work.connection, row.id, first, last)]
    there += [(known.first, known.last) for known in passed.overlapping(work.connection, row.id, first, last)]
    for start, end in _without(first, last, sorted(there)):
        passed.insert(work.connection, row.id, Range(start, end, LOST, None))
        alerts.open_alert(work.connection, alerts.LOST, row.id, start, end, "the device has it no more", work.now)
        row.newest = max(row.newest, end)
        work.touched.add(row.id)


def _come_on(work: Work, row: DeviceRow) -> None:
    """What was asked for is coming, or all there."""
    if row.resend_asks == 0:
        return
    row.resend_asks = 1 if max(row.head_newest, row.newest) > row.upto else 0
    if row.resend_asks == 0:
        alerts.close_up_to(work.connection, alerts.BEHIND, row.id, row.upto, work.now)


def _pass(work: Work, row: DeviceRow, record: Record) -> None:
    follows = row.receipt_seq == record.seq - 1
    if follows and record.prev is not None and record.prev != row.receipt_digest:
        _broken(work, row.id, record.seq)
    row.upto = row.receipt_seq = record.seq
    row.receipt_digest = record.digest


def _skip(work: Work, row: DeviceRow, seq: int) -> bool:
    """Go over a range that is passed without records; False where there is none."""
    found = passed.covering(work.connection, row.id, seq)
    if found is None:
        return False
    row.upto = found.last
    if found.digest is not None:
        row.receipt_seq, row.receipt_digest = found.last, found.digest
    work.touched.add(row.id)
    return True


def _is_open(work: Work, row: DeviceRow, seq: int) -> bool:
    if scans.digests(work.connection, [(row.id, seq)]):
        return False
    return passed.covering(work.connection, row.id, seq) is None


def _without(first: int, last: int, taken: list[tuple[int, int]]) -> list[tuple[int, int]]:
    left: list[tuple[int, int]] = []
    for start, end in taken:
        if first < start:
            left.append((first, start - 1))
        first = max(first, end + 1)
    if first <= last:
        left.append((first, last))
    return left


def _broken(work: Work, device: str, seq: int) -> None:
    detail = "does not name the record before it"
    alerts.open_alert(work.connection, alerts.CHAIN, device, seq, seq, detail, work.now)
