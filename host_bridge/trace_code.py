"""What was read to the one name that its box has, however the code was carried."""

import re
from calendar import monthrange
from dataclasses import dataclass

TWENTY_DIGITS, GS1, MAKERS_OWN, LINK, CONTROL = 1, 2, 3, 4, 5  # families, WIRE.md "Scan" key 11

_TWENTY = re.compile(r"[0-9]{20}\Z")
_TWENTY_IN_LINK = re.compile(r"(?<![0-9])[0-9]{20}(?![0-9])")
_LINK_PARTS = re.compile(r"/01/([0-9]{14})(?:/.*)?/21/([^/?#]+)")  # GS1 Digital Link URI 1.2: path keys
_GS = "\x1d"
_GTIN, _SERIAL, _BATCH, _EXPIRY = "01", "21", "10", "17"
_SAID_IN_LINK = re.compile(r"(?:/10/(?P<batch>[^/?#]+)|[?&]17=(?P<expiry>[0-9]{6}))")  # Digital Link: key, attribute
_YEARS_AHEAD = 49  # GS1 General Specifications 7.12: two digits of a year mean one from 50 before to 49 ahead
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f]+\Z")

# Length of AI and value together, by the AI's first two digits: GS1 General Specifications, table of element
# strings with predefined length. Every other element string runs to the separator or the end.
_FIXED = {
    "00": 20,
    "01": 16,
    "02": 16,
    "03": 16,
    "04": 18,
    **{str(ai): 8 for ai in range(11, 20)},
    "20": 4,
    "41": 16,
    **{str(ai): 10 for ai in range(31, 37)},
}


@dataclass(frozen=True, slots=True)
class Label:
    """What a code says of its box beside its name; None where it says nothing."""

    batch: str | None = None
    expires_on: int | None = None  # last day on which it may be dispensed, yyyymmdd


def prefix(code: str) -> str | None:
    """Product prefix of a canonical code: first 7 of twenty digits (domain: the common family)."""
    return code[:7] if is_twenty(code) else None


def gtin(code: str) -> str | None:
    """GTIN, 14 digits, of a canonical code that has one."""
    return code[2:16] if code[:2] == _GTIN and code[16:18] == _SERIAL and code[2:16].isdigit() else None


def is_twenty(code: str) -> bool:
    """True where the canonical code is twenty digits, and not a GTIN with a two-digit serial."""
    return len(code) == 20 and code.isdigit() and gtin(code) is None


def label(family: int, data: bytes, year: int) -> Label:
    """Batch and last day that an element string or a GS1 link carries. `year`: today's, to tell the century."""
    text = data.decode("utf-8", "replace")
    if family == LINK:
        said = {
            name: found[name] for found in _SAID_IN_LINK.finditer(text) for name in found.groupdict() if found[name]
        }
        return Label(said.get("batch"), _day(said.get("expiry", ""), year))
    if family != GS1:
        return Label()
    elements = _elements(text) or ()
    batch = next((value for ai, value in elements if ai == _BATCH), None)
    return Label(batch or None, next((_day(value, year) for ai, value in elements if ai == _EXPIRY), None))


def canonical(family: int, data: bytes) -> str | None:
    """The code that is claimed, settled and compared: twenty digits as they are, `01<gtin>21<serial>`, or the text.

    None where `data` is not what `family` says, so that there is nothing that could be sold.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if family == TWENTY_DIGITS:
        return text if _TWENTY.match(text) else None
    if family == GS1:
        return _gs1(text)
    if family == LINK:
        return _in_link(text)
    return text if _PRINTABLE.match(text) else None


def _gs1(text: str) -> str | None:
    found: dict[str, str] = {}
    for ai, value in _elements(text) or ():
        if ai in (_GTIN, _SERIAL):
            if ai in found or not value:
                return None
            found[ai] = value
    return _unit(found.get(_GTIN, ""), found.get(_SERIAL, ""))


def _elements(text: str) -> list[tuple[str, str]] | None:
    """First two digits of each application identifier and what follows them; None where one is cut short."""
    found: list[tuple[str, str]] = []
    rest = text.removeprefix(_GS)
    while rest:
        length = _FIXED.get(rest[:2])
        if length is None:
            element, _, rest = rest.partition(_GS)
        else:
            element, rest = rest[:length], rest[length:].removeprefix(_GS)
            if len(element) < length:
                return None
        found.append((element[:2], element[2:]))
    return found


def _day(yymmdd: str, year: int) -> int | None:
    """A GS1 date as yyyymmdd; day 00 is the last of its month (GS1 General Specifications 3.4.6)."""
    if len(yymmdd) != 6 or not (yymmdd.isascii() and yymmdd.isdigit()):
        return None
    short, month, day = int(yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:])
    full = year - year % 100 + short
    if full > year + _YEARS_AHEAD:
        full -= 100
    elif full < year - _YEARS_AHEAD - 1:
        full += 100
    if not 1 <= month <= 12 or day > monthrange(full, month)[1]:
        return None
    return full * 10_000 + month * 100 + (day or monthrange(full, month)[1])


def _in_link(text: str) -> str | None:
    parts = _LINK_PARTS.search(text)
    if parts:
        return _unit(parts[1], parts[2])
    inside = _TWENTY_IN_LINK.findall(text)
    if len(inside) == 1:
        return inside[0]
    return text if _PRINTABLE.match(text) else None


def _unit(gtin: str, serial: str) -> str | None:
    """A GTIN alone names a product, never one box."""
    if len(gtin) != 14 or not (gtin.isascii() and gtin.isdigit()) or not _PRINTABLE.match(serial):
        return None
    return f"01{gtin}21{serial}"
