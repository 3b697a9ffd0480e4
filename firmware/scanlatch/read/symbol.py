# What a symbol holds that is no plain twenty-digit code: decides what may become a record. Loaded for each.
from micropython import const

import scanlatch
from scanlatch.read import gs1

scanlatch.forget(gs1)  # it is to go with this module

# Kinds and families, as in `trace_code`.
_TRACE = const(1)
_PRODUCT = const(2)
_CREDENTIAL = const(3)
_TORN = const(4)
_UNKNOWN = const(5)
_GS1 = const(2)

_PRODUCT_SYMBOLS = ("]E", "]I")  # EAN/UPC, ITF-14

_SEPARATOR = const(0x1D)
_TRACE_DIGITS = const(20)
_PREFIX_DIGITS = const(7)  # fewer digits are no plausible part of a code
_CREDENTIAL_LENGTH = const(28)
_RECORD_LONGEST = const(512)  # WIRE: data, 1 .. 512 bytes


def classify(symbology, data, first, says_gs1):
    """(kind, family), as `trace_code.classify` gives them; it has sorted out the plain twenty-digit codes."""
    if not data:
        return _TORN, 0
    # 28 characters: "424" and 25 digits of the insurance e-credential, or the open platform's "opc" with as many.
    if len(data) == _CREDENTIAL_LENGTH and (data[:3] == b"opc" or (data[:3] == b"424" and data.isdigit())):
        return _CREDENTIAL, 0
    if len(data) > _RECORD_LONGEST:
        return _UNKNOWN, 0
    if not says_gs1 and data.isdigit():
        return _digits(symbology, data, first)
    return _elements(says_gs1, data)


def _digits(symbology, data, first):
    starts_well = not first or chr(data[0]) in first
    count = len(data)
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
    if len(data) not in (8, 12, 13, 14) or not gs1.check_digit_holds(data):
        return False
    if symbology[:2] in _PRODUCT_SYMBOLS or data[:2] == b"69" or data[:3] == b"869":
        return True
    # Any ten torn codes hold one whose check digit fits by chance: where another carrier is named it is no product
    # barcode, and 8 and 14 digits that begin like a trace code are the likelier a part of one.
    return symbology == "" and (len(data) in (12, 13) or chr(data[0]) not in first)


def _elements(says_gs1, data):
    try:
        fields = gs1.parse(data)
    except ValueError:
        return (_TORN if _looks_like_elements(says_gs1, data) else _UNKNOWN), 0
    if "01" not in fields:
        return (_TORN if says_gs1 else _UNKNOWN), 0
    if "21" not in fields:
        return _PRODUCT, 0
    return _TRACE, _GS1


def _looks_like_elements(says_gs1, data):
    start = 1 if data[0] == _SEPARATOR else 0
    if data[start : start + 1] == b"(":
        return False  # printed by a program that took the text for people as the data: reading again won't help
    if says_gs1 or b"\x1d" in data:
        return True
    gtin = data[2:16]
    return data[:2] == b"01" and len(gtin) == 14 and gtin.isdigit() and gs1.check_digit_holds(gtin)
