"""Shapes of the wiring pictures: cards, pads, wires and little drawings, as SVG."""

from xml.sax.saxutils import escape

INK, PALE, FAINT = "#1f2933", "#52606d", "#cbd2d9"
PAPER, CARD, CARD_EDGE = "#ffffff", "#f5f7fa", "#9aa5b1"
PCB, PCB_DARK, PCB_EDGE, GOLD = "#1d6b52", "#155140", "#0f3d30", "#e3b94f"
WARN = "#b42318"
SUPPLY, GROUND, TX, RX, TRIGGER = "#d64545", "#1f2933", "#dd6b20", "#2b6cb0", "#7c3aed"
LIGHT, TONE, BUTTON = "#2f9e44", "#0c8599", "#6b7280"
BEGINS = b"<svg "  # the pictures
_FONT = "'DejaVu Sans', Verdana, 'Noto Sans', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"


class Drawing:
    """An SVG picture that grows shape by shape. Lengths are pixels, from the upper left corner."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._shapes: list[str] = []

    def svg(self, width: int, height: int) -> str:
        """The whole picture."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'role="img" font-family="{_FONT}">'
        )
        frame = f'<rect width="{width}" height="{height}" rx="14" fill="{PAPER}"/>'
        return "\n".join([head, f"<title>{escape(self._title)}</title>", frame, *self._shapes, "</svg>", ""])

    def text(
        self, x: float, y: float, text: str, size: float = 13, color: str = INK, at: str = "start", bold: bool = False
    ) -> None:
        """A line of text that starts, ends or has its middle at `x`."""
        weight = ' font-weight="bold"' if bold else ""
        self._shapes.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" fill="{color}" text-anchor="{at}"{weight}>'
            f"{escape(text)}</text>"
        )

    def box(
        self, x: float, y: float, width: float, height: float, fill: str, edge: str = "none", rx: float = 10
    ) -> None:
        """A rectangle with round corners."""
        self._shapes.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{rx:g}" fill="{fill}" '
            f'stroke="{edge}" stroke-width="1.5"/>'
        )

    def wire(self, x: float, y: float, to_x: float, color: str, dashed: bool = False) -> None:
        """A wire from left to right."""
        dash = ' stroke-dasharray="7 5"' if dashed else ""
        self._shapes.append(
            f'<path d="M{x:g} {y:g}H{to_x:g}" stroke="{color}" stroke-width="4" stroke-linecap="round" '
            f'fill="none"{dash}/>'
        )

    def pad(self, x: float, y: float, text: str, color: str = GOLD, ink: str = INK) -> None:
        """A pin: a pill with its number or name, its middle at (x, y)."""
        width = max(38, 9 * len(text) + 16)
        self.box(x - width / 2, y - 12, width, 24, color, PCB_EDGE, 12)
        self.text(x, y + 4.5, text, 12.5, ink, "middle", bold=True)

    def path(self, d: str, stroke: str = "none", fill: str = "none", width: float = 2) -> None:
        """A path of SVG's own language."""
        self._shapes.append(
            f'<path d="{d}" stroke="{stroke}" fill="{fill}" stroke-width="{width:g}" stroke-linecap="round" '
            'stroke-linejoin="round"/>'
        )

    def circle(self, x: float, y: float, r: float, fill: str, edge: str = "none") -> None:
        """A circle round (x, y)."""
        self._shapes.append(
            f'<circle cx="{x:g}" cy="{y:g}" r="{r:g}" fill="{fill}" stroke="{edge}" stroke-width="1.5"/>'
        )

    def engine(self, x: float, y: float) -> None:
        """A scan engine that reads a barcode: 64 wide, 44 high."""
        self.box(x, y + 8, 22, 28, INK, rx=4)
        self.circle(x + 15, y + 22, 5, "#7dd3fc")
        self.path(f"M{x + 20} {y + 22}L{x + 44} {y + 2}V{y + 42}Z", fill="#f8717155")
        for at, width in ((44, 3), (49, 1.5), (53, 4), (59, 1.5), (62, 3)):
            self.box(x + at, y + 2, width, 40, INK, rx=0)

    def light(self, x: float, y: float, color: str) -> None:
        """A light, its middle at (x, y)."""
        for dx, dy in ((0, -1), (0.87, -0.5), (0.87, 0.5), (0, 1), (-0.87, 0.5), (-0.87, -0.5)):
            self.path(f"M{x + 11 * dx:g} {y + 11 * dy:g}L{x + 15 * dx:g} {y + 15 * dy:g}", color)
        self.circle(x, y, 8, color)

    def buzzer(self, x: float, y: float, color: str) -> None:
        """A buzzer that sounds, its middle at (x, y)."""
        self.path(f"M{x - 12} {y - 4}H{x - 6}L{x} {y - 10}V{y + 10}L{x - 6} {y + 4}H{x - 12}Z", fill=color)
        self.path(f"M{x + 5} {y - 5}A7 7 0 0 1 {x + 5} {y + 5}M{x + 9} {y - 9}A13 13 0 0 1 {x + 9} {y + 9}", color)

    def button(self, x: float, y: float, color: str) -> None:
        """A push button, its middle at (x, y)."""
        self.box(x - 12, y - 2, 24, 12, color, rx=3)
        self.box(x - 7, y - 10, 14, 9, color, rx=3)

    def wifi(self, x: float, y: float, color: str) -> None:
        """Waves of a radio, their middle at (x, y)."""
        self.circle(x, y + 8, 2.5, color)
        for r in (7, 13, 19):
            self.path(
                f"M{x - 0.7 * r:g} {y + 8 - 0.7 * r:g}A{r} {r} 0 0 1 {x + 0.7 * r:g} {y + 8 - 0.7 * r:g}",
                color,
                width=2.5,
            )

    def socket(self, x: float, y: float, color: str) -> None:
        """A network socket, its middle at (x, y)."""
        self.box(x - 13, y - 11, 26, 22, "none", color, 3)
        self.path(f"M{x - 7} {y + 6}V{y - 1}H{x - 3}V{y - 5}H{x + 3}V{y - 1}H{x + 7}V{y + 6}Z", color, width=1.5)
