"""Deterministic CBOR (RFC 8949 4.2.1) to plain values, refusing every other encoding of them."""

import re
from typing import Final, cast

import cbor2

from host_bridge.cbor_peek import is_plain

MAX_DEPTH: Final = 8  # containers inside each other; the contract needs four
_BITS_64: Final = 1 << 64
_READ: Final = 512  # bytes that the decoder takes at once; by itself it takes one
# Tags for which cbor2 works longer than their bytes are long: values shared (28, 29), which a handful of bytes can make
# a tree of any size, and regular expressions (35). Random bytes look so once in two hundred messages.
_COSTLY: Final = re.compile(rb"[\xd8-\xdb]\x00{0,7}[\x1c\x1d\x23]")
_SCALARS: Final = frozenset({bytes, str, bool, type(None)})


class WireError(Exception):
    """Bytes that the contract does not know.

    `why` is one machine word for counters: `size`, `frame`, `kid`, `signature`, `mac`, `key` (the proof does
    not hold), `encoding` (not deterministic CBOR) or `fields` (not what the contract's table says).
    `detail` is for people and never holds the bytes themselves.
    """

    def __init__(self, why: str, detail: str) -> None:
        super().__init__(f"{why}: {detail}")
        self.why = why
        self.detail = detail


def encode(value: object) -> bytes:
    """Plain value to deterministic CBOR. Keys of a map must be all unsigned integers or all texts.

    Raises:
        WireError: `encoding` for what CBOR cannot hold.
    """
    # cbor2 sorts keys by length first (RFC 7049 3.9); among integers alone or texts alone that is bytewise order.
    return _dumped(value, in_order=False)


def encode_ordered(value: dict[int, object]) -> bytes:
    """The same of a map whose keys are in order, and those of maps within it: nothing is sorted."""
    return _dumped(value, in_order=True)


def _dumped(value: object, *, in_order: bool) -> bytes:
    try:
        return cbor2.dumps(value, canonical=not in_order)
    except (cbor2.CBOREncodeError, RecursionError) as error:
        raise WireError("encoding", f"not to be written as CBOR ({type(error).__name__})") from error


def decode(data: bytes) -> object:
    """Deterministic CBOR to int, bytes, str, bool, None, list and dict.

    Raises:
        WireError: `encoding` for anything else: floats, tags, other simple values, longer or indefinite
            lengths, keys doubled, mixed or out of bytewise order, bytes left over.
    """
    if _COSTLY.search(data) and not is_plain(data):
        raise WireError("encoding", "a tag has no place here")
    try:
        value: object = cbor2.loads(data, read_size=_READ)
    except Exception as error:
        raise WireError("encoding", f"not CBOR that we take ({type(error).__name__})") from error
    _check(value, MAX_DEPTH)
    # Order is checked above, so writing the same value again shows every other freedom that was taken.
    if cbor2.dumps(value) != data:
        raise WireError("encoding", "not the shortest form, a key twice, or bytes left over")
    return value


def _check(value: object, depth: int) -> None:
    kind = type(value)
    if kind in _SCALARS:
        return
    if isinstance(value, int):
        if not -_BITS_64 <= value < _BITS_64:
            raise WireError("encoding", "an integer beyond 64 bits")
        return
    if depth == 0:
        raise WireError("encoding", f"more than {MAX_DEPTH} containers inside each other")
    if isinstance(value, dict):
        entries = cast("dict[object, object]", value)
        _check_order(list(entries))
        items = list(entries.values())
    elif isinstance(value, list):
        items = cast("list[object]", value)
    else:
        raise WireError("encoding", f"a {kind.__name__} has no place here")
    for item in items:
        kind = type(item)
        if kind in _SCALARS or (kind is int and 0 <= item < _BITS_64):  # pyright: ignore[reportOperatorIssue]
            continue  # most of what a scan holds, without a call
        _check(item, depth - 1)


def _check_order(keys: list[object]) -> None:
    kinds = {type(key) for key in keys}
    if kinds <= {int}:
        numbers = cast("list[int]", keys)
        ordered = numbers == sorted(numbers) and min(numbers, default=0) >= 0
    elif kinds == {str}:
        written = [cast("str", key).encode() for key in keys]
        ordered = written == sorted(written, key=lambda key: (len(key), key))
    else:
        raise WireError("encoding", "keys that are neither all unsigned integers nor all texts")
    if not ordered:
        raise WireError("encoding", "keys out of order")
