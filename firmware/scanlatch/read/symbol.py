# What a symbol holds that is no plain twenty-digit code: decides what may become a record. Loaded for each.
from micropython import const

import scanlatch
from scanlatch.read import digits

# Kinds and families, as in `trace_code`.
_TRACE = const(1)
_PRODUCT = const(2)
_CREDENTIAL = const(3)
_TORN = const(4)
_UNKNOWN = const(5)
_PERSONAL = const(6)
_GLUED = const(9)
_CASE = const(10)
_GS1 = const(2)

_SEPARATOR = const(0x1D)
_TRACE_DIGITS = const(20)
_PREFIX_DIGITS = const(7)  # fewer digits are no plausible part of a code
_CREDENTIAL_LENGTH = const(28)
_RECORD_LONGEST = const(512)  # WIRE: data, 1 .. 512 bytes


def classify(symbology, data, rules, window, first, says_gs1):
    """(kind, family), as `trace_code.classify` gives them; it has sorted out the plain twenty-digit codes."""
    if not data:
        return _TORN, 0
    # 28 characters: "424" and 25 digits of the insurance e-credential, or the open platform's "opc" with as many.
    if len(data) == _CREDENTIAL_LENGTH and (data[:3] == b"opc" or (data[:3] == b"424" and data.isdigit())):
        return _CREDENTIAL, 0
    if len(data) > _RECORD_LONGEST:
        return _UNKNOWN, 0
    if data.isdigit() and not says_gs1:
        return _digits(symbology, data, rules, window, first)
    kind, family = elements(says_gs1, data, window, first)
    if kind != _UNKNOWN or says_gs1:
        return kind, family
    from scanlatch.read import text

    return text.classify(data, rules, window, first)


def _digits(symbology, data, rules, window, first):
    count = len(data)
    if digits.is_product(symbology, data, first):
        if count == 14 and symbology[:2] == "]I" and _is_case(chr(data[0]), window):
            return _CASE, 0
        return _PRODUCT, 0
    kind, family = elements(False, data, window, first)
    if kind != _UNKNOWN:
        return kind, family
    if count == 18 and digits.is_identity(data):
        return _PERSONAL, 0
    if digits.are_glued(data, first):
        return _GLUED, 0
    if "own" in rules:  # by default digits alone are no maker's code: they may be a part of anything
        from scanlatch.read import text

        kind, family = text.own(data, rules)
        if kind != _UNKNOWN:
            return kind, family
    if _PREFIX_DIGITS <= count < _TRACE_DIGITS:
        return _TORN, 0
    if _TRACE_DIGITS < count <= 2 * _TRACE_DIGITS and digits.begins(data, first):
        return _TORN, 0  # ran into a part of the next one
    return _UNKNOWN, 0


def elements(says_gs1, data, window, first):
    """(kind, family) of an element string. Of other symbols than GS1's, what names no goods may be something else."""
    if not (says_gs1 or 0x30 <= data[0] <= 0x39 or b"\x1d" in data):
        return _UNKNOWN, 0
    from scanlatch.read import gs1

    scanlatch.forget(gs1)  # what may follow needs the room
    try:
        found = gs1.parse(data)
    except ValueError as error:
        if error.args[0] == "twice" or _goes_on(data, first):
            return _GLUED, 0
        return (_TORN if _looks_likeelements(says_gs1, data) else _UNKNOWN), 0
    partial = says_gs1 or b"\x1d" in data or (len(found) > 1 and not data.isdigit())
    return box(found, window, _GS1, _TORN if partial else _UNKNOWN)


def box(fields, window, family, otherwise):
    """(kind, family) of the goods that `fields` name; `otherwise`: the kind where they name none."""
    for ai in fields:
        if ai[:3] == "725" or ai in ("8017", "8018", "8019"):
            return _PERSONAL, 0  # who was born, is cared for, or cares
    if "01" in fields:
        if _is_case(fields["01"][0], window):
            return _CASE, 0
        return (_TRACE, family) if "21" in fields else (_PRODUCT, 0)
    if "00" in fields:
        return (_CASE, 0) if window else (_TRACE, family)
    return otherwise, 0


def _is_case(indicator, window):
    # A packaging indicator of 1 to 8 says so, and to which level (GS1 General Specifications 2.1.7).
    return window and "1" <= indicator <= "8"


def _looks_likeelements(says_gs1, data):
    start = 1 if data[0] == _SEPARATOR else 0
    if data[start : start + 1] == b"(":
        return False  # printed by a program that took the text for people as the data: reading again won't help
    return says_gs1 or b"\x1d" in data or _is_gtin(data, start)


def _goes_on(data, first):
    # Whether a whole code is followed, anywhere, by the beginning of an element string.
    start = 1 if data[0] == _SEPARATOR else 0
    if _is_gtin(data, start):
        at = start + 16
    elif data[:_TRACE_DIGITS].isdigit() and len(data) > _TRACE_DIGITS and digits.begins(data, first):
        at = _TRACE_DIGITS
    else:
        return False
    while True:
        at = data.find(b"01", at)
        if at < 0 or (data[at + 2 : at + 3] == b"0" and _is_gtin(data, at)):  # a box's: digits hold others by chance
            return at > 0
        at += 1


def _is_gtin(data, at):
    gtin = data[at + 2 : at + 16]
    return data[at : at + 2] == b"01" and len(gtin) == 14 and gtin.isdigit() and digits.check_digit_holds(gtin)
