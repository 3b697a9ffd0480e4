"""Draws how a board is wired, from its file alone: every wire is a straight line between two named ends."""

from typing import NamedTuple

from scanlatch_tools.boards import svg
from scanlatch_tools.boards.chips import CHIPS, Chip
from scanlatch_tools.boards.families import FAMILIES
from scanlatch_tools.boards.keys import runs
from scanlatch_tools.boards.schema import (
    ENGINES,
    ActiveBuzzer,
    Board,
    Button,
    EngineBuzzer,
    Lan,
    NeopixelLight,
    NoLight,
    PassiveBuzzer,
    PlainLight,
    RgbLight,
)
from scanlatch_tools.boards.svg import Drawing

_WIDTH = 1060
_TOP = 104  # of the cards, below the title
_ROW = 36
_HEAD = 76  # of a card, above its first row
_FOOT = 12
_ENGINE = (32, 352)  # left and right edge
_BOARD = (452, 728)
_PART = (828, 1028)
_BADGE = 56
_LEVEL = "must not exceed 3.3 V"
_INSET = 34  # of what is on the board: clear of the pads at its edge
_SOFT = "#cfe6dc"  # small print on the board
_ICON = {"light": "#8ce99a", "buzzer": "#66d9e8", "button": "#dee2e6", "wifi": "#a5d8ff", "socket": "#ffd43b"}
_CARD_ICON = {"light": svg.LIGHT, "buzzer": svg.TONE, "button": svg.BUTTON}
_DARK = {"GND": svg.INK, "+": svg.SUPPLY, "3V3": svg.SUPPLY}


class _Wire(NamedTuple):
    """A wire: its end at the board, its end at the part, what is said at the part, and at the board."""

    ours: str
    its: str
    color: str
    says: str = ""
    place: str = ""


class _Card(NamedTuple):
    """A part that hangs on wires."""

    title: str
    icon: str
    says: str
    wires: list[_Wire]


def of_board(board: Board) -> str:
    """The picture of a board (SVG)."""
    chip = CHIPS[board.board.chip]
    drawing = Drawing(f"How {board.board.title} is wired")
    drawing.text(32, 44, board.board.title, 23, bold=True)
    network = f"wired, {board.network.phy}" if isinstance(board.network, Lan) else "Wi-Fi"
    drawing.text(32, 68, f"{board.board.name} · {chip.title} · {network} · {board.flash.size_mb} MiB", 14, svg.PALE)
    drawing.text(32, 89, "数字为 GPIO 号；我方 TX 接扫码头 RX，我方 RX 接扫码头 TX；地线必须相连。", 13, svg.PALE)
    wires = _engine_wires(board)
    cards = _cards(board)
    badges = _badges(board)
    right = sum(_HEAD + len(card.wires) * _ROW + _FOOT + 14 for card in cards) - 14
    inside = _HEAD + len(wires) * _ROW + _FOOT + len(badges) * _BADGE + 4
    bottom = _TOP + max(inside, right)
    _board(drawing, board, badges, bottom)
    _engine_card(drawing, board.engine.kind, board.engine.baud, wires, _TOP, _BOARD[0], plugged=_plugged(board))
    y = _TOP
    for card in cards:
        y = _part(drawing, card, y) + 14
    notes = _notes(board, chip)
    for at, note in enumerate(notes):
        drawing.text(32, bottom + 32 + 21 * at, note, 12.5, svg.PALE)
    return drawing.svg(_WIDTH, round(bottom + 26 + 21 * len(notes)))


def of_engine(kind: str) -> str:
    """The picture of an engine's own wires, whatever the board (SVG)."""
    drawing = Drawing(f"How an engine is wired: {FAMILIES[kind].title}")
    wires = _wires("TX", "RX", "pin" if kind == "line" else None, FAMILIES[kind].supply)
    left, right, top = _BOARD[0], _BOARD[0] + 196, 24
    bottom = top + _HEAD + len(wires) * _ROW + _FOOT + (18 if FAMILIES[kind].below else 0)
    drawing.box(left, top, right - left, bottom - top, svg.PCB, svg.PCB_EDGE, 14)
    drawing.text((left + right) / 2, top + 30, "ESP32 board", 16, svg.PAPER, "middle", bold=True)
    drawing.text((left + right) / 2, top + 50, "pins: see its own picture", 11.5, _SOFT, "middle")
    _engine_card(drawing, kind, None, wires, top, left)
    return drawing.svg(right + 32, bottom + 24)


def _plugged(board: Board) -> bool:
    return board.uart.place.endswith("base")


def _engine_wires(board: Board) -> list[_Wire]:
    supply = "through the base" if _plugged(board) else FAMILIES[board.engine.kind].supply
    trigger = board.engine.trigger
    wires = _wires(str(board.uart.tx), str(board.uart.rx), None if trigger is None else str(trigger), supply)
    return [wire._replace(says="") if _plugged(board) and wire.says == _LEVEL else wire for wire in wires]


