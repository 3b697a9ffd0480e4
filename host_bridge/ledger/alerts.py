"""What a person has to look into: opened once, closed when it is over."""

from dataclasses import dataclass

import sqlalchemy as sa

from host_bridge.ledger.schema import alerts

LOST = "lost"  # seqs that the device says its flash lost
CONFLICT = "conflict"  # a valid signature on a used seq with other bytes
QUARANTINE = "quarantine"  # a message that claims nothing
CHAIN = "chain"  # a record does not name the digest of the one before it
WENT_BACK = "went-back"  # the device's journal is older than the ledger: wiped, or a copy
BEHIND = "behind"  # the device has records that neither it sent nor the ledger has: restored ledger?
CLOCK = "clock"
SOLD_ELSEWHERE = "sold-elsewhere"  # a box was presented that another site has sold: one for each site
UPDATE = "update"  # an update was stopped, since too many terminals of a group did not take it
REPEATED = "repeated"  # a box was presented for sale again and again where it was sold


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert; seqs from `first` to `last`, both included."""

    id: int
    kind: str
    device: str
    first: int
    last: int
    detail: str
    opened_at: int
    closed_at: int | None
    site: str | None = None  # whom it concerns, where that is not the device's own site of today


_SELECT = sa.select(*(alerts.c[name] for name in Alert.__dataclass_fields__))


def open_alert(
    connection: sa.Connection,
    kind: str,
    device: str,
    first: int,
    last: int,
    detail: str,
    now: int,
    site: str | None = None,
) -> None:
    """Open an alert, unless the very same is open."""
    same = _SELECT.where(_open_of(device, kind), alerts.c.first == first, alerts.c.last == last)
    if connection.execute(same).first() is None:
        values = {"kind": kind, "device": device, "first": first, "last": last, "detail": detail, "opened_at": now}
        connection.execute(sa.insert(alerts), [{**values, "site": site}])


def found_again(connection: sa.Connection, device: str, seq: int, now: int) -> None:
    """A record came that was declared lost: its alert closes; what is still lost of the range stays open."""
    rows = connection.execute(_SELECT.where(_open_of(device, LOST), alerts.c.first <= seq, alerts.c.last >= seq))
    for alert in [Alert(*row) for row in rows]:
        connection.execute(sa.update(alerts).where(alerts.c.id == alert.id).values(closed_at=now))
        for first, last in ((alert.first, seq - 1), (seq + 1, alert.last)):
            if first <= last:
                open_alert(connection, LOST, device, first, last, alert.detail, alert.opened_at)


def close_up_to(connection: sa.Connection, kind: str, device: str, upto: int, now: int) -> None:
    """Close what is over once every seq up to `upto` is passed."""
    connection.execute(
        sa.update(alerts)
        .where(alerts.c.device == device, alerts.c.kind == kind, alerts.c.closed_at.is_(None), alerts.c.last <= upto)
        .values(closed_at=now)
    )


def close(connection: sa.Connection, kind: str, now: int) -> None:
    """Close all of a kind: what they were about is over."""
    mine = alerts.c.kind == kind, alerts.c.closed_at.is_(None)
    connection.execute(sa.update(alerts).where(*mine).values(closed_at=now))


def listed(connection: sa.Connection, device: str | None = None, only_open: bool = True) -> list[Alert]:
    """Alerts, oldest first."""
    statement = _SELECT.order_by(alerts.c.id)
    if device is not None:
        statement = statement.where(alerts.c.device == device)
    if only_open:
        statement = statement.where(alerts.c.closed_at.is_(None))
    return [Alert(*row) for row in connection.execute(statement)]


def _open_of(device: str, kind: str) -> sa.ColumnElement[bool]:
    return sa.and_(alerts.c.device == device, alerts.c.kind == kind, alerts.c.closed_at.is_(None))
