"""What was read to the one name that its box has, however the code was carried."""

import re

TWENTY_DIGITS, GS1, MAKERS_OWN, LINK, CONTROL = 1, 2, 3, 4, 5  # families, WIRE.md "Scan" key 11

_TWENTY = re.compile(r"[0-9]{20}\Z")
_TWENTY_IN_LINK = re.compile(r"(?<![0-9])[0-9]{20}(?![0-9])")
_LINK_PARTS = re.compile(r"/01/([0-9]{14})(?:/.*)?/21/([^/?#]+)")  # GS1 Digital Link URI 1.2: path keys
_GS = "\x1d"
_GTIN, _SERIAL = "01", "21"
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
    rest = text.removeprefix(_GS)
    while rest:
        length = _FIXED.get(rest[:2])
        if length is None:
            element, _, rest = rest.partition(_GS)
        else:
            element, rest = rest[:length], rest[length:].removeprefix(_GS)
            if len(element) < length:
                return None
        ai, value = element[:2], element[2:]
        if ai in (_GTIN, _SERIAL):
            if ai in found or not value:
                return None
            found[ai] = value
    return _unit(found.get(_GTIN, ""), found.get(_SERIAL, ""))


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
