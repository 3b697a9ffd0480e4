"""What pydantic finds wrong with a board's tables, in words: key, value, and what is allowed."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Any, cast

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from scanlatch_tools.boards.schema import Board, allowed, kind_of, model_of, unit, variants
from scanlatch_tools.texts import N_, _

_MISSING = ("missing", "union_tag_not_found")
_TYPES = {"int_type": N_("a whole number"), "string_type": N_("text"), "bool_type": N_("true or false")}


def wrong_keys(tables: dict[str, Any], *, whole: bool = True) -> Iterator[str]:
    """What is wrong with the keys of a board file, one sentence each.

    whole: nothing more comes, so a key that is missing is wrong, too.
    """
    try:
        Board.model_validate(tables)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            if whole or found["type"] not in _MISSING:
                yield _sentence(tables, found)


def nearest(key: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: which one may be meant, or which there are."""
    names = list(known)
    near = difflib.get_close_matches(key, names, 1, 0.6)
    return (
        _("; did you mean {name}?").format(name=near[0])
        if near
        else _("; use one of {names}").format(names=", ".join(names))
    )


def _sentence(tables: dict[str, Any], error: ErrorDetails) -> str:
    table, *rest = (str(part) for part in error["loc"])
    key = f"{table}.{rest[-1]}" if rest else table  # a table with kinds has the kind in between
    value = error["input"]
    what = error["type"]
    if what == "missing":
        return _("{key} is missing").format(key=key)
    if what == "extra_forbidden":
        return _("{key} is not known{nearest}").format(
            key=key, nearest=nearest(rest[-1] if rest else table, _known(tables, table if rest else None))
        )
    if what == "union_tag_not_found" and isinstance(value, dict):
        return _("{key} is missing").format(key=f"{table}.kind")
    if what == "union_tag_invalid":
        kind = cast(dict[str, Any], value)["kind"]
        return _("{key} is {value!r}: use one of {field}").format(
            key=f"{table}.kind", value=kind, field=", ".join(str(kind_of(m)) for m in variants(table))
        )
    if not rest:
        return _("{table} must be a table").format(table=table)
    field = _field(tables, table, rest[-1])
    if what == "literal_error":
        return _("{key} is {value!r}: use one of {field}").format(key=key, value=value, field=allowed(field))
    if what in _TYPES:
        return _("{key} is {value!r}: it must be {types}").format(key=key, value=value, types=_(_TYPES[what]))
    if what == "multiple_of":
        return _("{key} is {value}: it must be a multiple of 4").format(key=key, value=value)
    of = "" if unit(field) in ("", "GPIO") else f" {_(unit(field))}"
    return _("{key} is {value!r}: use {field}{of}").format(key=key, value=value, field=allowed(field), of=of)


def _known(tables: dict[str, Any], table: str | None) -> list[str]:
    if table is None:
        return list(Board.model_fields)
    model = model_of(table, tables[table])
    return list(model.model_fields) if model else ["kind"]


def _field(tables: dict[str, Any], table: str, key: str) -> FieldInfo:
    model = model_of(table, tables[table]) or variants(table)[0]
    return model.model_fields[key]
