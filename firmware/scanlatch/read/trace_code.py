# Whether a symbol holds a trace code, and of which family: decides what is refused at the terminal.
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

_TRACE_DIGITS = const(20)  # 7 product prefix, 9 serial, 4 check digits; how those are made is not public


def classify(symbology, data, rules):
    """(kind, family) of what was read. Family is 1 or 2 for TRACE, else 0.

    symbology: AIM identifier or ""; data: bytes; empty where the frame was over the engine driver's limit;
    rules: {"first_digit": "8"}, the digits that a twenty-digit code may begin with; "" for any.
    Takes any bytes and raises nothing; the work is linear in their number.
    """
    says_gs1 = len(symbology) == 3 and symbology in _GS1_SYMBOLS
    first = rules.get("first_digit", "8")
    if len(data) == _TRACE_DIGITS and data.isdigit() and not says_gs1 and (not first or chr(data[0]) in first):
        return TRACE, _TWENTY_DIGITS
    try:
        from scanlatch.read import symbol  # 5 KB that most scans do without

        try:
            return symbol.classify(symbology, data, first, says_gs1)
        finally:
            scanlatch.forget(symbol)
    except (MemoryError, OSError):
        return _TORN, 0  # as well as it can be told: to be read again
