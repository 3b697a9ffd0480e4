"""What the light of a twin says: the indicator's patterns, recognised in the trace as a person would."""

import importlib.util
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from scanlatch_tools import places
from scanlatch_tools.twin.trace import Line

_STEP = re.compile(rb"([A-Z.])(\d+)([a-h]?)")

Beep = tuple[tuple[int, ...], int]  # colour and tone


@dataclass(frozen=True, slots=True)
class Shown:
    """A pattern began: its name, when (UTC ms), and the number of the line in the trace that told."""

    name: str
    at: float
    line: int


class Eye:
    """Follows a trace line by line. A pattern is told by the colour and tone of its first beep, some by the second."""

    def __init__(self, before: Iterable[Line] = ()) -> None:
        """before: lines before the first that will be seen, the newest first: the light may be on already."""
        lights = (line for line in before if line["what"] == "light")
        self._colour: tuple[int, ...] = tuple(next(lights, {"rgb": (0, 0, 0)})["rgb"])
        self._begun: tuple[Beep, float] | None = None

    def see(self, line: Line) -> Shown | None:
        """The pattern that this line shows to have begun, where it does."""
        if line["what"] == "light":
            self._colour = tuple(line["rgb"])
            return None
        if line["what"] != "tone" or not line["hz"]:
            return None
        beep = (self._colour, int(line["hz"]))
        if self._begun is not None:
            first, at = self._begun
            self._begun = None
            name = _patterns().get((first, beep))
            if name:
                return Shown(name, at, line["n"])
        if beep in _families():
            self._begun = (beep, line["at"])
            return None
        name = _patterns().get((beep,))
        return Shown(name, line["at"], line["n"]) if name else None

    def watch(self, lines: Iterable[Line]) -> Iterator[Shown]:
        """Every pattern that begins in these lines."""
        for line in lines:
            seen = self.see(line)
            if seen:
                yield seen


def standing(name: str) -> set[tuple[int, ...]]:
    """Colours in which a standing condition blinks, without those that it shares with "idle"."""
    table = _table()
    _, loop = _rows(table.STANDING)[name]
    colours = {beep[0] for beep in _beeps(table, loop)}
    return colours - {(0, 0, 0)}


@cache
def _patterns() -> dict[tuple[Beep, ...], str]:
    table = _table()
    named = {**_rows(table.EVENTS), **_rows(table.RARE), **_rows(table.STANDING)}
    beeps = {name: [beep for beep in _beeps(table, pattern[0]) if beep[1]] for name, pattern in named.items()}
    firsts = [found[0] for found in beeps.values() if found]
    return {tuple(found[: min(firsts.count(found[0]), 2)]): name for name, found in beeps.items() if found}


@cache
def _families() -> set[Beep]:
    return {beeps[0] for beeps in _patterns() if len(beeps) > 1}


def _rows(table: bytes) -> dict[str, list[bytes]]:
    """Name of each row, and its patterns: what is shown once, then what is shown over and over, where it has that."""
    rows = (row.split() for row in table.splitlines() if row)
    return {name.decode(): patterns for name, *patterns in rows}


def _beeps(table: ModuleType, pattern: bytes) -> list[Beep]:
    colours = {table.COLOURS[at]: tuple(table.COLOURS[at + 1 : at + 4]) for at in range(0, len(table.COLOURS), 4)}
    return [
        (colours[colour[0]], table.TONES[tone[0] - ord("a")] if tone else 0)
        for colour, _, tone in _STEP.findall(pattern)
    ]


@cache
def _table() -> ModuleType:
    """The device's own table, loaded from the firmware's file."""
    path = places.firmware() / "scanlatch" / "show" / "patterns.py"
    spec = importlib.util.spec_from_file_location("_device_patterns", path)
    if spec is None or spec.loader is None:
        raise ImportError(str(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
