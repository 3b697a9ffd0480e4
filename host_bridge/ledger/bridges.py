"""Rows of the bridges that share the ledger: when each was last at work; and what they may have left unsaid."""

from collections.abc import Iterable

import sqlalchemy as sa

from host_bridge.ledger.scans import Pair
from host_bridge.ledger.schema import devices, metadata, scans
from host_bridge.wire import Outcome

bridges = sa.Table(
    "bridges",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),  # its client id at the broker
    sa.Column("seen_at", sa.BigInteger, nullable=False),
    sa.Column("kids", sa.Text),  # ids of the agreement keys that it holds, hex, parted by blanks
)

_BACK = 1_000  # seqs of a device that are looked at: more than it sends in the time that is asked about


def seen(connection: sa.Connection, name: str, now: int, kids: Iterable[str] = ()) -> None:
    """The bridge `name` is at work, and holds the agreement keys of these ids."""
    values = {"seen_at": now, "kids": " ".join(sorted(kids))}
    if connection.execute(sa.update(bridges).where(bridges.c.name == name).values(values)).rowcount == 0:
        connection.execute(sa.insert(bridges), [{"name": name, **values}])


def every(connection: sa.Connection) -> dict[str, int]:
    """When each bridge that did not leave was last at work, ms UTC."""
    return {row.name: row.seen_at for row in connection.execute(sa.select(bridges))}


def kids(connection: sa.Connection, since: int) -> dict[str, frozenset[str]]:
    """Ids of the agreement keys that each bridge holds which was at work at `since` (ms UTC) or later."""
    statement = sa.select(bridges.c.name, bridges.c.kids).where(bridges.c.seen_at >= since)
    return {name: frozenset((held or "").split()) for name, held in connection.execute(statement).all()}


def forget(connection: sa.Connection, name: str, seen_at: int) -> None:
    """The bridge `name` left, or is dead and cared for; unless it was at work since."""
    connection.execute(sa.delete(bridges).where(bridges.c.name == name, bridges.c.seen_at <= seen_at))


def decided_since(connection: sa.Connection, since: int) -> list[Pair]:
    """Records whose first verdict was their last, and was made at `since` (ms UTC) or later, whoever made it."""
    active = sa.select(devices.c.id, devices.c.upto).where(devices.c.last_record_at >= since)
    found: list[Pair] = []
    for device, upto in connection.execute(active).all():
        statement = sa.select(scans.c.seq).where(
            scans.c.device == device,
            scans.c.seq.between(upto - _BACK, upto),
            scans.c.decided_at >= since,
            scans.c.outcome != Outcome.PENDING,
        )
        found += [(device, seq) for seq in connection.scalars(statement.order_by(scans.c.seq))]
    return found
