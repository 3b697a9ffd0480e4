"""Certificates that end soon: the CA's, the broker's, the bridge's own and every terminal's."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import structlog
from cryptography import x509

from host_bridge import config, metrics
from host_bridge.ledger import Connection, devices, hints

WARN_DAYS = 60  # from when on a bridge and the command line warn
EVERY_MS = 12 * 3_600_000  # how often a bridge looks
_DAY_MS = 86_400_000
_DAYS_MOST = 40_000  # of a certificate; what is beyond is nobody's word to believe

_log = structlog.get_logger("scanlatch.expiry")


class Ending(NamedTuple):
    """A certificate, and when it ends (ms UTC)."""

    kind: str  # ca | broker | bridge | terminal
    name: str
    until: int

    def days(self, now: int) -> int:
        """Whole days left; negative once it has ended."""
        return (self.until - now) // _DAY_MS


def of_file(kind: str, path: Path) -> Ending:
    """A certificate in PEM. Raises OSError, ValueError."""
    ends = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    return Ending(kind, path.name, int(ends.timestamp() * 1000))


def of_terminals(connection: Connection) -> list[Ending]:
    """Those of all terminals that are neither revoked nor retired, as far as anybody said."""
    told = hints.every(connection, "health")
    return [
        Ending("terminal", row.id, until)
        for row in devices.every(connection)
        if not row.is_out and (until := row.certificate_until or _hinted(told.get(row.id)))
    ]


def _hinted(health: hints.Hint | None) -> int | None:
    """What a terminal of before anybody wrote it down says itself."""
    days = health.told.get("certificate_days") if health else None
    if health is None or type(days) is not int or abs(days) > _DAYS_MOST:
        return None
    return health.received_at + days * _DAY_MS


def soon(found: Iterable[Ending], now: int) -> list[Ending]:
    """Those that end within WARN_DAYS, or have ended; the next one first."""
    return sorted((one for one in found if one.days(now) < WARN_DAYS), key=lambda one: one.until)


def look(settings: config.Mqtt, connection: Connection, broker_until: int | None, now: int) -> None:
    """A bridge's look at all that it knows of: a line in the log for each that ends soon."""
    found = of_terminals(connection)
    if broker_until is not None:
        found.append(Ending("broker", settings.host, broker_until))
    for kind, path in (("ca", settings.ca), ("bridge", settings.certificate)):
        try:
            found += [of_file(kind, path)] if path else []
        except (OSError, ValueError) as error:
            _log.warning("a certificate can't be read", file=str(path), cause=str(error))
    for one in soon(found, now):
        _log.warning("a certificate ends soon", kind=one.kind, name=one.name, days=one.days(now))
    for kind in {one.kind for one in found}:
        metrics.certificate_days.labels(kind).set(min(one.days(now) for one in found if one.kind == kind))
