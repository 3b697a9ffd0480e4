"""The calibration sheet: one symbol for each setting of a scan engine that a terminal needs."""

from pathlib import Path
from typing import NamedTuple

from scanlatch_tools.labels.page import A4, Pages
from scanlatch_tools.twin.pictures import Kind

# The batch's end needs its separator. No two symbols hold the same: else the second would be taken for a bounce.
_ELEMENTS = "(01)06901234567892(10)CAL-1(17)281231(21)SLCAL000"
_LINK = "https://id.gs1.org/01/06901234567892/10/CAL-1/21/SLCAL0002?17=281231&note="
_NO_SEPARATOR = "Refused as torn: the engine drops the separator (FNC1 as 0x1D)"
_LONG = 500  # bytes; a record holds 512


class Symbol(NamedTuple):
    """One symbol of the sheet.

    content: as the drawing takes it; data: as an engine sends it; aim: its AIM identifier, where the engine gives
    one; effect: the light that the terminal shows next after "read"; module: mm; setting: what is wrong with the
    engine where it is silent or shows another.
    """

    chinese: str
    english: str
    kind: Kind
    content: str
    data: bytes
    aim: str
    effect: str
    module: float
    chinese_setting: str
    setting: str
    inverted: bool = False


_ELEMENT_DATA = b"010690123456789210CAL-1\x1d1728123121SLCAL000"
_LONG_LINK = (_LINK + "0123456789" * _LONG)[:_LONG]
SYMBOLS = (
    Symbol("二十位追溯码", "Twenty digits", "code128", "80000000000000000017", b"80000000000000000017", "]C0", "kept",
           0.33, "未读出：未开启 Code 128", "Not read: Code 128 is off"),
    Symbol("GS1 二维码", "GS1 DataMatrix, with a separator", "gs1-datamatrix", _ELEMENTS + "1", _ELEMENT_DATA + b"1",
           "]d2", "kept", 0.6, "未读出：未开启 Data Matrix", f"Not read: Data Matrix is off. {_NO_SEPARATOR}"),
    Symbol("GS1-128", "GS1-128, with a separator", "gs1-128", _ELEMENTS + "3", _ELEMENT_DATA + b"3", "]C1", "kept",
           0.27, "未读出：未开启 GS1-128", f"Not read: GS1-128 is off. {_NO_SEPARATOR}"),
    Symbol("长二维码", f"Long QR code, {_LONG} bytes", "qr", _LONG_LINK, _LONG_LINK.encode(), "]Q1", "kept", 0.55,
           "未读出：未开启 QR", "Not read: QR is off. Refused: bytes are lost on the line, look at its cable"),
    Symbol("商品条码 (应拒绝)", "Product barcode: to be refused", "ean13", "6901234567892", b"6901234567892", "]E0",
           "wrong_symbol", 0.4, "未读出：未开启 EAN-13", "Not read: EAN-13 is off"),
    Symbol("反色码", "Inverted, white on black", "datamatrix", "80000000000000000024", b"80000000000000000024", "]d1",
           "kept", 0.9, "未读出：未开启反色", "Not read: inverted codes are off, or the engine can't", True),
)  # fmt: skip
_BARS = 15.0
_LEFT, _HINTS, _HINTS_WIDE = 15.0, 138.0, 58.0
_TOP, _BETWEEN = 45.0, 20.0  # of the rows, mm; the next row's title stands in what is between them


def draw(path: Path) -> None:
    """Write the sheet, one page of A4.

    Raises:
        ToolError: the file can't be written.
    """
    pages = Pages(A4, "Scanlatch calibration")
    pages.add()
    width = pages.text(15, 20, "校准页", 22)
    pages.text(15 + width + 4, 20, "Calibration sheet", 15, grey=90)
    lines = (
        "先扫控制条码 Query (查询)，再逐个扫描下列条码：每个都应被读出；商品条码应被拒绝。",
        "Switch the terminal to Query with its control sheet, then scan each of these: all must be read, and the",
        "product barcode must be refused. These codes belong to no box; the platform knows none of them.",
    )
    for i, line in enumerate(lines):
        pages.text(15, 27 + 4.5 * i, line, 9, grey=60)
    y = _TOP
    for symbol in SYMBOLS:
        y += _row(pages, y, symbol) + _BETWEEN
    pages.save(path)


def _row(pages: Pages, y: float, symbol: Symbol) -> float:
    width = pages.text(_LEFT, y, symbol.chinese, 12)
    pages.text(_LEFT + width + 3, y, symbol.english, 9, grey=60)
    quiet = 4 * symbol.module if symbol.inverted else 0
    at = (_LEFT + quiet, y + 4 + quiet)
    _, height = pages.symbol(at, symbol.content, symbol.kind, symbol.module, height=_BARS, inverted=symbol.inverted)
    pages.text(_HINTS, y + 7, symbol.chinese_setting, 8, grey=90)
    pages.paragraph(_HINTS, y + 11, symbol.setting, 8, _HINTS_WIDE, grey=90)
    return height + 2 * quiet
