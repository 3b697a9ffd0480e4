"""The control sheet: a site's control codes, and its operators' badges, to print on A4."""

from collections.abc import Sequence
from pathlib import Path

from scanlatch_tools.errors import ToolError
from scanlatch_tools.labels import control
from scanlatch_tools.labels.page import A4, Pages
from scanlatch_tools.texts import _

_MARGIN = 13.0
_WIDE = A4[0] - 2 * _MARGIN
_HIGH = 38.0
_BELOW = 4.0  # between two rows; two codes side by side are apart by their quiet zones
_PADDING = 5.0
_BARS = 13.0  # height, mm
_MODULE_MOST = 0.33  # mm; a window's engine reads half of that, but not from a worn sheet
_QUIET = 10  # modules on either side of a Code 128
_SHORT = 12  # characters of a name whose badge fits in half the width
_ROWS = 6  # of badges on a page
OPERATORS_MOST = 200


def draw(path: Path, site: str, token: str, name: str = "", operators: Sequence[str] = ()) -> int:
    """Write the sheet of `site`. Returns how many pages it has.

    Args:
        path: the PDF.
        site: the site's id.
        token: its control token.
        name: what people call it.
        operators: whose badges follow the control codes, 12 a page, 6 where a name is long.

    Raises:
        ToolError: token or an operator's name is none, or there are too many; the file can't be written.
    """
    if len(operators) > OPERATORS_MOST:
        raise ToolError(
            _("{count} operators: at most {operators_most} on one sheet").format(
                count=len(operators), operators_most=OPERATORS_MOST
            )
        )
    pages = Pages(A4, f"Scanlatch {site}")
    y = _head(pages, site, name, "控制条码", "Control codes")
    y = _section(pages, y, "操作", "What scans do from now on")
    y = _cells(pages, y, token, control.OPERATIONS)
    y = _section(pages, y, "其他", "Other")
    _cells(pages, y, token, control.OTHERS)
    count = 1
    columns = 2 if all(len(operator) <= _SHORT for operator in operators) else 1
    for first in range(0, len(operators), columns * _ROWS):
        y = _head(pages, site, name, "人员条码", "Operators' badges")
        for i, operator in enumerate(operators[first : first + columns * _ROWS]):
            _cell(pages, _place(y, i, columns), control.badge(token, operator), operator)
        count += 1
    pages.save(path)
    return count


def _head(pages: Pages, site: str, name: str, chinese: str, english: str) -> float:
    pages.add()
    width = pages.text(_MARGIN, 19, chinese, 22)
    pages.text(_MARGIN + width + 4, 19, english, 15, grey=90)
    pages.fitted(_MARGIN, 26, f"{name} ({site})" if name else site, 11, A4[0] - 2 * _MARGIN)
    hint = "只在本站点有效。每次只对准一个条码。 Valid at this site only. Aim at one code at a time."
    pages.text(_MARGIN, 31.5, hint, 8, grey=90)
    return 36.0


def _section(pages: Pages, y: float, chinese: str, english: str) -> float:
    width = pages.text(_MARGIN, y + 5, chinese, 12)
    pages.text(_MARGIN + width + 3, y + 5, english, 9, grey=90)
    return y + 8


def _cells(pages: Pages, y: float, token: str, controls: Sequence[control.Control]) -> float:
    for i, one in enumerate(controls):
        hint = f"{one.chinese_hint}  {one.english_hint}"
        _cell(pages, _place(y, i, 2), control.code(token, one.word), one.chinese, one.english, hint)
    return y + (len(controls) + 1) // 2 * (_HIGH + _BELOW)


def _place(y: float, index: int, columns: int) -> tuple[float, float, float]:
    """Left, top and width of a cell."""
    wide = _WIDE / columns
    return _MARGIN + index % columns * wide, y + index // columns * (_HIGH + _BELOW), wide


def _cell(
    pages: Pages, at: tuple[float, float, float], content: str, title: str, beside: str = "", hint: str = ""
) -> None:
    x, y, wide = at
    pages.frame(x, y, wide, _HIGH)
    width = pages.text(x + _PADDING, y + 9, title, 16, bold=True)
    pages.text(x + _PADDING + width + 3, y + 9, beside, 11, grey=60)
    pages.text(x + _PADDING, y + 14, hint, 8, grey=90)
    modules = pages.modules_wide(content, "code128") + 2 * _QUIET
    module = min(_MODULE_MOST, (wide - 2) / modules)
    left = x + (wide - modules * module) / 2 + _QUIET * module
    pages.symbol((left, y + _HIGH - _BARS - 5.5), content, "code128", module, height=_BARS)
    pages.text(x + _PADDING, y + _HIGH - 1.8, content, 6.5, grey=120)
