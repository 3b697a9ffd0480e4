"""Where boxes lie: the site that received them and has not sold, returned or sent them on since."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from host_bridge.ledger.bulk import Bulk
from host_bridge.ledger.codes import FREE
from host_bridge.ledger.schema import codes

_NAMES = ["code", "state", "since", "stock"]
_HERE = sa.select(codes.c.code).where(codes.c.stock == sa.bindparam("at"), codes.c.stock.is_not(None))


def _moving(insert: "sqlite.Insert | postgresql.Insert") -> Bulk:
    return Bulk(insert.on_conflict_do_update(index_elements=["code"], set_={"stock": insert.excluded.stock}), _NAMES)


_MOVE = {"sqlite": _moving(sqlite.insert(codes)), "postgresql": _moving(postgresql.insert(codes))}


def move(connection: sa.Connection, moved: Iterable[tuple[str, str | None]], now: int = 0) -> None:
    """Each code now lies at this site, or nowhere (None). One never seen gets a row, free since `now` (ms UTC)."""
    rows = [(code, FREE, now, site) for code, site in sorted(dict(moved).items())]
    _MOVE[connection.dialect.name].run(connection, rows)


def at(connection: sa.Connection, site: str) -> list[str]:
    """All codes that lie at a site."""
    return list(connection.scalars(_HERE, {"at": site}))
