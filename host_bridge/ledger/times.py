"""When records were captured, as the bridge has worked it out, and what it can work that out from."""

from collections.abc import Iterable
from typing import Final, NamedTuple

import sqlalchemy as sa

from host_bridge.ledger.bulk import Bulk
from host_bridge.ledger.schema import UNTIMED, heads, scans

# How a record's time was found: values of scans.corrected_by; null where it came before there was such a column.
GIVEN: Final = "given"  # what the terminal's clock said
UPTIME: Final = "uptime"  # by its uptime: something else of the same boot has a time
NEIGHBOURS: Final = "neighbours"  # the middle of what the records and heads around it leave open
RECEIPT: Final = "receipt"  # when it came: nothing else is known
FIRM: Final = (GIVEN, UPTIME)
HOW: Final = (*FIRM, NEIGHBOURS, RECEIPT)
_MOST = 10_000  # records looked at again in one go; a ring holds half as many


class Row(NamedTuple):
    """One record as far as its time goes."""

    seq: int
    message: bytes
    captured_at: int
    received_at: int
    corrected_at: int | None
    corrected_by: str | None


_ROWS = sa.select(*(scans.c[name] for name in Row._fields))
_BY = sa.func.coalesce(scans.c.corrected_by, GIVEN)
_CORRECT = Bulk(
    sa.update(scans)
    .where(scans.c.device == sa.bindparam("of"), scans.c.seq == sa.bindparam("at"))
    .values(corrected_at=sa.bindparam("when"), corrected_by=sa.bindparam("by")),
    ["of", "at", "when", "by"],
)


def unplaced(connection: sa.Connection, device: str) -> list[Row]:
    """A device's records whose time is only bounded, or that of their receipt."""
    return _untimed(connection, device, scans.c.corrected_by.in_((NEIGHBOURS, RECEIPT)))


def by_uptime(connection: sa.Connection, device: str) -> list[Row]:
    """A device's records whose time was found by their uptime."""
    return _untimed(connection, device, scans.c.corrected_by == UPTIME)


def beside(connection: sa.Connection, device: str, seq: int, way: int) -> Row | None:
    """The next record below (way -1) or above (1) a seq that has a time; below, a bounded one will do."""
    mine = _ROWS.where(scans.c.device == device, scans.c.captured_at.is_not(None))
    if way < 0:
        statement = mine.where(scans.c.seq < seq, _BY != RECEIPT).order_by(scans.c.seq.desc())
    else:
        statement = mine.where(scans.c.seq > seq, _BY.in_(FIRM)).order_by(scans.c.seq)
    row = connection.execute(statement.limit(1)).first()
    return None if row is None else Row(*row)


def start_heard(connection: sa.Connection, device: str, boot: int, but: int | None = None) -> int | None:
    """The latest that a boot can have begun, ms UTC, by its heads, without those of uptime `but`."""
    statement = sa.select(sa.func.min(heads.c.received_at - heads.c.uptime)).where(
        heads.c.device == device, heads.c.boot == boot
    )
    return connection.scalar(statement if but is None else statement.where(heads.c.uptime != but))


def next_boot(connection: sa.Connection, device: str, boot: int) -> int | None:
    """The next boot of a device that a head came from."""
    statement = sa.select(sa.func.min(heads.c.boot)).where(heads.c.device == device, heads.c.boot > boot)
    return connection.scalar(statement)


def correct(connection: sa.Connection, device: str, found: Iterable[tuple[int, int, str]]) -> None:
    """Write down (seq, ms UTC, how) of records that are stored."""
    _CORRECT.run(connection, [(device, *one) for one in found])


def _untimed(connection: sa.Connection, device: str, which: sa.ColumnElement[bool]) -> list[Row]:
    statement = _ROWS.where(scans.c.device == device, sa.text(UNTIMED), which)
    rows = connection.execute(statement.order_by(scans.c.seq.desc()).limit(_MOST)).all()
    return [Row(*row) for row in reversed(rows)]
