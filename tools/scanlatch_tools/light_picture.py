"""Draws what a light does over 2.6 s as an SVG strip, from the device's own patterns."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from scanlatch_tools.light_table import Row, Step

_MS = 2600  # that a strip shows; the longest pattern that comes over and over takes 2.5 s
_PX_MS = 10
_HIGH, _EDGE = 20, 3
_DARK = "#26282c"
# As a screen shows what a bright diode does; the capitals are those of patterns.py.
_SHOWN = {
    "R": "#f43b30", "A": "#ff9a1f", "Y": "#ffe04a", "G": "#35d04c", "C": "#2fd6b4", "S": "#79b8ff", "B": "#3a55ff",
    "V": "#9a4dff", "M": "#ff3fa0", "W": "#ffffff", "D": "#5b5e63", "E": "#1d5a2a",
}  # fmt: skip


def strip(row: Row) -> str:
    """A pattern as it is seen: an event from its beginning, a standing condition as it goes on."""
    bars = "".join(
        f'<rect x="{at // _PX_MS}" y="{_EDGE}" width="{width}" height="{_HIGH - 2 * _EDGE}" fill="{_SHOWN[colour]}"/>'
        for at, width, colour in _bars(row)
    )
    width = _MS // _PX_MS
    head = f'width="{width}" height="{_HIGH}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {head} viewBox="0 0 {width} {_HIGH}" role="img">'
        f'<title>{escape(row.name)}</title><rect {head} rx="4" fill="{_DARK}"/>{bars}</svg>\n'
    )


def _bars(row: Row) -> Iterator[tuple[int, int, str]]:
    """(start in ms, width in pixels, colour) of each step that is not dark."""
    at = 0
    for step in _steps(row):
        if at >= _MS:
            return
        if step.colour in _SHOWN:
            yield at, min(step.ms, _MS - at) // _PX_MS, step.colour
        at += step.ms


def _steps(row: Row) -> Iterator[Step]:
    yield from row.loop or row.once
    while row.loop:
        yield from row.loop
