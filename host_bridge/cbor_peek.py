"""What can be read of CBOR that no decoder is to be trusted with: its heads are walked, and nothing is built."""

from typing import Final

_UINT, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = 0, 2, 3, 4, 5, 6, 7
_BREAK: Final = -1
_MAX_DEPTH: Final = 16
_SIMPLES: Final = (20, 21, 22)  # false, true, null


class _NotWellFormedError(Exception):
    """The bytes are not one well-formed CBOR item (RFC 8949 5.3.1)."""


def find(data: bytes, key: int) -> int | bytes | None:
    """Value of an unsigned key in a map in any well-formed encoding.

    None where the bytes are not exactly one well-formed map, where the key is missing or stands twice, and
    where its value is neither an unsigned integer nor a definite byte string.
    """
    try:
        values = _values(data, key)
    except (_NotWellFormedError, IndexError):
        return None
    return values[0] if len(values) == 1 else None


def payload(message: bytes) -> bytes | None:
    """Third item of a tagged array, as a COSE message has its payload there; None where that is no byte string."""
    try:
        tag, _, at = _head(message, 0)
        major, count, at = _head(message, at)
        if tag != _TAG or major != _ARRAY or (count is not None and count < 3):
            return None
        start = _skip_value(message, _skip_value(message, at, _MAX_DEPTH), _MAX_DEPTH)
        _skip_value(message, start, _MAX_DEPTH)  # it is all there
        found = _scalar(message, start)
    except (_NotWellFormedError, IndexError):
        return None
    return found if isinstance(found, bytes) else None


def is_plain(data: bytes) -> bool:
    """Whether these are well-formed items without tags, floats and indefinite lengths, nested 16 deep at most."""
    left = [1]  # items to come, on each level
    at = 0
    try:
        while left:
            if left[-1] == 0:
                left.pop()
                continue
            left[-1] -= 1
            major, argument, at = _head(data, at)
            if argument is None or major == _TAG or (major == _SIMPLE and argument not in _SIMPLES):
                return False
            if major in (_BYTES, _TEXT):
                at += argument
            elif major in (_ARRAY, _MAP):
                left.append(argument * (2 if major == _MAP else 1))
            if len(left) > _MAX_DEPTH or at > len(data):
                return False
    except (_NotWellFormedError, IndexError):
        return False
    return at == len(data)


def _values(data: bytes, key: int) -> list[int | bytes | None]:
    major, count, at = _head(data, 0)
    if major != _MAP:
        raise _NotWellFormedError
    found: list[int | bytes | None] = []
    left = -1 if count is None else count  # -1: until the break
    while left:
        after_key = _skip(data, at, _MAX_DEPTH)
        if after_key == _BREAK and count is None:
            at += 1
            break
        if after_key == _BREAK:
            raise _NotWellFormedError
        key_major, argument, _ = _head(data, at)
        at = _skip_value(data, after_key, _MAX_DEPTH)
        if key_major == _UINT and argument == key:
            found.append(_scalar(data, after_key))
        left -= 1
    if at != len(data):
        raise _NotWellFormedError
    return found


def _scalar(data: bytes, at: int) -> int | bytes | None:
    major, argument, at = _head(data, at)
    if major == _UINT:
        return argument
    if major == _BYTES and argument is not None:
        return data[at : at + argument]
    return None


def _head(data: bytes, at: int) -> tuple[int, int | None, int]:
    """Major type, argument (None: indefinite) and where the content starts."""
    major, low = data[at] >> 5, data[at] & 31
    at += 1
    if low < 24:
        return major, low, at
    if low < 28:
        size = 1 << (low - 24)
        if at + size > len(data):
            raise _NotWellFormedError
        return major, int.from_bytes(data[at : at + size]), at + size
    if low == 31 and major in (_BYTES, _TEXT, _ARRAY, _MAP, _SIMPLE):
        return major, None, at
    raise _NotWellFormedError


def _skip_value(data: bytes, at: int, depth: int) -> int:
    end = _skip(data, at, depth)
    if end == _BREAK:
        raise _NotWellFormedError
    return end


def _skip(data: bytes, at: int, depth: int) -> int:
    """End of the item that starts at `at`, or _BREAK where a break stands there."""
    if depth == 0:
        raise _NotWellFormedError
    major, argument, start = _head(data, at)
    if argument is None:
        return _BREAK if major == _SIMPLE else _skip_indefinite(data, start, major, depth)
    if major in (_BYTES, _TEXT):
        if start + argument > len(data):
            raise _NotWellFormedError
        return start + argument
    if major == _SIMPLE and data[at] == 0xF8 and argument < 32:
        raise _NotWellFormedError
    items = {_ARRAY: argument, _MAP: 2 * argument, _TAG: 1}.get(major, 0)
    for _ in range(items):
        start = _skip_value(data, start, depth - 1)
    return start


def _skip_indefinite(data: bytes, at: int, major: int, depth: int) -> int:
    """End of the break that closes an indefinite string, array or map whose content starts at `at`."""
    items = 0
    while True:
        chunk, length, _ = _head(data, at)
        if chunk == _SIMPLE and length is None:
            if major == _MAP and items % 2:
                raise _NotWellFormedError
            return at + 1
        if major in (_BYTES, _TEXT) and (chunk != major or length is None):
            raise _NotWellFormedError
        at = _skip_value(data, at, depth - 1)
        items += 1
