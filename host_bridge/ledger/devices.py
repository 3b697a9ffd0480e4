"""Rows of the device registry, and where each device's chain stands."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from host_bridge.ledger.bulk import Bulk, Query, among
from host_bridge.ledger.open import row_lock
from host_bridge.ledger.schema import devices

ENROLLED, SUSPENDED, REVOKED, RETIRED = "enrolled", "suspended", "revoked", "retired"
OUT = (REVOKED, RETIRED)  # nothing in, nothing out
_NO_DIGEST = bytes(32)
AHEAD_MS = 600_000  # no two bridges' clocks differ by as much


@dataclass(slots=True)
class DeviceRow:
    """One device as the ledger has it; columns are described in schema.py."""

    id: str
    site: str
    former_sites: list[str]
    status: str
    signing_public: bytes
    agreement_public: bytes
    certificate: str | None
    keys_version: int
    enrolled_at: int
    spoke_from: str | None = None
    upto: int = 0
    receipt_seq: int = 0
    receipt_digest: bytes = _NO_DIGEST
    newest: int = 0
    quarantined: int = 0
    head_boot: int = 0
    head_connection: int = 0
    head_uptime: int = 0
    head_newest: int = 0
    head_newest_digest: bytes = _NO_DIGEST
    head_digest: bytes = _NO_DIGEST
    head_at: int = 0
    newest_at: int = 0
    adrift: int = 0
    last_record_at: int = 0
    resend_asked_at: int = 0
    resend_asks: int = 0
    command_counter: int = 0
    credential_boot: int = 0
    credential_counter: int = 0
    archived: int = 0
    certificate_until: int | None = None
    bridge_kid: str | None = None

    @property
    def sites(self) -> list[str]:
        """Every site that it was given, today's first."""
        return [self.site, *self.former_sites]

    @property
    def is_out(self) -> bool:
        """Whether it was revoked or retired: nothing of it is taken, nothing said to it."""
        return self.status in OUT

    @property
    def speaks_at(self) -> str:
        """Site in the topic under which it listens."""
        return self.spoke_from or self.site


_NAMES = [field.name for field in fields(DeviceRow)]
_SELECT = sa.select(*(devices.c[name] for name in _NAMES))
_FIXED = {
    "id",
    "former_sites",
    "site",
    "signing_public",
    "agreement_public",
    "certificate",
    "certificate_until",
    "bridge_kid",
    "keys_version",
    "enrolled_at",
    "archived",
}
_MOVING = [name for name in _NAMES if name not in _FIXED]
_SAVE = Bulk(
    sa.update(devices)
    .where(devices.c.id == sa.bindparam("row_id"))
    .values({name: sa.bindparam(f"row_{name}") for name in _MOVING}),
    ["row_id", *(f"row_{name}" for name in _MOVING)],
    each_once=True,
)
_moving = attrgetter("id", *_MOVING)
_LOCK = Query(row_lock(_SELECT.where(among(devices.c.id, "ids")).order_by(devices.c.id)))


def lock(connection: sa.Connection, ids: Iterable[str]) -> dict[str, DeviceRow]:
    """Rows of these devices, locked in order of id until the transaction ends."""
    return {row[0]: _plain(row) for row in _LOCK.run(connection, ids=sorted(ids)).all()}


def get(connection: sa.Connection, device: str) -> DeviceRow | None:
    """One device, unlocked."""
    return next(iter(_rows(connection, _SELECT.where(devices.c.id == device))), None)


def every(connection: sa.Connection) -> list[DeviceRow]:
    """All devices in order of id."""
    return _rows(connection, _SELECT.order_by(devices.c.id))


def undecided(connection: sa.Connection, limit: int) -> list[str]:
    """Devices that have a record above an unpassed seq."""
    statement = sa.select(devices.c.id).where(devices.c.newest > devices.c.upto).limit(limit)
    return list(connection.scalars(statement))


def behind(connection: sa.Connection, silent_since: int, limit: int, now: int) -> list[str]:
    """Devices whose head or newest record shows seqs not passed here, silent since `silent_since` (ms UTC).

    One that was heard after `now` was so before the clock went back.
    """
    statement = (
        sa.select(devices.c.id)
        .where(sa.or_(devices.c.head_newest > devices.c.upto, devices.c.newest > devices.c.upto))
        .where(sa.or_(devices.c.last_record_at <= silent_since, devices.c.last_record_at > now + AHEAD_MS))
        .where(devices.c.status.not_in(OUT))
        .limit(limit)
    )
    return list(connection.scalars(statement))


def insert(connection: sa.Connection, row: DeviceRow) -> None:
    """Add a device."""
    connection.execute(sa.insert(devices), [{name: getattr(row, name) for name in _NAMES}])


def save(connection: sa.Connection, rows: Sequence[DeviceRow]) -> None:
    """Write back all that changes by messages: chain, head, counters, status."""
    _SAVE.run(connection, map(_moving, rows))


def change(connection: sa.Connection, device: str, **values: Any) -> None:
    """Write columns that change by hand: site, keys, status."""
    connection.execute(sa.update(devices).where(devices.c.id == device).values(**values))


def _rows(connection: sa.Connection, statement: sa.Executable) -> list[DeviceRow]:
    return [DeviceRow(*row) for row in connection.execute(statement).all()]


def _plain(row: sa.Row[Any]) -> DeviceRow:
    """From what the driver gives: SQLite's JSON is text."""
    made = DeviceRow(*row)
    if isinstance(made.former_sites, str):
        made.former_sites = [] if made.former_sites == "[]" else json.loads(made.former_sites)
    return made