def _wires(tx: str, rx: str, trigger: str | None, supply: str) -> list[_Wire]:
    wires = [
        _Wire("+", "VCC", svg.SUPPLY, supply, "supply"),
        _Wire("GND", "GND", svg.GROUND, "common ground", "ground"),
        _Wire(tx, "RX", svg.TX, "", "our TX"),
        _Wire(rx, "TX", svg.RX, _LEVEL, "our RX"),
    ]
    if trigger is not None:
        wires.append(_Wire(trigger, "TRIG", svg.TRIGGER, "low while the button is down", "trigger"))
    return wires


def _engine_card(
    drawing: Drawing, kind: str, baud: int | None, wires: list[_Wire], top: float, edge: float, *, plugged: bool = False
) -> None:
    family = FAMILIES[kind]
    below = "the base plugs on: nothing to wire" if plugged else family.below
    left, right = _ENGINE
    height = _HEAD + len(wires) * _ROW + _FOOT + (18 if below else 0)
    drawing.box(left, top, right - left, height, svg.CARD, svg.CARD_EDGE, 12)
    drawing.engine(left + 16, top + 14)
    drawing.text(left + 98, top + 28, family.title, 15, bold=True)
    drawing.text(left + 98, top + 46, family.models, 11, svg.PALE)
    drawing.text(left + 98, top + 62, f"{baud or ENGINES[kind]} baud, 8N1", 11, svg.PALE)
    for at, wire in enumerate(wires):
        y = top + _HEAD + (at + 0.5) * _ROW
        drawing.wire(right, y, edge, wire.color, dashed=plugged)
        color = svg.WARN if wire.says == _LEVEL else svg.PALE
        drawing.text(right - 36, y + 4.5, wire.says, 11.5, color, "end")
        drawing.pad(right, y, wire.its, svg.FAINT)
        _our_pad(drawing, edge, y, wire.ours)
        drawing.text(edge + 30, y + 4.5, wire.place, 12, svg.PAPER)
    if below:
        drawing.text(left + 16, top + height - 13, below, 11, svg.PALE)


def _our_pad(drawing: Drawing, x: float, y: float, name: str) -> None:
    drawing.pad(x, y, name, _DARK.get(name, svg.GOLD), svg.PAPER if name in _DARK else svg.INK)


def _board(drawing: Drawing, board: Board, badges: list[tuple[str, str, list[str]]], bottom: float) -> None:
    left, right = _BOARD
    middle = (left + right) / 2
    place = f" · {board.uart.place}" if board.uart.place else ""
    drawing.box(left, _TOP, right - left, bottom - _TOP, svg.PCB, svg.PCB_EDGE, 14)
    title = CHIPS[board.board.chip].title.partition(" with")[0]
    drawing.text(middle, _TOP + 32, title, 17, svg.PAPER, "middle", bold=True)
    drawing.text(middle, _TOP + 53, f"UART{board.uart.id}{place}", 12, _SOFT, "middle")
    y = bottom - len(badges) * _BADGE - 6
    for icon, title, says in badges:
        drawing.box(left + _INSET, y, right - left - 2 * _INSET, _BADGE - 8, svg.PCB_DARK, "#2f8f70", 8)
        getattr(drawing, icon)(left + _INSET + 24, y + (_BADGE - 8) / 2, _ICON[icon])
        first = y + (20 if len(says) < 2 else 15)
        drawing.text(left + _INSET + 50, first, title, 12, svg.PAPER, bold=True)
        for at, line in enumerate(says):
            drawing.text(left + _INSET + 50, first + (16 if len(says) < 2 else 13.5 * (at + 1)), line, 10.5, _SOFT)
        y += _BADGE


def _badges(board: Board) -> list[tuple[str, str, list[str]]]:
    """Icon, title and lines for what is on the board itself."""
    found: list[tuple[str, str, list[str]]] = []
    light, buzzer, button, network = board.light, board.buzzer, board.button, board.network
    if not isinstance(light, NoLight) and light.onboard:
        pins = f"{light.red}, {light.green}, {light.blue}" if isinstance(light, RgbLight) else f"{light.pin}"
        found.append(("light", f"light on {pins}", _place(light.place)))
    if isinstance(buzzer, PassiveBuzzer | ActiveBuzzer) and buzzer.onboard:
        found.append(("buzzer", f"buzzer on {buzzer.pin}", _place(buzzer.place)))
    if isinstance(buzzer, EngineBuzzer):
        found.append(("buzzer", "engine's own buzzer", ["beeps by command"]))
    if button is not None and button.onboard:
        found.append(("button", f"button on {button.pin}", _place(button.place)))
    if isinstance(network, Lan):
        found.append(("socket", f"{network.phy}, address {network.phy_addr}", _lan(network)))
    else:
        found.append(("wifi", "Wi-Fi", ["joined at enrolment"]))
    return found


