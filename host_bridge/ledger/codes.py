"""Rows of the trace codes: free, claimed by a sale, sold, or opened; and where their boxes lie."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

import sqlalchemy as sa

from host_bridge.ledger.bulk import Bulk, Query, among
from host_bridge.ledger.open import row_lock
from host_bridge.ledger.schema import codes

FREE, CLAIMED, SOLD, OPENED = "free", "claimed", "sold", "opened"
_CHUNK = 500  # codes in one statement


@dataclass(slots=True)
class CodeRow:
    """One code and the sale that holds it; columns are described in schema.py."""

    code: str
    state: str
    device: str | None
    seq: int | None
    site: str | None
    since: int
    stock: str | None = None
    repeats: int = 0
    parts: int = 0
    stored: bool = True  # False: to be inserted


_NAMES = ["code", "state", "device", "seq", "site", "since", "stock", "repeats", "parts"]
_SELECT = sa.select(*(codes.c[name] for name in _NAMES))
_THESE = _SELECT.where(among(codes.c.code, "codes"))
_IN_ORDER = {  # of code points, as Python sorts, whatever the database's own order is: many codes take many statements
    "postgresql": sa.collate(codes.c.code, "C"),
    "sqlite": codes.c.code,
}
_LOCK = {dialect: Query(row_lock(_THESE.order_by(order))) for dialect, order in _IN_ORDER.items()}
_INSERT = Bulk(sa.insert(codes), _NAMES)
_UPDATE = Bulk(
    sa.update(codes)
    .where(codes.c.code == sa.bindparam("of"))
    .values(
        state=sa.bindparam("now_state"),
        device=sa.bindparam("now_device"),
        seq=sa.bindparam("now_seq"),
        site=sa.bindparam("now_site"),
        since=sa.bindparam("now_since"),
        stock=sa.bindparam("now_stock"),
        repeats=sa.bindparam("now_repeats"),
        parts=sa.bindparam("now_parts"),
    ),
    ["of", *(f"now_{name}" for name in _NAMES[1:])],
    each_once=True,
)
_PLACES = (
    "INSERT INTO codes (code, state, since) SELECT code, 'free', %(now)b"
    ' FROM unnest(CAST(%(codes)b AS varchar[])) AS new (code) ORDER BY code COLLATE "C" ON CONFLICT DO NOTHING'
)
_values = attrgetter(*_NAMES)


def lock(connection: sa.Connection, wanted: Iterable[str], now: int) -> dict[str, CodeRow]:
    """Every one of these codes, locked in order until the transaction ends; one never seen is free."""
    ordered = sorted(set(wanted))
    chunks = [ordered[at : at + _CHUNK] for at in range(0, len(ordered), _CHUNK)]
    for chunk in chunks:  # all of them first: none waits for a place while it holds a row that was there
        _hold_place(connection, chunk, now)
    statement = _LOCK[connection.dialect.name]
    found: dict[str, CodeRow] = {}
    for chunk in chunks:
        found.update({row[0]: CodeRow(*row) for row in statement.run(connection, codes=chunk).all()})
    for code in ordered:
        found.setdefault(code, CodeRow(code, FREE, None, None, None, now, None, 0, 0, stored=False))
    return found


def save(connection: sa.Connection, rows: Sequence[CodeRow]) -> None:
    """Write back rows that changed."""
    _INSERT.run(connection, (_values(row) for row in rows if not row.stored))
    _UPDATE.run(connection, (_values(row) for row in rows if row.stored))


def _hold_place(connection: sa.Connection, chunk: Sequence[str], now: int) -> None:
    """Where writers run side by side, a code never seen needs a row before it can be locked."""
    if connection.dialect.name != "postgresql":
        return
    connection.exec_driver_sql(_PLACES, {"codes": chunk, "now": now})
