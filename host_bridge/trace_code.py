"""What was read to the one name that its box has, however the code was carried."""

import re
from calendar import monthrange
from dataclasses import dataclass

from host_bridge import links
from host_bridge.code_rules import DEFAULT, CodeRules
from host_bridge.gtin import check_digit

TWENTY_DIGITS, GS1, MAKERS_OWN, LINK, CONTROL = 1, 2, 3, 4, 5  # families, WIRE.md "Scan" key 11

_TWENTY = re.compile(r"[0-9]{20}\Z")
_GS = "\x1d"
_SSCC, _GTIN, _SERIAL, _BATCH, _EXPIRY = "00", "01", "21", "10", "17"
_EXPIRY_MINUTES = ("70", "03")  # AI 7003, as its first two digits and the rest: YYMMDDHHMM
_YEARS_AHEAD = 50  # GS1 General Specifications 7.12: two digits of a year mean one from 49 before to 50 ahead
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
    return code[2:16] if code[:2] == _GTIN and code[16:18] == _SERIAL and _digits(code[2:16]) else None


def is_twenty(code: str) -> bool:
    """True where the canonical code is twenty digits: no GTIN with a two-digit serial, and no shipping unit's SSCC."""
    return len(code) == 20 and _digits(code) and gtin(code) is None and not _is_sscc(code)


def label(family: int, data: bytes, year: int) -> Label:
    """Batch and last day that an element string or a GS1 link carries. `year`: today's, to tell the century."""
    if family == LINK:
        elements = links.digital_link(data) or {}
    elif family == GS1:
        found = _elements(data.decode("utf-8", "replace")) or ()
        elements = dict(reversed(found))  # the first of each
        minutes = next((value[2:8] for ai, value in found if (ai, value[:2]) == _EXPIRY_MINUTES), "")
        elements.setdefault(_EXPIRY, minutes)
    else:
        return Label()
    return Label(elements.get(_BATCH) or None, _day(elements.get(_EXPIRY, ""), year))


def canonical(family: int, data: bytes, rules: CodeRules = DEFAULT) -> str | None:
    """The code that is claimed, settled and compared: twenty digits as they are, `01<gtin>21<serial>`, a shipping
    unit's `00<sscc>`, or the text. A code in a link has the name that it has elsewhere; `rules`: those of its site.

    None where `data` is not what `family` says, so that there is nothing that could be sold.
    """
    if family == LINK and (name := _in_link(data, rules)):
        return name
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if family == TWENTY_DIGITS:
        return text if _TWENTY.match(text) else None
    if family == GS1:
        return _gs1(text)
    return text if _PRINTABLE.match(text) else None


def _gs1(text: str) -> str | None:
    found: dict[str, str] = {}
    for ai, value in _elements(text) or ():
        if ai in (_SSCC, _GTIN, _SERIAL) and found.setdefault(ai, value) != value:
            return None
    if _GTIN not in found:
        unit = f"00{found.get(_SSCC, '')}"
        return unit if _is_sscc(unit) else None
    return _unit(found[_GTIN], found.get(_SERIAL, ""))


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
    if len(yymmdd) != 6 or not _digits(yymmdd):
        return None
    short, month, day = int(yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:])
    full = year - year % 100 + short
    if full > year + _YEARS_AHEAD:
        full -= 100
    elif full <= year - _YEARS_AHEAD:
        full += 100
    if not 1 <= month <= 12 or day > monthrange(full, month)[1]:
        return None
    return full * 10_000 + month * 100 + (day or monthrange(full, month)[1])


def _in_link(data: bytes, rules: CodeRules) -> str | None:
    elements = links.digital_link(data)
    if elements is not None:
        return f"00{elements[_SSCC]}" if _SSCC in elements else _unit(elements[_GTIN], elements.get(_SERIAL, ""))
    try:
        text = (links.code(data, rules) or b"").decode("ascii")
    except UnicodeDecodeError:
        return None
    if _TWENTY.match(text):
        return text
    return _gs1(text) or (text if _PRINTABLE.match(text) else None)


def _digits(text: str) -> bool:
    """0 to 9 alone: other signs count as digits too, and not all of them can be reckoned with."""
    return text.isascii() and text.isdigit()


def _is_sscc(code: str) -> bool:
    digits = code[2:]
    return code[:2] == _SSCC and len(digits) == 18 and _digits(digits) and check_digit(digits[:-1]) == digits[-1]


def _unit(gtin: str, serial: str) -> str | None:
    """A GTIN alone names a product, never one box."""
    if len(gtin) != 14 or not _digits(gtin) or not _PRINTABLE.match(serial):
        return None
    return f"01{gtin}21{serial}"
