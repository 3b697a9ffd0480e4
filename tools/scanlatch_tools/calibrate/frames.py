"""What a frame says of its engine's settings: held against the symbol of the sheet that it must be of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from scanlatch_tools.labels.calibration import SYMBOLS, Symbol

TELLS_AIM = ("newland", "honeywell", "ssi")  # families whose driver asks for the AIM identifier
MARKS = (b"80000000000000", b"slcal", b"cal-1", b"690123456789", b"id.gs1.org")  # of the sheet, in lower case
_GS = b"\x1d"
_ELEMENT = b"01069012"  # the same product in a GS1 symbol, of which the rest may be lost
_BETWEEN = 12  # bytes that stand for a separator, at most
_AROUND = 16  # of a prefix, or of a suffix
_CUT_LEAST = 8  # bytes that are right, of one that was cut


@dataclass(frozen=True, slots=True)
class Read:
    """One frame. symbol: None where it is of none of the sheet's; wrong: keys of `texts.WRONG`, the worst first."""

    symbol: Symbol | None
    wrong: tuple[str, ...] = ()


def judged(aim: str, data: bytes | None, family: str) -> Read:
    """What is wrong with a frame. data: None where it is not of the sheet; family: the engine's driver."""
    if not data:
        return Read(None)
    for symbol in SYMBOLS:
        found = _pattern(symbol).fullmatch(data)
        if found and not (symbol.kind == "ean13" and data.startswith(_ELEMENT)):
            return Read(symbol, tuple(_wrong(symbol, aim, found, family)))
    cut = _cut(data)
    return Read(cut, ("cut",)) if cut else Read(None)


def _pattern(symbol: Symbol) -> re.Pattern[bytes]:
    parts = [b"(" + re.escape(part) + b")" for part in symbol.data.split(_GS)]
    between = b"(.{0,%d}?)" % _BETWEEN
    around = b"(.{0,%d}%b)"
    whole = around % (_AROUND, b"?") + between.join(parts) + around % (_AROUND, b"")
    return re.compile(whole, re.DOTALL | re.IGNORECASE)


def _wrong(symbol: Symbol, aim: str, found: re.Match[bytes], family: str) -> Sequence[str]:
    before, *inner, behind = found.groups()
    wrong: list[str] = []
    separators = inner[1::2]
    if b"" in separators:
        wrong.append("gs")
    elif any(one != _GS for one in separators):
        wrong.append("gs_text")
    if b"".join(inner[::2]) != symbol.data.replace(_GS, b""):
        wrong.append("case")
    if before == _GS:  # FNC1 in front, which is allowed
        before = b""
    if len(before) == 1 and before.isalpha():
        wrong.append("code_id")
    elif before:
        wrong.append("prefix")
    if behind:
        wrong.append("suffix")
    if aim and aim != symbol.aim and aim[:2] != symbol.aim[:2]:
        wrong.append("aim_other")
    elif aim and _GS in symbol.data and aim != symbol.aim and symbol.aim in ("]d2", "]C1"):
        wrong.append("aim_plain")
    elif not aim and family in TELLS_AIM:
        wrong.append("aim_off")
    return wrong


def _cut(data: bytes) -> Symbol | None:
    """The symbol of which this is a piece, with bytes lost on the way."""
    for symbol in SYMBOLS:
        if len(data) >= _CUT_LEAST and (data in symbol.data or _pieces(data, symbol.data)):
            return symbol
    return None


def _pieces(data: bytes, whole: bytes) -> bool:
    """Whether it begins and ends as the symbol does, and is shorter."""
    half = min(len(data) // 2, _CUT_LEAST)
    return len(data) < len(whole) and whole.startswith(data[:half]) and whole.endswith(data[-half:])
