# Links: the code that one carries, by GS1 Digital Link or by a site's patterns. docs/codes.md says which.
from micropython import const
from scanlatch.read.digits import begins, check_digit_holds
from scanlatch.read.pattern import match

_ENDS = const(b"/?&=#")  # of a piece
_HEX = b"0123456789ABCDEFabcdef"
_KEYS = ("22", "10", "21")  # behind a GTIN, in this order (GS1 Digital Link URI syntax)
_PEOPLE = const((b"8017", b"8018"))  # GSRN: of who gives care, of who gets it


def is_link(data):
    """Whether `data` is one, of the web."""
    return data[:8].lower() == b"https://" or data[:7].lower() == b"http://"


def fields(data):
    """{application identifier: value} of a GS1 Digital Link, uncompressed; None where `data` is none.

    Values are text, not percent-encoded. Only what is on the path: what it says of one box.
    """
    path = _path(data)
    at = path.find(b"/01/")
    while at >= 0:
        gtin, after = _segment(path, at + 4)
        if len(gtin) in (8, 12, 13, 14) and gtin.isdigit() and check_digit_holds(gtin):
            found = {"01": "0" * (14 - len(gtin)) + str(gtin, "ascii")}
            return _qualified(path, after, found)
        at = path.find(b"/01/", at + 3)
    for key in (b"00",) + _PEOPLE:
        at = path.find(b"/" + key + b"/")
        if at >= 0:
            value, after = _segment(path, at + len(key) + 2)
            if len(value) == 18 and value.isdigit() and check_digit_holds(value):
                return {str(key, "ascii"): str(value, "ascii")}
    return None


def beside(data, key):
    """What stands in a GS1 Digital Link before and behind what it says of its box. key: what that begins with."""
    stop = min(_first(data, 8, b"?"), _first(data, 8, b"#"))
    return data[: data.rfind(key, 0, stop)] + data[stop:]


def _qualified(path, at, found):
    # What stands behind the GTIN, up to the path's end; None where that is no Digital Link.
    order = 0
    while at + 1 < len(path):
        name, at = _segment(path, at + 1)
        value, at = _segment(path, at + 1)
        value = decoded(value)
        while order < 3 and bytes(_KEYS[order], "ascii") != name:
            order += 1
        if order == 3 or value is None or not match("{x1-20}", value):
            return None
        found[_KEYS[order]] = str(value, "ascii")
        order += 1
    return found


def pieces(data):
    """Where what stands between the link's delimiters begins and ends, the host first."""
    start = data.find(b"//") + 2
    for at in range(start, len(data)):
        if data[at] in _ENDS:
            if at > start:
                yield start, at
            start = at + 1
    if start < len(data):
        yield start, len(data)


def code(data, patterns, first):
    """The code in a link, as `patterns` say where it stands; None where none of them finds one, or two do others.

    "*": the piece of the link that is twenty digits, if there is just one, wherever it stands.
    """
    found = None
    path = _path(data)
    for pattern in patterns:
        one = _twenty(data, first) if pattern == "*" else _by_pattern(data, path, bytes(pattern, "utf-8"))
        if one:
            if found is not None and found != one:
                return None
            found = one
    return found


def _twenty(data, first):
    found = None
    for start, stop in pieces(data):
        if stop - start == 20:
            piece = data[start:stop]
            if piece.isdigit() and begins(piece, first):
                if found is not None and found != piece:
                    return None
                found = piece
    return found


def _by_pattern(data, path, pattern):
    # host/segment/.../{code} or host/segment?name={code}; "*" is any segment or host, "*.name" any host below it.
    wanted, _, name = pattern.partition(b"?")
    host, wanted_at = _segment(wanted, 0)
    here, at = _segment(path, 0)
    here = here.lower()
    if host != b"*" and (here[1 - len(host) :] != host[1:] if host[:2] == b"*." else here != host):
        return None
    found = None
    while wanted_at < len(wanted):
        if at == len(path):
            return None
        segment, wanted_at = _segment(wanted, wanted_at + 1)
        here, at = _segment(path, at + 1)
        if segment == b"{code}":
            found = here
        elif segment not in (b"*", here):
            return None
    if at < len(path):
        return None
    if name:
        found = _parameter(data, name[: name.find(b"=") + 1])
    return decoded(found) if found else None


def _parameter(data, name):
    # Value of `name` ("c="), where it stands once.
    found = None
    stop = _first(data, data.find(b"?"), b"#") if b"?" in data else 0
    at = data.find(b"?") + 1
    while 0 < at < stop:
        end = data.find(b"&", at, stop)
        if end < 0:
            end = stop
        if data[at : at + len(name)] == name:
            if found is not None:
                return None
            found = data[at + len(name) : end]
        at = end + 1
    return found


def _path(data):
    # Host and path.
    start = data.find(b"//") + 2
    return data[start : min(_first(data, start, b"?"), _first(data, start, b"#"))]


def _first(data, at, sign):
    at = data.find(sign, at)
    return len(data) if at < 0 else at


def _segment(path, at):
    # From `at` to the next "/" or the end, and where that is.
    stop = _first(path, at, b"/")
    return path[at:stop], stop


def decoded(value):
    """`value` without percent-encoding (RFC 3986 2.1); None where that is broken."""
    if value.find(b"%") < 0:
        return value
    plain = bytearray()
    at = 0
    while at < len(value):
        byte = value[at]
        at += 1
        if byte == 0x25:
            if at + 2 > len(value) or value[at] not in _HEX or value[at + 1] not in _HEX:
                return None
            byte = int(value[at : at + 2], 16)
            at += 2
        plain.append(byte)
    return bytes(plain)
