"""What is kept beside the records: quarantined messages, second bytes of a seq, heads."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from host_bridge.ledger.schema import conflicts, heads, quarantine


def quarantined(connection: sa.Connection, digests: Sequence[bytes]) -> dict[bytes, tuple[str, bytes]]:
    """Device and message of each of these that is in quarantine."""
    statement = sa.select(quarantine.c.digest, quarantine.c.device, quarantine.c.message)
    rows = connection.execute(statement.where(quarantine.c.digest.in_(digests)))
    return {row.digest: (row.device, row.message) for row in rows}


def quarantine_size(connection: sa.Connection, device: str) -> int:
    """How many messages under this device's name are in quarantine."""
    return connection.scalar(sa.select(sa.func.count()).where(quarantine.c.device == device)) or 0


def put_in_quarantine(
    connection: sa.Connection, digest: bytes, device: str, kind: str, message: bytes, why: str, now: int
) -> bool:
    """Keep a message that claims nothing; False where another bridge has just done so."""
    row = {"digest": digest, "device": device, "kind": kind, "message": message, "why": why, "received_at": now}
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    put = insert(quarantine).values(row).on_conflict_do_nothing().returning(quarantine.c.digest)
    return connection.execute(put).first() is not None


def has_conflict(connection: sa.Connection, device: str, seq: int, digest: bytes) -> bool:
    """True where these second bytes of the seq are known already."""
    statement = sa.select(conflicts.c.seq).where(
        conflicts.c.device == device, conflicts.c.seq == seq, conflicts.c.digest == digest
    )
    return connection.execute(statement).first() is not None


def add_conflict(connection: sa.Connection, device: str, seq: int, digest: bytes, message: bytes, now: int) -> None:
    """Keep other bytes of a used seq beside the first."""
    connection.execute(
        sa.insert(conflicts),
        [{"device": device, "seq": seq, "digest": digest, "message": message, "received_at": now}],
    )


def add_head(connection: sa.Connection, device: str, place: tuple[int, int, int], message: bytes, now: int) -> None:
    """Keep an accepted head; `place` is its (boot, connection, uptime)."""
    boot, link, uptime = place
    connection.execute(
        sa.insert(heads),
        [
            {
                "device": device,
                "boot": boot,
                "connection": link,
                "uptime": uptime,
                "message": message,
                "received_at": now,
            }
        ],
    )
