"""Long lists of values for statements that take a bounded number of them."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa

_Value = TypeVar("_Value")

CHUNK = 500  # values in one statement


def chunks(values: Iterable[_Value]) -> Iterator[list[_Value]]:
    """The values in lists of at most CHUNK; none where there are none."""
    left = iter(values)
    while part := list(islice(left, CHUNK)):
        yield part


def select_many(connection: sa.Connection, statement: sa.Executable, values: Iterable[str]) -> Iterator[Any]:
    """All rows of a statement whose parameter `these` takes a list; without values nothing is asked."""
    for part in chunks(sorted(set(values))):
        yield from connection.execute(statement, {"these": part}).all()
