"""What falls due without any message: pending verdicts, records whose turn has come, gaps to be asked for."""

from host_bridge.admission import Admission, todays_verdict
from host_bridge.ledger import Connection, alerts, commands, devices, outbox, scans
from host_bridge.ledger.commands import CommandRow
from host_bridge.ledger.devices import DeviceRow
from host_bridge.ledger.scans import key_of
from host_bridge.wire import Outcome
from host_bridge.work import Work

SILENT_MS = 60_000  # a gap is asked for once the device has sent no record for this long
_LONGEST_WAIT_MS = 600_000  # between two asks for the same gap
_ALERT_FROM = 2  # asks: a terminal that merely went off the air is not worth one
_RESEND_LIFE_MS = 600_000  # a terminal that comes back within this time still acts on it
_RESTORED_LIFE_MS = 86_400_000  # as long as a terminal may be switched off, and hear of it from the broker then
_FORGOTTEN = 1_000  # commands that were sent since the backup, at most; of more the device's reply tells
_DEVICES = 500  # devices looked at in one transaction
_PENDING = 1_000  # pending verdicts sent in one transaction


def pending(work: Work) -> None:
    """Send the pending verdicts that the platform did not make final in time."""
    connection = work.connection
    found = outbox.pending_due(connection, work.now, _PENDING)
    if found:
        _lock(work, {row.device for row in found})  # first, as everywhere; what changed meanwhile is read again
        locked = outbox.lock(connection, [row.key for row in found]).values()
        rows = [row for row in locked if row.pending_at is not None]
        todays = scans.today(connection, [(row.device, row.seq) for row in rows])
        for pair, today in todays.items():
            if today.outcome == Outcome.PENDING:
                work.after.verdicts.append((work.devices[pair[0]], todays_verdict(today)))
        outbox.pending_told(connection, [key_of(row.device, row.seq) for row in rows])
    work.after.next_pending = outbox.next_pending(connection)


def look_after(work: Work, ask: bool = True) -> None:
    """Decide what waited without cause, and ask for records that a head named and nobody sent.

    ask: this bridge has run for long enough to have heard what is on its way.
    """
    connection = work.connection
    waiting = devices.undecided(connection, _DEVICES)
    behind = devices.behind(connection, work.now - SILENT_MS, _DEVICES, work.now) if ask else []
    _lock(work, {*waiting, *behind})
    admission = Admission(work)
    for device in waiting:
        admission.close_gaps(work.devices[device], again=True)
    for device in behind:
        _ask_again(work, work.devices[device])
    commands.expire(connection, work.now)


def ask_all(connection: Connection, now: int) -> int:
    """Ask every device for what it has above its chain here: the ledger was put back. `now` is ms UTC; how many."""
    ids = [row.id for row in devices.every(connection) if not row.is_out]
    for row in devices.lock(connection, ids).values():
        row.command_counter += _FORGOTTEN
        _resend(connection, row, now, _RESTORED_LIFE_MS)
    return len(ids)


def _ask_again(work: Work, row: DeviceRow) -> None:
    wait = min(SILENT_MS << min(row.resend_asks, 8), _LONGEST_WAIT_MS)
    asked_lately = row.resend_asks > 0 and 0 <= work.now - row.resend_asked_at < wait  # not before a clock went back
    newest = max(row.head_newest, row.newest)
    if row.is_out or newest <= row.upto or asked_lately:
        return
    row.resend_asks += 1
    row.resend_asked_at = work.now
    work.touched.add(row.id)
    first = row.upto + 1
    work.after.commands.append((row, _resend(work.connection, row, work.now, _RESEND_LIFE_MS)))
    if row.resend_asks < _ALERT_FROM:
        return
    detail = "the device has records that did not come; asked for again"
    alerts.open_alert(work.connection, alerts.BEHIND, row.id, first, newest, detail, work.now)


def _resend(connection: Connection, row: DeviceRow, now: int, life_ms: int) -> CommandRow:
    return commands.add(connection, row, "resend", {"from": row.upto + 1}, now, now + life_ms)


def _lock(work: Work, ids: set[str]) -> None:
    missing = ids - work.devices.keys()
    if missing:
        work.devices.update(devices.lock(work.connection, missing))
