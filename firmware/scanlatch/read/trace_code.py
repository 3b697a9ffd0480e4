# Whether a symbol holds a trace code, and of which family: decides what is refused at the terminal.
import sys

from micropython import const

from scanlatch import read

# Kinds; how each is told stands in `kinds`.
TRACE = const(1)  # one box's code: becomes a record
_PRODUCT = const(2)  # the product barcode beside it, the same on every box
CREDENTIAL = const(3)  # a person's: never kept
_TORN = const(4)  # part of a code, or a code whose separators are lost
_UNKNOWN = const(5)
_PERSONAL = const(6)  # an identity or card number: never kept
CONTROL = const(7)  # of the control sheet, or an operator's badge
_ENGINE = const(8)  # a scan engine's set-up code
_GLUED = const(9)  # two codes in one
_CASE = const(10)  # a case's code where boxes are sold

# Families of WIRE.md, key 11.
_TWENTY_DIGITS = const(1)

# The data is a GS1 element string exactly where the symbol's AIM identifier (ISO/IEC 15424) is one of these. "]d8" is
# the rectangular extension of Data Matrix with FNC1 in front (ISO/IEC 21471).
_GS1_SYMBOLS = const("]C1]e0]e1]e2]d2]d8]Q3]J1")

_TRACE_DIGITS = const(20)  # 7 product prefix, 9 serial, 4 check digits; how those are made is not public

_LOADED = const(
    (
        "symbol",
        "digits",
        "gs1",
        "gs1_table",
        "text",
        "link",
        "person",
        "pattern",
    )
)  # for one symbol, then given back


def classify(symbology, data, rules, window=True):
    """(kind, family) of what was read. Family is 1 to 4 for TRACE, 5 for CONTROL, else 0.

    symbology: AIM identifier or ""; data: bytes; empty where the frame was over the engine driver's limit;
    rules: what the site's settings say of codes, see docs/codes.md: "first_digit", "own", "personal", "links";
    window: boxes are sold or taken back here, so a case's code is none.
    Takes any bytes and raises nothing; the work is linear in their number.
    """
    says_gs1 = len(symbology) == 3 and symbology in _GS1_SYMBOLS
    first = rules.get("first_digit", "8")
    if len(data) == _TRACE_DIGITS and data.isdigit() and not says_gs1 and (not first or chr(data[0]) in first):
        return TRACE, _TWENTY_DIGITS
    try:
        from scanlatch.read import symbol  # with its helpers 15 KB that most scans do without

        return symbol.classify(symbology, data, rules, window, first, says_gs1)
    except (MemoryError, OSError, ImportError, ValueError):  # no room for a file, or it can't be read
        return _TORN, 0  # as well as it can be told: to be read again
    finally:
        forget()


def forget():
    """Give back the heap of all that was loaded for one symbol, also where loading failed half-way."""
    for name in _LOADED:
        for held, key in ((sys.modules, "scanlatch.read." + name), (read.__dict__, name)):
            if key in held:
                held[key] = None  # pyright: ignore[reportArgumentType]  # see `scanlatch.forget`
                del held[key]