def _place(place: str) -> list[str]:
    return [place or "on the board"]


def _lan(network: Lan) -> list[str]:
    said: list[str] = []
    said += [f"power {network.power}"] if network.power is not None else []
    said += [f"reset {network.reset}"] if network.reset is not None else []
    clock = f"{network.ref_clk_mode} {network.ref_clk}" if network.ref_clk is not None else "in 0"
    return [f"MDC {network.mdc} · MDIO {network.mdio}", " · ".join([*said, f"clock {clock}"])]


def _cards(board: Board) -> list[_Card]:
    """The parts that hang on wires at the right, from above."""
    found: list[_Card] = []
    light, buzzer, button = board.light, board.buzzer, board.button
    ground, plus = _Wire("GND", "GND", svg.GROUND), _Wire("3V3", "+", svg.SUPPLY)
    if isinstance(light, NeopixelLight) and not light.onboard:
        data = _Wire(str(light.pin), "DIN", svg.LIGHT, "data in", light.place)
        says = f"WS2812 (NeoPixel) × {light.count}" if light.count > 1 else "WS2812 (NeoPixel)"
        found.append(_Card("Light", "light", says, [data, _Wire("+", "V+", svg.SUPPLY, "5 V or 3.3 V"), ground]))
    if isinstance(light, PlainLight) and not light.onboard:
        led = _Wire(str(light.pin), "−" if light.active_low else "+", svg.LIGHT, "through 330 Ω", light.place)
        found.append(_Card("Light", "light", "one LED", [led, plus if light.active_low else ground]))
    if isinstance(light, RgbLight) and not light.onboard:
        pins = ((light.red, "R", svg.SUPPLY), (light.green, "G", svg.LIGHT), (light.blue, "B", svg.RX))
        wires = [_Wire(str(pin), its, color, "through 330 Ω") for pin, its, color in pins]
        says = "RGB, common plus" if light.active_low else "RGB LED"
        found.append(_Card("Light", "light", says, [*wires, plus if light.active_low else ground]))
    if isinstance(buzzer, PassiveBuzzer | ActiveBuzzer) and not buzzer.onboard:
        wire = _Wire(str(buzzer.pin), "+", svg.TONE, "over 10 mA: transistor", buzzer.place)
        found.append(_Card("Buzzer", "buzzer", buzzer.kind, [wire, ground]))
    if isinstance(button, Button) and not button.onboard:
        wire = _Wire(str(button.pin), "1", svg.BUTTON, "", button.place)
        found.append(
            _Card(
                "Button",
                "button",
                "closes when pressed",
                [wire, (ground if button.active_low else plus)._replace(its="2")],
            )
        )
    return found


def _part(drawing: Drawing, card: _Card, y: float) -> float:
    """Draw a part and its wires; gives its lower edge."""
    left, right = _PART
    height = _HEAD + len(card.wires) * _ROW + _FOOT
    drawing.box(left, y, right - left, height, svg.CARD, svg.CARD_EDGE, 12)
    getattr(drawing, card.icon)(left + 36, y + 38, _CARD_ICON[card.icon])
    drawing.text(left + 66, y + 35, card.title, 15, bold=True)
    drawing.text(left + 66, y + 53, card.says, 11, svg.PALE)
    for at, wire in enumerate(card.wires):
        row = y + _HEAD + (at + 0.5) * _ROW
        drawing.wire(_BOARD[1], row, left, wire.color)
        drawing.pad(left, row, wire.its, svg.FAINT)
        drawing.text(left + 32, row + 4.5, wire.says, 11.5, svg.PALE)
        _our_pad(drawing, _BOARD[1], row, wire.ours)
        drawing.text(_BOARD[1] - 30, row + 4.5, wire.place, 12, svg.PAPER, "end")
    return y + height


def _notes(board: Board, chip: Chip) -> list[str]:
    """What stands below: pins to leave alone."""
    reasons: dict[str, list[int]] = {}
    for pin, reason in chip.taken.items():
        reasons.setdefault(reason.removeprefix("the ").removeprefix("module's ").removesuffix(" chip"), []).append(pin)
    said = [f"{runs(pins)} {reason}" for reason, pins in reasons.items()]
    if chip.straps:
        said.append(f"{runs(list(chip.straps))} decide the start")
    if isinstance(board.network, Lan) and chip.rmii:
        said.append(f"{runs(list(chip.rmii))} network")
    if chip.input_only:
        said.append(f"{runs(list(chip.input_only))} inputs only")
    return ["Leave alone: " + " · ".join(said) + "."] if said else []
