"""A site whose parts are cut: real mosquitto, bridge, platform, and codes that nobody sold yet."""

from collections.abc import Iterator
from pathlib import Path

from scanlatch_tools.errors import ToolError
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin import shown
from scanlatch_tools.twin.device import Twin
from scanlatch_tools.twin.trace import Line

from tests.system.waiting import console, until

SITE = "clinic-7"
CODES = [f"8101235{number:013}" for number in range(4_000)]
_LOOK_S = 20
_ERASED = ("flash", "erase")


class Person:
    """Scans at one terminal, box after box, and remembers for which of them the light said "kept"."""

    def __init__(self, twin: Twin, codes: Iterator[str]) -> None:
        self.twin = twin
        self.device = twin.folder.name
        self.held: list[str] = []  # every box under the beam
        self.kept: list[str] = []
        self.shown: list[str] = []  # every pattern so far
        self._codes = codes

    def scan(self, ends: frozenset[str] = frozenset({"kept", "full", "fault_refused"})) -> str:
        """Scan the next box and look until the light says one of `ends`; "dark" where the terminal died before.

        Where it is busy preparing its flash the person takes a breath, and goes on with the box after.
        """
        mark = self.twin.mark()
        said = self._hold(ends | {"busy"})
        if said == "busy":
            self.twin.wait_for(lambda line: _dies(line) or (line["what"], line.get("op")) == _ERASED, _LOOK_S, mark)
            said = self._hold(ends)
        return said

    def _hold(self, ends: frozenset[str]) -> str:
        if not self.twin.running:
            return "dark"
        mark, code = self.twin.mark(), next(self._codes)
        self.held.append(code)
        eye = shown.Eye(reversed(self.twin.trace()))
        said: list[str] = []

        def over(line: Line) -> bool:
            seen = eye.see(line)
            if seen is not None:
                said.append(seen.name)
            return bool(ends.intersection(said)) or _dies(line)

        self.twin.scan(code)
        try:
            self.twin.wait_for(over, _LOOK_S, mark)
        except ToolError:
            if self.twin.running:
                raise
        if "kept" in said:
            self.kept.append(code)
        self.shown += said
        return next((name for name in said if name in ends), "dark")


def until_link(twin: Twin, told: int, *, online: bool, within: float) -> None:
    """Wait until a terminal says, behind the first `told` events about its link, that this stands, or that it doesn't.

    For where the light says "pending", which goes before what it says of the link.
    """
    wanted = "the link" if online else "no link"
    until(lambda: any(one["online"] is online for one in console(twin, "link")[told:]), wanted, within)


def stage(folder: Path) -> Stage:
    """A stage whose platform knows all `CODES`; not started yet."""
    return Stage(folder / "stage", [SITE], broker="mosquitto")


def _dies(line: Line) -> bool:
    return (line["what"], line.get("event")) == ("power", "cut")
