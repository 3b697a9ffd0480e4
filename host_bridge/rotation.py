"""A new bridge key, terminal by terminal (WIRE.md "Keys"): offered after each head, used from its "ok" on."""

import structlog

from host_bridge.ledger import commands, devices
from host_bridge.ledger.devices import DeviceRow
from host_bridge.opening import Opened
from host_bridge.wire import Reply, bridge_kid
from host_bridge.work import Work

NAME = "bridge-key"
_LIFE_MS = 3_600_000  # until the next head, where nothing else makes one come
# So many in a row without an answer: it may have gone over long ago, and this ledger was put back to before that.
_UNANSWERED = 3

_log = structlog.get_logger("scanlatch.rotation")


def offer(work: Work, row: DeviceRow) -> None:
    """A head came: a device that uses an older key is told of the newest, under the one that it uses."""
    offered, agreements = work.offered, work.agreements
    if offered is None or agreements is None or agreements.find(row.bridge_kid) is offered:
        return
    deaf = commands.unanswered(work.connection, row.id, NAME, _UNANSWERED)
    arguments = {"public": offered.public}
    command = commands.add(work.connection, row, NAME, arguments, work.now, work.now + _LIFE_MS)
    work.touched.add(row.id)
    if deaf:
        work.after.under.append((row, command, offered.kid))
    else:
        work.after.commands.append((row, command))


def heard(work: Work, row: DeviceRow, message: Opened) -> None:
    """What was sealed under a later key than the one that the ledger knows came from a device that went over."""
    agreements, kid = work.agreements, message.kid
    if agreements is not None and kid is not None and agreements.age(kid) > agreements.age(row.bridge_kid) >= 0:
        _goes_over(work, row, kid)


def replied(work: Work, row: DeviceRow, reply: Reply) -> None:
    """A device said "ok" to the last key that it was told of: from now on it is spoken to under that one."""
    if reply.result != "ok":
        return
    public = commands.newest(work.connection, row.id, NAME, reply.counter).get("public")
    if isinstance(public, bytes) and (kid := bridge_kid(public).hex()) != row.bridge_kid:
        _goes_over(work, row, kid)


def _goes_over(work: Work, row: DeviceRow, kid: str) -> None:
    row.bridge_kid = kid
    row.keys_version += 1
    devices.change(work.connection, row.id, bridge_kid=kid, keys_version=row.keys_version)
    _log.info("bridge key taken", device=row.id, kid=kid)
