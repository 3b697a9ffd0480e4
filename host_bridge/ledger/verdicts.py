"""Final verdicts after a pending one: rows, sent until PUBACK and once more after the device's next head."""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from host_bridge.ledger.bulk import Bulk
from host_bridge.ledger.devices import OUT
from host_bridge.ledger.scans import Pair
from host_bridge.ledger.schema import IS_DUE, IS_SENT, devices, scans, verdicts

DUE, SENT, DONE = 0, 1, 2


class Final(NamedTuple):
    """One final verdict with all that its message needs."""

    device: str
    seq: int
    digest: bytes
    outcome: int
    reason: int
    text: str | None
    decided_at: int
    sent: int


_SELECT = sa.select(
    verdicts.c.device,
    verdicts.c.seq,
    scans.c.digest,
    verdicts.c.outcome,
    verdicts.c.reason,
    verdicts.c.text,
    verdicts.c.decided_at,
    verdicts.c.sent,
).join(scans, sa.and_(scans.c.device == verdicts.c.device, scans.c.seq == verdicts.c.seq))
_INSERT = Bulk(sa.insert(verdicts), ["device", "seq", "outcome", "reason", "text", "decided_at", "repeat", "sent"])
_ACKED = Bulk(
    sa.update(verdicts)
    .where(verdicts.c.device == sa.bindparam("of"), verdicts.c.seq == sa.bindparam("at"))
    .values(sent=sa.case((sa.and_(verdicts.c.repeat, verdicts.c.sent == DUE), SENT), else_=DONE)),
    ["of", "at"],
)
_ACKED_AT_ONCE = f"""\
WITH these AS MATERIALIZED (
    SELECT device, seq FROM verdicts
    JOIN unnest(%(of)b::varchar[], %(at)b::bigint[]) AS done (device, seq) USING (device, seq)
    ORDER BY device COLLATE "C", seq FOR UPDATE OF verdicts
)
UPDATE verdicts SET sent = CASE WHEN repeat AND sent = {DUE} THEN {SENT} ELSE {DONE} END
FROM these WHERE verdicts.device = these.device AND verdicts.seq = these.seq"""  # noqa: S608  # numbers of ours


def insert(connection: sa.Connection, finals: Sequence[tuple[Final, bool]]) -> None:
    """Add final verdicts, each with whether its pending one went out."""
    _INSERT.run(
        connection,
        (
            (one.device, one.seq, int(one.outcome), int(one.reason), one.text, one.decided_at, told, DUE)
            for one, told in finals
        ),
    )


def due(connection: sa.Connection, limit: int) -> list[Final]:
    """Those that the broker has not acknowledged yet, oldest first; a device that is out is told nothing."""
    out = sa.select(devices.c.id).where(devices.c.status.in_(OUT))
    statement = _SELECT.where(sa.text(IS_DUE), verdicts.c.device.not_in(out))
    return _finals(connection, statement.order_by(verdicts.c.decided_at).limit(limit))


def after_head(connection: sa.Connection, device: str) -> list[Final]:
    """Those to be sent once more now that this device has sent a head."""
    statement = _SELECT.where(sa.text(IS_SENT), verdicts.c.device == device)
    return _finals(connection, statement.order_by(verdicts.c.seq))


def acknowledged(connection: sa.Connection, pairs: Sequence[Pair]) -> None:
    """The broker has these; on PostgreSQL they are locked in one order, as another bridge may write down the same."""
    if connection.dialect.name != "postgresql":
        _ACKED.run(connection, pairs)
    elif pairs:
        of, at = map(list, zip(*pairs, strict=True))
        connection.exec_driver_sql(_ACKED_AT_ONCE, {"of": of, "at": at})


def _finals(connection: sa.Connection, statement: sa.Executable) -> list[Final]:
    return [Final(*row) for row in connection.execute(statement)]
