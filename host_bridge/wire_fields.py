"""A table of the wire contract as data: fields with their keys and limits, read from and written to a payload."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from itertools import combinations
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar, cast

from host_bridge.cbor_strict import WireError, decode, encode, encode_ordered

VERSION: Final = 1
_MAX_INT: Final = (1 << 63) - 1  # what a ledger can hold in a signed column
_MAX_RANGES: Final = 16
_DIGEST_BYTES: Final = 32

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value must be: `holds` tells, `says` names it to people; `make` and `unmake` give it its Python
    type when read (of a field that is never absent) and take it away before it is written.
    """

    holds: Callable[[Any], bool]
    says: str
    make: Callable[[Any], object] | None = None
    unmake: Callable[[Any], object] | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a table."""

    key: int
    name: str
    rule: Rule
    optional: bool = False


_Check = tuple[int, Callable[[Any], bool], Field]  # key, what its value must be, and its row


def uint(low: int = 0, high: int = _MAX_INT) -> Rule:
    """An unsigned integer in a range, both ends included."""

    def holds(value: object) -> bool:
        return type(value) is int and low <= value <= high

    return Rule(holds, f"an integer from {low} to {high}", unmake=_plain_int)


def octets(low: int, high: int) -> Rule:
    """A byte string of so many bytes."""

    def holds(value: object) -> bool:
        return type(value) is bytes and low <= len(value) <= high

    return Rule(holds, f"{low} to {high} bytes" if low < high else f"{low} bytes")


def text(low: int, high: int) -> Rule:
    """A text of so many bytes of UTF-8."""

    def holds(value: object) -> bool:
        return type(value) is str and low <= _utf8_bytes(value) <= high

    return Rule(holds, f"a text of {low} to {high} bytes of UTF-8")


def matching(pattern: str) -> Rule:
    """A text that a pattern matches whole."""
    whole = re.compile(pattern, re.ASCII)

    def holds(value: object) -> bool:
        return type(value) is str and whole.fullmatch(value) is not None

    return Rule(holds, f"a text like {pattern}")


def member(values: type[IntEnum]) -> Rule:
    """One of an enumeration's numbers."""
    members = {int(item): item for item in values}

    def holds(value: object) -> bool:
        return type(value) is int and value in members

    return Rule(holds, f"a known {values.__name__.lower()}", members.__getitem__, _plain_int)


def _plain_int(value: object) -> object:
    return value if type(value) is int or not isinstance(value, IntEnum) else int(value)


def _utf8_bytes(value: str) -> int:
    try:
        return len(value.encode())
    except UnicodeEncodeError:  # a lone surrogate, which no UTF-8 holds
        return -1


def _is_ranges(value: object) -> bool:
    if not isinstance(value, list):
        return False
    ranges = cast("list[object]", value)
    above = 0
    for item in ranges:
        if not isinstance(item, list) or [type(end) for end in cast("list[object]", item)] != [int, int]:
            return False
        first, last = cast("list[int]", item)
        if not above < first <= last <= _MAX_INT:
            return False
        above = last
    return len(ranges) <= _MAX_RANGES


def _from_ranges(value: list[list[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((first, last) for first, last in value)


def _to_ranges(value: tuple[tuple[int, int], ...]) -> list[list[int]]:
    return [[first, last] for first, last in value]


def _is_text_map(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(key, str) for key in cast("dict[object, object]", value))


SEQ: Final = uint(low=1)
UINT: Final = uint()
DIGEST: Final = octets(_DIGEST_BYTES, _DIGEST_BYTES)
BOOL: Final = Rule(lambda value: type(value) is bool, "true or false")
RANGES: Final = Rule(_is_ranges, f"at most {_MAX_RANGES} ranges, lowest first", _from_ranges, _to_ranges)
MAP: Final = Rule(
    _is_text_map,
    "a map with texts as keys",
    unmake=lambda value: decode(encode(dict(value))),  # sorted, and shown to be plain
)


class Table(Generic[T]):
    """One message's table: the version under key 1, then `fields` in the order of their keys.

    `made` takes the fields' values in that order, None for an absent one. `agree` gives a complaint where
    fields contradict each other.
    """

    def __init__(
        self,
        name: str,
        made: Callable[..., T],
        fields: list[Field],
        agree: Callable[[T], str | None] = lambda _: None,
    ) -> None:
        self._name = name
        self._made = made
        self._fields = fields
        self._agree = agree
        self._keys = [field.key for field in fields]
        self._makers = [(place, field.rule.make) for place, field in enumerate(fields) if field.rule.make]
        self._by_keys: dict[tuple[object, ...], list[_Check]] = {
            (1, *(field.key for field in present)): [(field.key, field.rule.holds, field) for field in present]
            for present in map(self._without, _absences(fields))
        }
        self._writers = [(field, attrgetter(field.name), field.rule.unmake, field.rule.holds) for field in fields]

    def read(self, payload: bytes) -> T:
        """Typed value of a payload; raises WireError `encoding` or `fields`."""
        decoded = decode(payload)
        if not isinstance(decoded, dict):
            raise self._wrong("not a map")
        values = cast("dict[object, object]", decoded)
        present = self._by_keys.get(tuple(values))
        if present is None:
            raise self._wrong(f"another set of keys: {list(values)}")
        if values[1] != VERSION or type(values[1]) is not int:
            raise self._wrong("another version")
        for key, holds, field in present:
            if not holds(values[key]):
                raise self._broken(field)
        items = [values.get(key) for key in self._keys]
        for place, make in self._makers:
            items[place] = make(items[place])
        return self._agreed(self._made(*items))

    def write(self, value: T) -> bytes:
        """Payload of a typed value; raises WireError `encoding` or `fields` where it breaks a limit."""
        values: dict[int, object] = {1: VERSION}
        for field, item_of, unmake, holds in self._writers:
            item: object = item_of(value)
            if item is None and field.optional:
                continue
            if unmake:
                item = unmake(item)
            if not holds(item):
                raise self._broken(field)
            values[field.key] = item
        self._agreed(value)
        return encode_ordered(values)

    def _without(self, absent: tuple[Field, ...]) -> list[Field]:
        return [field for field in self._fields if field not in absent]

    def _broken(self, field: Field) -> WireError:
        return self._wrong(f"{field.name} must be {field.rule.says}")

    def _agreed(self, value: T) -> T:
        complaint = self._agree(value)
        if complaint:
            raise self._wrong(complaint)
        return value

    def _wrong(self, detail: str) -> WireError:
        return WireError("fields", f"{self._name}: {detail}")


def _absences(fields: list[Field]) -> list[tuple[Field, ...]]:
    """Every choice of optional fields that may be absent together."""
    optional = [field for field in fields if field.optional]
    return [chosen for size in range(len(optional) + 1) for chosen in combinations(optional, size)]
