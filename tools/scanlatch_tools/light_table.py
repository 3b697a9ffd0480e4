"""The table of what light and tone say, made from the device's own patterns and their comments."""

import re
from dataclasses import dataclass
from pathlib import Path

_STEP = re.compile(r"([A-Z.])(\d+)([a-z]?)")
_COLOUR = re.compile(r'    b"([A-Z.])(?:\\x[0-9a-f]{2}){3}"  # (.+)')
_TONES = re.compile(r"TONES = \(([\d, ]+)\)")
_ROW = re.compile(r"\\n([\w-]+) ([\w.]+)(?: ([\w.]+))?")
_LITERAL = re.compile(r'    b"([^"]+)"(?:  # (.+))?')


@dataclass(frozen=True)
class Step:
    """One step of a pattern: the colour's letter, milliseconds, and the tone's letter or ""."""

    colour: str
    ms: int
    tone: str


@dataclass(frozen=True)
class Row:
    """One pattern. `loop`: what a standing condition shows after `once`; empty for an event."""

    name: str
    meaning: str
    once: tuple[Step, ...]
    loop: tuple[Step, ...] = ()


def steps(pattern: str) -> tuple[Step, ...]:
    """The steps of a pattern as `firmware/scanlatch/show/patterns.py` writes them."""
    return tuple(Step(colour, int(units) * 10, tone) for colour, units, tone in _STEP.findall(pattern))


def rows(source: Path) -> list[Row]:
    """Every pattern of a patterns.py, in its order."""
    found: list[Row] = []
    row = ""  # may go on in the next line; the last one has the comment
    for line in source.read_text("utf-8").splitlines():
        literal = _LITERAL.fullmatch(line)
        row = row + literal[1] if literal else ""
        if literal and literal[2]:
            if named := _ROW.fullmatch(row):
                name, once, loop = named.groups("")
                found.append(Row(name, literal[2], steps(once), steps(loop)))
            row = ""
    return found


def markdown(source: Path) -> str:
    """The table for the docs: name, meaning, light, tone."""
    text = source.read_text("utf-8")
    colours = dict(_COLOUR.findall(text))
    tones = dict(zip("abcdefgh", "".join(_TONES.findall(text)).split(", "), strict=True))

    def light(row: tuple[Step, ...]) -> str:
        return ", ".join(f"{colours[step.colour]} {step.ms}" for step in row)

    lines = ["| pattern | means | light (ms) | tone (Hz) |", "|---|---|---|---|"]
    for row in rows(source):
        sound = ", ".join(tones[step.tone] for step in row.once if step.tone) or "none"
        shown = light(row.once) + (f"; then over and over {light(row.loop)}" if row.loop else "")
        lines.append(f"| `{row.name}` | {row.meaning} | {shown} | {sound} |")
    return "\n".join(lines) + "\n"
