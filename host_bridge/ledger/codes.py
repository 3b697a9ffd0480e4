"""Rows of the trace codes: free, claimed by a sale, or sold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from host_bridge.ledger.open import row_lock
from host_bridge.ledger.schema import codes

FREE, CLAIMED, SOLD = "free", "claimed", "sold"
_CHUNK = 500  # codes in one statement


@dataclass(slots=True)
class CodeRow:
    """One code and the sale that holds it."""

    code: str
    state: str
    device: str | None
    seq: int | None
    site: str | None
    since: int
    stored: bool = True  # False: to be inserted


_SELECT = sa.select(codes.c.code, codes.c.state, codes.c.device, codes.c.seq, codes.c.site, codes.c.since)
_UPDATE = (
    sa.update(codes)
    .where(codes.c.code == sa.bindparam("of"))
    .values(
        state=sa.bindparam("now_state"),
        device=sa.bindparam("now_device"),
        seq=sa.bindparam("now_seq"),
        site=sa.bindparam("now_site"),
        since=sa.bindparam("now_since"),
    )
)


def lock(connection: sa.Connection, wanted: Iterable[str], now: int) -> dict[str, CodeRow]:
    """Every one of these codes, locked in order until the transaction ends; one never seen is free."""
    ordered = sorted(set(wanted))
    found: dict[str, CodeRow] = {}
    for at in range(0, len(ordered), _CHUNK):
        chunk = ordered[at : at + _CHUNK]
        _hold_place(connection, chunk, now)
        statement = row_lock(_SELECT.where(codes.c.code.in_(chunk)).order_by(codes.c.code))
        found.update({row.code: CodeRow(*row) for row in connection.execute(statement)})
    for code in ordered:
        found.setdefault(code, CodeRow(code, FREE, None, None, None, now, stored=False))
    return found


def save(connection: sa.Connection, rows: Sequence[CodeRow]) -> None:
    """Write back rows that changed."""
    fresh = [row for row in rows if not row.stored]
    known = [row for row in rows if row.stored]
    if fresh:
        values = [
            {
                "code": row.code,
                "state": row.state,
                "device": row.device,
                "seq": row.seq,
                "site": row.site,
                "since": row.since,
            }
            for row in fresh
        ]
        connection.execute(sa.insert(codes), values)
    if known:
        values = [
            {
                "of": row.code,
                "now_state": row.state,
                "now_device": row.device,
                "now_seq": row.seq,
                "now_site": row.site,
                "now_since": row.since,
            }
            for row in known
        ]
        connection.execute(_UPDATE, values)


def _hold_place(connection: sa.Connection, chunk: Sequence[str], now: int) -> None:
    """Where writers run side by side, a code never seen needs a row before it can be locked."""
    if connection.dialect.name != "postgresql":
        return
    rows = [{"code": code, "state": FREE, "since": now} for code in chunk]
    connection.execute(postgresql.insert(codes).on_conflict_do_nothing(), rows)
