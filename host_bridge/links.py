"""The code that a link carries: by GS1 Digital Link, or where a site's patterns say. As the terminals find it."""

import re
from collections.abc import Iterator

from host_bridge.code_rules import TWENTY_ANYWHERE, CodeRules
from host_bridge.gtin import check_digit

_GTIN_ON_PATH = re.compile(rb"(?=/01/([0-9]{8}|[0-9]{12,14})(?:/|\Z))")
_SSCC_ON_PATH = re.compile(rb"/00/([^/]*)")
# GS1 Digital Link URI syntax: the qualifiers of a GTIN, in this order, up to the path's end.
_QUALIFIERS = re.compile(rb"(?:/22/([^/]+))?(?:/10/([^/]+))?(?:/21/([^/]+))?/?\Z")
_EXPIRY = re.compile(rb"[?&]17=([0-9]{6})(?:[&#]|\Z)")
_VALUE = re.compile(rb"[!\"%-?A-Z_a-z]{1,20}\Z")  # set 82
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})?")
_DELIMITERS = re.compile(rb"[/?&=#]")


def digital_link(data: bytes) -> dict[str, str] | None:
    """Elements of a GS1 Digital Link: product (or SSCC), batch, serial, and the expiry of its query; else None."""
    path = _path(data)
    found: dict[str, str] = {}
    for match in _GTIN_ON_PATH.finditer(path):
        gtin = match[1].decode()
        if check_digit(gtin[:-1]) != gtin[-1]:
            continue
        qualifiers = _QUALIFIERS.match(path, match.end(1))
        if qualifiers is None:
            return None
        found["01"] = gtin.zfill(14)
        for ai, value in zip(("22", "10", "21"), qualifiers.groups(), strict=True):
            if value is not None:
                plain = _decoded(value)
                if plain is None or not _VALUE.match(plain):
                    return None
                found[ai] = plain.decode("ascii")
        if expiry := _EXPIRY.search(data):
            found["17"] = expiry[1].decode()
        return found
    unit = _SSCC_ON_PATH.search(path)
    if unit and re.fullmatch(rb"[0-9]{18}", unit[1]) and check_digit(unit[1][:-1].decode()) == unit[1][-1:].decode():
        return {"00": unit[1].decode()}
    return None


def code(data: bytes, rules: CodeRules) -> bytes | None:
    """What stands where the patterns say that the code does, not percent-encoded.

    None where none of them fits, or two find different codes.
    """
    found = {
        one
        for pattern in rules.links
        for one in [_twenty(data, rules) if pattern == TWENTY_ANYWHERE else _by_pattern(data, pattern.encode())]
        if one
    }
    return found.pop() if len(found) == 1 else None


def _twenty(data: bytes, rules: CodeRules) -> bytes | None:
    pieces = {
        piece
        for piece in _DELIMITERS.split(data.partition(b"//")[2])
        if len(piece) == 20 and piece.isdigit() and (not rules.first_digit or chr(piece[0]) in rules.first_digit)
    }
    return pieces.pop() if len(pieces) == 1 else None


def _by_pattern(data: bytes, pattern: bytes) -> bytes | None:
    wanted, _, query = pattern.partition(b"?")
    host, *segments = wanted.split(b"/")
    here, *given = _path(data).split(b"/")
    if host != b"*" and not (here.lower().endswith(host[1:]) if host[:2] == b"*." else here.lower() == host):
        return None
    if len(segments) != len(given):
        return None
    found = b""
    for one, other in zip(segments, given, strict=True):
        if one == b"{code}":
            found = other
        elif one not in (b"*", other):
            return None
    if query:
        name = query[: query.find(b"=") + 1]
        values = [one[len(name) :] for one in _parameters(data) if one.startswith(name)]
        found = values[0] if len(values) == 1 else b""
    return _decoded(found) or None


def _parameters(data: bytes) -> Iterator[bytes]:
    yield from data.partition(b"?")[2].partition(b"#")[0].split(b"&")


def _path(data: bytes) -> bytes:
    """Host and path."""
    return re.split(rb"[?#]", data.partition(b"//")[2], maxsplit=1)[0]


def _decoded(value: bytes) -> bytes | None:
    """Without percent-encoding (RFC 3986 2.1); None where that is broken."""
    if any(escape[1] is None for escape in _ESCAPE.finditer(value)):
        return None
    return _ESCAPE.sub(lambda escape: bytes([int(escape[1], 16)]), value)
