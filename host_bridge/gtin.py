"""GTINs in their fourteen-digit form (GS1 General Specifications 3.3, check digit: 7.9)."""

_DIGITS = 14
_LENGTHS = (8, 12, 13, _DIGITS)
_BOX = "0"  # indicator digit of a base unit; 1 to 8 say that it is a package of them
_VARIABLE = "9"


def check_digit(digits: str) -> str:
    """Of all digits before it."""
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-weighted % 10)


def fourteen(text: str) -> str | None:
    """A GTIN or product barcode of 8, 12, 13 or 14 digits in fourteen; None where it is none."""
    if len(text) not in _LENGTHS or not (text.isascii() and text.isdigit()):
        return None
    return text.zfill(_DIGITS) if check_digit(text[:-1]) == text[-1] else None


def unit_of(gtin: str) -> str | None:
    """The base unit's GTIN that lies in a package's (fourteen digits); None where it names no package."""
    if len(gtin) != _DIGITS or gtin[0] in (_BOX, _VARIABLE):
        return None
    digits = _BOX + gtin[1:-1]
    return digits + check_digit(digits)
