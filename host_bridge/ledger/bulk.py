"""Statements for many rows or keys at once: compiled once, and values given to the driver as they are."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter, itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.visitors import replacement_traverse

_Row = tuple[Any, ...]
_Maker = Callable[[_Row], Any]
_PLACE = re.compile(r"%\((\w+)\)s")
_BINARY = r"%(\1)b"  # psycopg: long lists of texts and bytes are dear as text


def many(name: str) -> sa.BindParameter[Any]:
    """A parameter for `in_`: a list of any length, for which the statement is written anew each time."""
    return sa.bindparam(name, expanding=True)


class _Among(FunctionElement[Any]):
    inherit_cache = True


def among(column: sa.ColumnElement[str], name: str) -> sa.ColumnElement[Any]:
    """Whether a text is one of a list that is one parameter; for statements that `Query` runs."""
    return _Among(column, sa.bindparam(name, type_=ARRAY(sa.String)))


@compiles(_Among, "postgresql")
def _any(element: _Among, compiler: Any, **options: Any) -> str:  # pyright: ignore[reportUnusedFunction]
    column, values = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} = ANY({values})"


@compiles(_Among, "sqlite")
def _in(element: _Among, compiler: Any, **options: Any) -> str:  # pyright: ignore[reportUnusedFunction]
    column, values = (compiler.process(one, **options) for one in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608  # both are compiled


class Query:
    """A statement with lists in its parameters; rows come as the driver has them: SQLite's booleans are 0 and 1."""

    def __init__(self, statement: sa.Executable) -> None:
        self._statement: Any = statement
        self._compiled: dict[str, tuple[str, dict[str, Any], list[str] | None]] = {}

    def run(self, connection: sa.Connection, **values: Any) -> sa.CursorResult[Any]:
        """Execute with a value for each parameter; a list for each that `among` takes."""
        text, fixed, places = self._compiled.get(connection.dialect.name) or self._compile(connection.dialect)
        if places is None:
            return connection.exec_driver_sql(text, {**fixed, **values})
        given = {**fixed, **values}
        plain = (json.dumps(one) if isinstance(one, list) else one for one in map(given.__getitem__, places))
        return connection.exec_driver_sql(text, tuple(plain))

    def _compile(self, dialect: sa.Dialect) -> tuple[str, dict[str, Any], list[str] | None]:
        compiled: Any = self._statement.compile(dialect=dialect)
        places: list[str] | None = getattr(compiled, "positiontup", None)
        fixed = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        text = str(compiled) if places is not None else _PLACE.sub(_BINARY, str(compiled))
        found = self._compiled[dialect.name] = text, fixed, places
        return found


class Bulk:
    """An insert or update; `names` are its columns or bound parameters, in the order in which rows give values.

    Values go to the driver as they are: only for columns whose type it takes so, which JSON is not. On PostgreSQL an
    insert is one statement for all rows, and so is an update where `each_once`: no key comes twice, and the rows are
    locked already, else they were locked in any order.
    """

    def __init__(self, statement: sa.Insert | sa.Update, names: Sequence[str], *, each_once: bool = False) -> None:
        self._statement = statement
        self._names = list(names)
        self._as_one = each_once or isinstance(statement, sa.Insert)
        self._compiled: dict[str, tuple[str, _Maker | None, dict[str, Any]]] = {}
        self._values: _Maker = attrgetter(*self._names)

    def run(self, connection: sa.Connection, rows: Iterable[_Row]) -> None:
        """Execute with these rows; with none, nothing is done."""
        text, made, fixed = self._compiled.get(connection.dialect.name) or self._compile(connection.dialect)
        if made is not None:
            values = list(map(made, rows))
            if values:
                connection.exec_driver_sql(text, values)
        elif columns := [list(column) for column in zip(*rows, strict=True)]:
            connection.exec_driver_sql(text, fixed | dict(zip(self._names, columns, strict=True)))

    def run_with(self, connection: sa.Connection, objects: Iterable[Any]) -> None:
        """Execute with objects that have an attribute of each name."""
        self.run(connection, map(self._values, objects))

    def _compile(self, dialect: sa.Dialect) -> tuple[str, _Maker | None, dict[str, Any]]:
        columns = self._names if isinstance(self._statement, sa.Insert) else None
        compiled = self._statement.compile(dialect=dialect, column_keys=columns)
        fixed = {name: value for name, value in (compiled.params or {}).items() if name not in self._names}
        if dialect.name == "postgresql" and self._as_one:
            text, made = self._unnested(dialect, compiled), None
        else:
            text, made = str(compiled), self._maker(compiled, fixed)
        self._compiled[dialect.name] = text, made, fixed
        return text, made, fixed

    def _maker(self, compiled: sa.Compiled, fixed: dict[str, Any]) -> _Maker:
        """Turns a row into what the driver wants, with the constants that stand in the statement itself."""
        names = [*self._names, *fixed]
        rest = tuple(fixed.values())
        places: list[str] | None = getattr(compiled, "positiontup", None)
        if places is None:
            return lambda row: dict(zip(names, row + rest, strict=True))
        pick = itemgetter(*map(names.index, places))
        return (lambda row: pick(row + rest)) if rest else pick

    def _unnested(self, dialect: sa.Dialect, compiled: Any) -> str:
        """The statement over rows that come as one array a column."""
        arrays = [sa.bindparam(name, type_=ARRAY(compiled.binds[name].type)) for name in self._names]
        new = sa.func.unnest(*arrays).table_valued(*self._names, name="new").render_derived()
        if isinstance(self._statement, sa.Insert):
            statement: Any = self._statement.from_select(self._names, sa.select(*new.c))
        else:

            def theirs(element: Any, **_: Any) -> Any:
                mine = isinstance(element, BindParameter) and element.key in self._names
                return new.c[element.key] if mine else None

            statement = replacement_traverse(self._statement, {}, theirs)
        return _PLACE.sub(_BINARY, str(statement.compile(dialect=dialect)))
