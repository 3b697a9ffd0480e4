"""Terminals' certificates: which one each says that it uses, asked anew once it was given another."""

import hashlib

import structlog
from cryptography import x509

from host_bridge.ledger import commands, devices
from host_bridge.ledger.devices import DeviceRow
from host_bridge.wire import Reply
from host_bridge.work import Work

NAME, CERTIFICATE = "settings", "certificate"
ASKS = 3  # commands in a row without an answer, and it is left until it is given settings again
_LIFE_MS = 3_600_000
_UNHEARD = (None, commands.NEVER_SENT)

_log = structlog.get_logger("scanlatch.renewal")


def ask(work: Work, row: DeviceRow) -> None:
    """A head came, so the device connected anew: one that was given settings is asked which certificate it uses."""
    if not _is_open(commands.latest(work.connection, row.id, NAME, ASKS)):
        return
    command = commands.add(work.connection, row, NAME, {}, work.now, work.now + _LIFE_MS)
    work.touched.add(row.id)
    work.after.commands.append((row, command))


def _is_open(found: list[commands.Told]) -> bool:
    """Whether the last word is not said: of something given, or of a question. An answer may be lost as well."""
    if not found:
        return False
    arguments, result, details = found[0]
    if arguments:
        return result in (None, "ok")
    if result == "ok":
        return bool(details.get("waiting"))
    return result in _UNHEARD and (len(found) < ASKS or any(one.result not in _UNHEARD for one in found))


def replied(work: Work, row: DeviceRow, reply: Reply) -> None:
    """Write down the certificate that a device says it uses."""
    der = reply.details.get(CERTIFICATE)
    if not isinstance(der, bytes):
        return
    try:
        ends = x509.load_der_x509_certificate(der).not_valid_after_utc
    except (ValueError, x509.InvalidVersion) as error:
        _log.warning("a terminal's certificate can't be read", device=row.id, detail=str(error))
        return
    row.certificate, row.certificate_until = hashlib.sha256(der).hexdigest(), int(ends.timestamp() * 1000)
    values = {"certificate": row.certificate, "certificate_until": row.certificate_until}
    devices.change(work.connection, row.id, **values)
