"""Takes a device's word on where its chain ends: gaps, losses, a ledger or journal gone back."""

from host_bridge import chain, metrics, renewal, rollout_answers, rotation, times
from host_bridge.admission import Admission
from host_bridge.ledger import alerts, evidence, scans, verdicts
from host_bridge.ledger.devices import DeviceRow
from host_bridge.opening import Opened, peek
from host_bridge.wire import Head
from host_bridge.work import ReceiptDue, Work

_BOOT, _UPTIME = 6, 7  # keys in a scan


def take(work: Work, admission: Admission, message: Opened, head: Head) -> None:
    """Accept a head, or ignore the same again, or refuse one that goes back; its device's row is locked."""
    row = work.devices[message.device]
    place = head.boot, head.connection, head.uptime
    if message.digest == row.head_digest:
        metrics.refused.labels("head", "same again").inc()
        return
    if place <= (row.head_boot, row.head_connection, row.head_uptime):
        metrics.refused.labels("head", "not above the last").inc()
        return
    evidence.add_head(work.connection, row.id, place, message.message, work.now)
    row.head_boot, row.head_connection, row.head_uptime = place
    row.head_newest, row.head_newest_digest, row.head_digest = head.newest, head.digest, message.digest
    row.spoke_from = message.site
    times.heard(work, row, head)
    rollout_answers.heard(work, row, head.firmware)
    work.touched.add(row.id)
    _compare(work, row, head)
    chain.show_quarantined(work, row)
    for first, last in ((1, head.oldest - 1), *head.missing):
        chain.declare_lost(work, row, first, min(last, head.newest))
    admission.close_gaps(row, again=True)
    answer = ReceiptDue(row.receipt_seq, row.receipt_digest, message.digest)
    work.after.receipts.append((row, answer))
    work.after.finals += [(row, final) for final in verdicts.after_head(work.connection, row.id)]
    rotation.offer(work, row)
    renewal.ask(work, row)


def _compare(work: Work, row: DeviceRow, head: Head) -> None:
    """Alert where the device's chain ends before the ledger's, or on other bytes."""
    connection, now = work.connection, work.now
    if head.newest < row.newest and not _captured_since(work, row, head):
        detail = "the device's journal ends before the ledger: wiped, restored or copied"
        alerts.open_alert(connection, alerts.WENT_BACK, row.id, head.newest + 1, row.newest, detail, now)
    pair = row.id, head.newest
    ours = scans.digests(connection, [pair]).get(pair) if 0 < head.newest <= row.newest else None
    if ours is not None and ours != head.digest:
        detail = "the device's newest record has other bytes than the ledger's"
        alerts.open_alert(connection, alerts.CHAIN, row.id, head.newest, head.newest, detail, now)


def _captured_since(work: Work, row: DeviceRow, head: Head) -> bool:
    """True where the first record above the head's newest was captured after that head was made."""
    message = scans.first_above(work.connection, row.id, head.newest)
    boot, uptime = (peek(message, key) for key in (_BOOT, _UPTIME)) if message else (None, None)
    if not isinstance(boot, int) or not isinstance(uptime, int):
        return False
    return (boot, uptime) >= (head.boot, head.uptime)
