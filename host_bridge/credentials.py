"""Answers a person's credential with a session or a refusal; nothing of the person is stored or logged."""

from datetime import UTC, datetime

from host_bridge import metrics
from host_bridge.clock import Chance
from host_bridge.ledger import commands, sessions
from host_bridge.ledger.devices import SUSPENDED, DeviceRow
from host_bridge.opening import Opened
from host_bridge.wire import Credential, Reason
from host_bridge.work import Work

FRESH_MS = 30_000  # WIRE.md "Credential": older ones are refused
SESSION_MS = 30 * 60_000  # how long a session stays open by itself
_COMMAND_MS = 10_000  # an answer later than this is of no use: the terminal shows an error after 3 s
_KIND = "sale"
_ID_BITS = 48


def take(work: Work, message: Opened, credential: Credential, chance: Chance) -> None:
    """Open a session or say why not; the device's row is locked."""
    row = work.devices[message.device]
    row.spoke_from = message.site
    work.touched.add(row.id)
    refused = _refusal(work, row, credential)
    if refused is None:
        arguments: dict[str, object] = _session(work, row, chance)
    else:
        metrics.refused.labels("credential", refused.name.lower()).inc()
        arguments = {"id": "", "reason": int(refused)}
    command = commands.add(work.connection, row, "session", arguments, work.now, work.now + _COMMAND_MS)
    work.after.commands.append((row, command))


def _refusal(work: Work, row: DeviceRow, credential: Credential) -> Reason | None:
    place = credential.boot, credential.counter
    if place <= (row.credential_boot, row.credential_counter):
        return Reason.SEQUENCE_CONFLICT
    row.credential_boot, row.credential_counter = place
    if credential.captured_at < work.now - FRESH_MS:
        return Reason.CLOCK_IMPLAUSIBLE
    return Reason.DEVICE_SUSPENDED if row.status == SUSPENDED else None


def _session(work: Work, row: DeviceRow, chance: Chance) -> dict[str, object]:
    day = datetime.fromtimestamp(work.now / 1000, UTC).strftime("%Y%m%d")
    session = f"S-{day}-{chance.getrandbits(_ID_BITS):012x}"
    until = work.now + SESSION_MS
    sessions.insert(work.connection, session, row.id, row.site, _KIND, work.now, until)
    return {"id": session, "kind": _KIND, "until": until}
