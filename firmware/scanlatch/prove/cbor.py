"""Deterministic CBOR (RFC 8949 4.2.1): written in its one form, and read only in that form."""

from micropython import const

MAX_SIZE = const(4096)  # bytes of any message of the contract
MAX_DEPTH = const(8)  # nested items; the chip's stack ends after 48 calls

_UINT = const(0)
_NINT = const(1)
_BYTES = const(2)
_TEXT = const(3)
_LIST = const(4)
_MAP = const(5)
_TAG = const(6)
_SIMPLE = const(7)

_FALSE = const(20)
_TRUE = const(21)
_NULL = const(22)


class CborError(ValueError):
    """These bytes are not deterministic CBOR, or this value has no place in it.

    Says in a word what was wrong: "size", "rest" (bytes left over), "end" (cut short), "form" (not the shortest,
    or of indefinite length), "depth", "type", "order" (of map keys), "key" (its type), "text" (not UTF-8), "range".
    """


class Tag:
    """A tagged item (major type 6)."""

    def __init__(self, tag, value):
        self.tag = tag
        self.value = value


def dumps(obj):
    """Bytes of an int, bytes, str, list, tuple, dict, bool, None or Tag; anything else raises CborError."""
    out = bytearray()
    _write(out, obj)
    return bytes(out)


def loads(buf):
    """The one item that `buf` holds. Raises CborError unless it is deterministic and nothing is left over."""
    if len(buf) > MAX_SIZE:
        raise CborError("size")
    value, at = _read(buf, 0, MAX_DEPTH)
    if at != len(buf):
        raise CborError("rest")
    return value


def _read(buf, at, depth):
    # The item at `at`, and where it ends.
    if depth == 0:
        raise CborError("depth")
    if at >= len(buf):
        raise CborError("end")
    major = buf[at] >> 5
    argument = buf[at] & 31
    at += 1
    if argument > 23:
        if argument > 27:
            raise CborError("form")
        width = 1 << argument - 24
        if width > len(buf) - at:
            raise CborError("end")
        argument = int.from_bytes(buf[at : at + width], "big")
        if argument < 24 or (width > 1 and argument >> 4 * width == 0):
            raise CborError("form")
        at += width
    if major == _UINT:
        return argument, at
    if major == _NINT:
        return -1 - argument, at
    if major == _SIMPLE:
        if not _FALSE <= argument <= _NULL:
            raise CborError("type")
        return (None if argument == _NULL else argument == _TRUE), at
    if major == _TAG:
        value, at = _read(buf, at, depth - 1)
        return Tag(argument, value), at
    if argument > len(buf) - at:  # every byte, item or pair takes at least one byte
        raise CborError("end")
    if major == _BYTES:
        return bytes(buf[at : at + argument]), at + argument
    if major == _TEXT:
        return _text(bytes(buf[at : at + argument])), at + argument
    if major == _LIST:
        items = []
        for _ in range(argument):
            item, at = _read(buf, at, depth - 1)
            items.append(item)
        return items, at
    return _read_map(buf, at, argument, depth - 1)


def _read_map(buf, at, count, depth):
    pairs = {}
    last = b""
    for _ in range(count):
        start = at
        key, at = _read(buf, at, depth)
        encoded = bytes(buf[start:at])
        if encoded <= last:
            raise CborError("order")
        if encoded[0] >> 5 > _NINT and encoded[0] >> 5 != _TEXT:  # True would overwrite 1
            raise CborError("key")
        last = encoded
        pairs[key], at = _read(buf, at, depth)
    return pairs, at


def _text(raw):
    try:
        text = str(raw, "utf-8")
    except UnicodeError:
        raise CborError("text")
    size = 0
    for char in text:  # MicroPython lets surrogates and overlong forms pass
        code = ord(char)
        if code >> 11 != 0x1B and code <= 0x10FFFF:
            size += 1 + (code > 0x7F) + (code > 0x7FF) + (code > 0xFFFF)
    if size != len(raw):
        raise CborError("text")
    return text


def _write(out, obj):
    if obj is None or obj is True or obj is False:  # before int: True is one of them
        out.append(0xF6 if obj is None else 0xF5 if obj else 0xF4)
    elif isinstance(obj, int):
        _write_head(out, _UINT if obj >= 0 else _NINT, obj if obj >= 0 else -1 - obj)
    elif isinstance(obj, (bytes, bytearray, memoryview)):
        _write_head(out, _BYTES, len(obj))
        out.extend(obj)
    elif isinstance(obj, str):
        raw = obj.encode()
        _write_head(out, _TEXT, len(raw))
        out.extend(raw)
    elif isinstance(obj, (list, tuple)):
        _write_head(out, _LIST, len(obj))
        for item in obj:
            _write(out, item)
    elif isinstance(obj, dict):
        _write_head(out, _MAP, len(obj))
        for key, value in sorted([(dumps(key), value) for key, value in obj.items()]):  # no two keys alike
            out.extend(key)
            _write(out, value)
    elif isinstance(obj, Tag):
        _write_head(out, _TAG, obj.tag)
        _write(out, obj.value)
    else:
        raise CborError("type")


def _write_head(out, major, argument):
    major <<= 5
    if argument < 24:
        out.append(major | argument)
        return
    for power in range(4):  # 1, 2, 4 or 8 bytes
        if argument >> (8 << power) == 0:
            out.append(major | 24 + power)
            out.extend(argument.to_bytes(1 << power, "big"))
            return
    raise CborError("range")
