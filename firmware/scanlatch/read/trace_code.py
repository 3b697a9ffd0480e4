# Which family of code a symbol holds: decides what may become a record, and what is refused at the terminal.
from micropython import const

import scanlatch

# Kinds.
TRACE = const(1)  # one box's code: becomes a record
_PRODUCT = const(2)  # the product barcode beside it, the same on every box
_CREDENTIAL = const(3)  # a person's: never kept
_TORN = const(4)  # part of a code, or two run together: read it again
_UNKNOWN = const(5)

# Families of WIRE.md, key 11.
_TWENTY_DIGITS = const(1)
_GS1 = const(2)

# Pattern of the indicator that refuses a kind; TRACE has none.
PATTERNS = ("", "", "wrong_symbol", "credential", "torn", "unknown_symbol")

# The data is a GS1 element string exactly where the symbol's AIM identifier (ISO/IEC 15424) is one of these. "]d8" is
# the rectangular extension of Data Matrix with FNC1 in front (ISO/IEC 21471).
_GS1_SYMBOLS = "]C1]e0]e1]e2]d2]d8]Q3]J1"
_PRODUCT_SYMBOLS = ("]E", "]I")  # EAN/UPC, ITF-14

_TRACE_DIGITS = const(20)  # 7 product prefix, 9 serial, 4 check digits; how those are made is not public
_PREFIX_DIGITS = const(7)  # fewer digits are no plausible part of a code
_CREDENTIAL_LENGTH = const(28)
_RECORD_LONGEST = const(512)  # WIRE: data, 1 .. 512 bytes


def classify(symbology, data, rules):
    """(kind, family) of what was read. Family is 1 or 2 for TRACE, else 0.

    symbology: AIM identifier or ""; data: bytes; empty where the frame was over the engine driver's limit;
    rules: {"first_digit": "8"}, the digits that a twenty-digit code may begin with; "" for any.
    Takes any bytes and raises nothing; the work is linear in their number.
    """
    if not data:
        return _TORN, 0
    # 28 characters: "424" and 25 digits of the insurance e-credential, or the open platform's "opc" with as many.
    if len(data) == _CREDENTIAL_LENGTH and (data[:3] == b"opc" or (data[:3] == b"424" and data.isdigit())):
        return _CREDENTIAL, 0
    if len(data) > _RECORD_LONGEST:
        return _UNKNOWN, 0
    says_gs1 = len(symbology) == 3 and symbology in _GS1_SYMBOLS
    if not says_gs1 and data.isdigit():
        return _digits(symbology, data, rules.get("first_digit", "8"))
    return _elements(says_gs1, data)


def check_digit_holds(digits):
    """Whether the last of `digits` (text or bytes, digits only) is its check digit: weights 3 and 1 from the right."""
    total = 0
    weight = 1
    for i in range(len(digits) - 1, -1, -1):
        total += weight * int(digits[i : i + 1])
        weight = 4 - weight
    return total % 10 == 0


def _digits(symbology, data, first):
    starts_well = not first or chr(data[0]) in first
    count = len(data)
    if count == _TRACE_DIGITS and starts_well:
        return TRACE, _TWENTY_DIGITS
    if _is_product(symbology, data, first):
        return _PRODUCT, 0
    kind, family = _elements(False, data)
    if kind != _UNKNOWN:
        return kind, family
    if _PREFIX_DIGITS <= count < _TRACE_DIGITS:
        return _TORN, 0
    if _TRACE_DIGITS < count <= 2 * _TRACE_DIGITS and starts_well:
        return _TORN, 0  # ran into the next one
    return _UNKNOWN, 0


def _is_product(symbology, data, first):
    # EAN-13, EAN-8, UPC-A, and with 14 digits a case's GTIN or the standard drug code (869...).
    if len(data) not in (8, 12, 13, 14) or not check_digit_holds(data):
        return False
    if symbology[:2] in _PRODUCT_SYMBOLS or data[:2] == b"69" or data[:3] == b"869":
        return True
    # Any ten torn codes hold one whose check digit fits by chance: where another carrier is named it is no product
    # barcode, and 8 and 14 digits that begin like a trace code are the likelier a part of one.
    return symbology == "" and (len(data) in (12, 13) or chr(data[0]) not in first)


def _elements(says_gs1, data):
    try:
        from scanlatch.read import gs1  # heap is short, and most codes are digits

        try:
            fields = gs1.parse(data)
        finally:
            scanlatch.forget(gs1)
    except (MemoryError, OSError):
        return _TORN, 0  # as well as it can be told
    except ValueError:
        return (_TORN if _looks_like_elements(says_gs1, data) else _UNKNOWN), 0
    if "01" not in fields:
        return (_TORN if says_gs1 else _UNKNOWN), 0
    if "21" not in fields:
        return _PRODUCT, 0
    return TRACE, _GS1


def _looks_like_elements(says_gs1, data):
    start = 1 if data[0] == 0x1D else 0
    if data[start : start + 1] == b"(":
        return False  # printed by a program that took the text for people as the data: reading again won't help
    if says_gs1 or b"\x1d" in data:
        return True
    gtin = data[2:16]
    return data[:2] == b"01" and len(gtin) == 14 and gtin.isdigit() and check_digit_holds(gtin)
