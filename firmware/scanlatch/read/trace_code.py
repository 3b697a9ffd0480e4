# Which family of code a symbol holds: decides what may become a record, and what is refused at the terminal.
from micropython import const

from scanlatch.read import gs1, symbol

# Kinds.
TRACE = const(1)  # one box's code: becomes a record
PRODUCT = const(2)  # the product barcode beside it, the same on every box
CREDENTIAL = const(3)  # a person's: never kept
TORN = const(4)  # part of a code, or two run together: read it again
UNKNOWN = const(5)

# Families of WIRE.md, key 11.
TWENTY_DIGITS = const(1)
GS1 = const(2)

# Pattern of the indicator that refuses a kind.
PATTERNS = {PRODUCT: "wrong_symbol", CREDENTIAL: "credential", TORN: "torn", UNKNOWN: "unknown_symbol"}

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
        return TORN, 0
    if _is_credential(data):
        return CREDENTIAL, 0
    if len(data) > _RECORD_LONGEST:
        return UNKNOWN, 0
    first = rules.get("first_digit", "8")
    if not symbol.is_gs1(symbology) and data.isdigit():
        return _digits(symbology, data, first)
    return _elements(symbology, data)


def _is_credential(data):
    # 28 characters: "424" and 25 digits of the insurance e-credential, or the open platform's "opc" with as many.
    if len(data) != _CREDENTIAL_LENGTH:
        return False
    head = data[:3]
    return (head == b"424" and data.isdigit()) or head == b"opc"


def _digits(symbology, data, first):
    starts_well = not first or chr(data[0]) in first
    count = len(data)
    if count == _TRACE_DIGITS and starts_well:
        return TRACE, TWENTY_DIGITS
    if _is_product(symbology, data, first):
        return PRODUCT, 0
    kind, family = _elements(symbology, data)
    if kind != UNKNOWN:
        return kind, family
    if _PREFIX_DIGITS <= count < _TRACE_DIGITS:
        return TORN, 0
    if _TRACE_DIGITS < count <= 2 * _TRACE_DIGITS and starts_well:
        return TORN, 0  # ran into the next one
    return UNKNOWN, 0


def _is_product(symbology, data, first):
    # EAN-13, EAN-8, UPC-A, and with 14 digits a case's GTIN or the standard drug code (869...).
    if len(data) not in (8, 12, 13, 14) or not gs1.check_digit_holds(data):
        return False
    if symbol.is_product(symbology) or data[:2] == b"69" or data[:3] == b"869":
        return True
    # Any ten torn codes hold one whose check digit fits by chance: where another carrier is named it is no product
    # barcode, and 8 and 14 digits that begin like a trace code are the likelier a part of one.
    return symbology == "" and (len(data) in (12, 13) or chr(data[0]) not in first)


def _elements(symbology, data):
    try:
        fields = gs1.parse(data)
    except gs1.Gs1Error:
        return (TORN if _looks_like_elements(symbology, data) else UNKNOWN), 0
    if gs1.value_of(fields, "01") is None:
        return (TORN if symbol.is_gs1(symbology) else UNKNOWN), 0
    if gs1.value_of(fields, "21") is None:
        return PRODUCT, 0
    return TRACE, GS1


def _looks_like_elements(symbology, data):
    start = 1 if data[0] == gs1.SEPARATOR else 0
    if data[start : start + 1] == b"(":
        return False  # printed by a program that took the text for people as the data: reading again won't help
    if symbol.is_gs1(symbology) or start or b"\x1d" in data:
        return True
    gtin = data[2:16]
    return data[:2] == b"01" and len(gtin) == 14 and gtin.isdigit() and gs1.check_digit_holds(gtin)
