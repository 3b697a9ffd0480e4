"""A page in millimetres: text in two scripts, and barcodes as sharp rectangles."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from fpdf import FPDF

from scanlatch_tools import outfile
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import why
from scanlatch_tools.twin import pictures

A4 = (210.0, 297.0)
BEGINS = b"%PDF"
_FONT = Path(__file__).parent / "font" / "gb2312.ttf"
_PT = 25.4 / 72  # millimetres
_LATIN, _CHINESE = "Helvetica", "gb2312"


class Pages:
    """A PDF of pages of one size.

    size: width and height, mm; title: the document's name.
    """

    def __init__(self, size: tuple[float, float], title: str) -> None:
        self._pdf = FPDF(unit="mm", format=size)
        self._pdf.set_auto_page_break(False)
        self._pdf.set_margin(0)
        self._pdf.set_title(title)
        self._pdf.set_creator("scanlatch")
        self._pdf.add_font(_CHINESE, fname=_FONT)
        self._font = self._pdf.fonts[_CHINESE]

    def add(self) -> None:
        """Begin a page."""
        self._pdf.add_page()

    def save(self, path: Path) -> None:
        """Write the file.

        Raises:
            ToolError: it can't be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ToolError(_("{path} can't be written: {error}").format(path=path, error=why(error))) from error
        outfile.write(path, bytes(self._pdf.output()), BEGINS)

    def text(self, x: float, y: float, text: str, size: float, *, bold: bool = False, grey: int = 0) -> float:
        """Text whose base line begins at (x, y). size: points; grey: 0 black to 255 white. Its width in mm.

        Raises:
            ToolError: a character is neither Latin-1 nor in GB 2312.
        """
        self._pdf.set_text_color(grey)
        at = x
        for family, run in self._runs(text):
            self._pdf.set_font(family, "B" if bold and family == _LATIN else "", size)
            self._pdf.text(at, y, run)
            at += self._pdf.get_string_width(run)
        return at - x

    def width(self, text: str, size: float) -> float:
        """How wide `text` would be, mm."""
        total = 0.0
        for family, run in self._runs(text):
            self._pdf.set_font(family, "", size)
            total += self._pdf.get_string_width(run)
        return total

    def fitted(self, x: float, y: float, text: str, size: float, most: float, *, bold: bool = False) -> None:
        """Text, made smaller where it is wider than `most` mm."""
        self.text(x, y, text, size * min(1.0, most / (1.1 * self.width(text, size))), bold=bold)

    def paragraph(self, x: float, y: float, text: str, size: float, most: float, *, grey: int = 0) -> None:
        """Latin text in lines of at most `most` mm, the first one's base line at (x, y)."""
        line = ""
        for word in text.split():
            longer = f"{line} {word}".strip()
            if line and self.width(longer, size) > most:
                self.text(x, y, line, size, grey=grey)
                y += 1.35 * size * _PT
                longer = word
            line = longer
        self.text(x, y, line, size, grey=grey)

    def modules_wide(self, content: str | bytes, kind: pictures.Kind) -> int:
        """How many modules wide a barcode is, without quiet zone. Raises as `symbol`."""
        return len(_rows(content, kind)[0])

    def frame(self, x: float, y: float, width: float, height: float) -> None:
        """A thin grey rectangle, to cut along."""
        self._pdf.set_draw_color(190)
        self._pdf.set_line_width(0.15)
        self._pdf.rect(x, y, width, height)

    def symbol(
        self,
        at: tuple[float, float],
        content: str | bytes,
        kind: pictures.Kind,
        module: float,
        *,
        height: float = 0,
        inverted: bool = False,
    ) -> tuple[float, float]:
        """A barcode whose upper left corner, without quiet zone, is `at`. Its (width, height), mm.

        module: width of its thinnest bar or square, mm; height: of a linear one, mm; inverted: white on black.

        Raises:
            ToolError: that kind can't hold this content.
        """
        rows = _rows(content, kind)
        linear = len(rows) == 1
        step = height if linear else module
        size = len(rows[0]) * module, len(rows) * step
        x, y = at
        if inverted:
            quiet = 4 * module
            self._pdf.set_fill_color(0)
            self._pdf.rect(x - quiet, y - quiet, size[0] + 2 * quiet, size[1] + 2 * quiet, style="F")
        self._pdf.set_fill_color(255 if inverted else 0)
        for i, row in enumerate(rows):
            for start, count in _dark(row):
                self._pdf.rect(x + start * module, y + i * step, count * module, step, style="F")
        return size

    def _runs(self, text: str) -> Iterator[tuple[str, str]]:
        for family, run in groupby(text, self._family):
            yield family, "".join(run)

    def _family(self, character: str) -> str:
        if ord(character) < 0x100:
            return _LATIN
        if ord(character) in self._font.cmap:  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
            return _CHINESE
        raise ToolError(
            _("{character!r} can't be printed: use Latin letters or characters of GB 2312").format(character=character)
        )


def _rows(content: str | bytes, kind: pictures.Kind) -> list[bytes]:
    try:
        return pictures.modules(content, kind)
    except pictures.PictureError as error:
        raise ToolError(str(error)) from None


def _dark(row: bytes) -> Iterator[tuple[int, int]]:
    """(first, count) of each run of dark modules."""
    at = 0
    for dark, run in groupby(row):
        count = len(list(run))
        if dark:
            yield at, count
        at += count
