# AIM identifiers: what the engine says of the symbol that it read (ISO/IEC 15424).
from micropython import const

_BRACKET = const(0x5D)  # "]", which starts every AIM identifier

# The data is a GS1 element string exactly where the identifier is one of these. "]d8" is the rectangular extension of
# Data Matrix with FNC1 in front (ISO/IEC 21471).
_GS1 = ("]C1", "]e0", "]e1", "]e2", "]d2", "]d8", "]Q3", "]J1")

_CARRIERS = {
    "A": "Code 39",
    "C": "Code 128",
    "E": "EAN/UPC",
    "F": "Codabar",
    "G": "Code 93",
    "I": "ITF",
    "J": "DotCode",
    "L": "PDF417",
    "Q": "QR Code",
    "d": "Data Matrix",
    "e": "GS1 DataBar",
    "z": "Aztec",
}


def split(frame):
    """(AIM identifier or "", data as bytes) of what an engine sent; `frame` is anything that slices to bytes."""
    if len(frame) >= 3 and frame[0] == _BRACKET and _is_letter(frame[1]) and 0x30 <= frame[2] <= 0x39:
        return str(bytes(frame[:3]), "ascii"), bytes(frame[3:])
    return "", bytes(frame)


def is_gs1(identifier):
    """Whether the symbol itself says that it holds GS1 element strings."""
    return identifier in _GS1


def is_product(identifier):
    """Whether it is a carrier of product barcodes: EAN/UPC or ITF-14. False for "", which says nothing."""
    return identifier[:2] in ("]E", "]I")


def carrier(identifier):
    """Name of the symbology for people; "" where the engine gave none."""
    if len(identifier) != 3:
        return ""
    name = _CARRIERS.get(identifier[1], "other")
    return "GS1 " + name if is_gs1(identifier) and identifier[1] != "e" else name


def _is_letter(byte):
    return 0x41 <= byte <= 0x5A or 0x61 <= byte <= 0x7A
