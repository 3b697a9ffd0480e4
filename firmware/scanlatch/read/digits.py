# Numbers of known make: check digits, product codes, identity numbers, and codes that ran together.
from micropython import const

_TRACE_DIGITS = const(20)
_WEIGHTS = const(b"\x07\x09\x0a\x05\x08\x04\x02\x01\x06\x03\x07\x09\x0a\x05\x08\x04\x02")  # 2^17 .. 2^1, modulo 11
_IDENTITY_CHECKS = const(b"10X98765432")  # of the weighted sum modulo 11


def check_digit_holds(digits):
    """Whether the last of `digits` (bytes, digits only) is its check digit: weights 3 and 1 from the right.

    GS1 General Specifications 7.9; the same for GTIN, SSCC, GLN and the standard drug code.
    """
    total = 0
    weight = 1
    for i in range(len(digits) - 1, -1, -1):
        total += weight * (digits[i] - 0x30)
        weight = 4 - weight
    return total % 10 == 0


def is_identity(text, broken=False):
    """Whether 18 bytes are a person's identity number: 17 digits and the check character (GB 11643, ISO 7064 MOD 11-2).

    Where all 18 are digits, the day of birth has to be one: a torn trace code passes the check once in eleven times.
    broken: so too where they are cut out of what stands together, as another code may have run into them.
    """
    total = 0
    for i in range(17):
        if not 0x30 <= text[i] <= 0x39:
            return False
        total += _WEIGHTS[i] * (text[i] - 0x30)
    last = text[17] & 0xDF if text[17] > 0x39 else text[17]  # "x" is "X"
    if last != _IDENTITY_CHECKS[total % 11]:
        return False
    return (last == 0x58 and not broken) or (
        b"18" <= text[6:8] <= b"20" and b"01" <= text[10:12] <= b"12" and b"01" <= text[12:14] <= b"31"
    )


def is_product(symbology, digits, first):
    """Whether `digits` are a product's barcode: EAN-13, EAN-8, UPC-A, UPC-E, a case's GTIN, the standard drug code.

    first: digits that a trace code may begin with, "" for any. Any ten torn codes hold one whose check digit fits by
    chance: where another carrier is named it is no product's, and 8 and 14 digits that begin like a trace code are the
    likelier a part of one.
    """
    count = len(digits)
    carrier = symbology[:2]
    if symbology == "]E3":  # with an add-on of 2 or 5 digits behind
        count -= 2 if count in (10, 14, 15) else 5
        digits = digits[:count]
    if carrier == "]E" and count in (2, 5):
        return True  # an add-on alone
    if count not in (8, 12, 13, 14):
        return False
    if not check_digit_holds(digits):
        return count == 8 and (carrier == "]E" or symbology == "") and _is_upc_e(digits)
    if carrier in ("]E", "]I") or digits[:2] == b"69" or digits[:3] == b"869":
        return True
    return symbology == "" and (count in (12, 13) or chr(digits[0]) not in first)


def _is_upc_e(digits):
    # Number system 0 or 1, six digits of which the last says how zeros were left out, check digit of the whole
    # (ISO/IEC 15420, zero suppression).
    if digits[0] > 0x31:
        return False
    rule = digits[6]
    if rule <= 0x32:
        whole = digits[:3] + digits[6:7] + b"0000" + digits[3:6]
    elif rule == 0x33:
        whole = digits[:4] + b"00000" + digits[4:6]
    elif rule == 0x34:
        whole = digits[:5] + b"00000" + digits[5:6]
    else:
        whole = digits[:6] + b"0000" + digits[6:7]
    return check_digit_holds(whole + digits[7:])


def are_glued(digits, first):
    """Whether `digits` are two or more whole codes: trace codes, or trace codes and products' barcodes, or those."""
    count = len(digits)
    if count in (2 * _TRACE_DIGITS, 3 * _TRACE_DIGITS):
        return all(begins(digits[at:], first) for at in range(0, count, _TRACE_DIGITS))
    product = count - _TRACE_DIGITS
    if product in (8, 12, 13, 14):
        return (begins(digits, first) and check_digit_holds(digits[_TRACE_DIGITS:])) or (
            begins(digits[product:], first) and check_digit_holds(digits[:product])
        )
    return count == 26 and check_digit_holds(digits[:13]) and check_digit_holds(digits[13:])


def begins(digits, first):
    """Whether they begin as a trace code does."""
    return not first or chr(digits[0]) in first
