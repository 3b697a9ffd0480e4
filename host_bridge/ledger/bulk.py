"""Statements for many rows at once: compiled once, their values given as tuples, without a dictionary a row."""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter, itemgetter
from typing import Any

import sqlalchemy as sa

_Row = tuple[Any, ...]
_Maker = Callable[[_Row], Any]


def many(name: str) -> sa.BindParameter[Any]:
    """A parameter for `in_`: a list of any length."""
    return sa.bindparam(name, expanding=True)


class Bulk:
    """An insert or update; `names` are its columns or bound parameters, in the order in which rows give values.

    Values go to the driver as they are: only for columns whose type it takes so, which JSON is not.
    """

    def __init__(self, statement: sa.Insert | sa.Update, names: Sequence[str]) -> None:
        self._statement = statement
        self._names = list(names)
        self._compiled: dict[str, tuple[str, _Maker]] = {}
        self._values: _Maker = attrgetter(*self._names)

    def run(self, connection: sa.Connection, rows: Iterable[_Row]) -> None:
        """Execute with these rows; with none, nothing is done."""
        text, made = self._for(connection.dialect)
        values = list(map(made, rows))
        if values:
            connection.exec_driver_sql(text, values)

    def run_with(self, connection: sa.Connection, objects: Iterable[Any]) -> None:
        """Execute with objects that have an attribute of each name."""
        self.run(connection, map(self._values, objects))

    def _for(self, dialect: sa.Dialect) -> tuple[str, _Maker]:
        found = self._compiled.get(dialect.name)
        if found is None:
            columns = self._names if isinstance(self._statement, sa.Insert) else None
            compiled = self._statement.compile(dialect=dialect, column_keys=columns)
            found = self._compiled[dialect.name] = str(compiled), self._maker(compiled)
        return found

    def _maker(self, compiled: sa.Compiled) -> _Maker:
        """Turns a row into what the driver wants, with the constants that stand in the statement itself."""
        fixed = {name: value for name, value in (compiled.params or {}).items() if name not in self._names}
        names = [*self._names, *fixed]
        rest = tuple(fixed.values())
        places: list[str] | None = getattr(compiled, "positiontup", None)
        if places is None:
            return lambda row: dict(zip(names, row + rest, strict=True))
        pick = itemgetter(*map(names.index, places))
        return (lambda row: pick(row + rest)) if rest else pick
