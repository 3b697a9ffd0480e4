"""One terminal with a person before it: holds a picture under the beam, looks at the light, counts."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from scanlatch_tools.texts import _
from scanlatch_tools.twin import pictures, shown
from scanlatch_tools.twin.device import Twin
from scanlatch_tools.twin.trace import Line, TraceTimeoutError

LOOK_S = 8.0  # how long the person looks at the light
_NO_CODE = {"wrong_symbol", "torn", "unknown_symbol", "personal", "engine_code", "glued", "case_code"}
_TOLD_HERE = {"foreign_control", "badge", "done", "nothing", "credential_offline", "session_open", "session_refused"}
LOCAL = frozenset(_NO_CODE | _TOLD_HERE | {"full", "busy", "fault_refused", "bounce"})


@dataclass(slots=True)
class Scan:
    """What was seen of one scan.

    shown: names of the patterns, in order; seq: of the record, 0 where none was kept; the times are ms since the
    last byte of the symbol reached the terminal, None where the light did not come.
    """

    shown: list[str] = field(default_factory=list[str])
    seq: int = 0
    read_ms: float | None = None
    kept_ms: float | None = None
    answer_ms: float | None = None

    @property
    def answer(self) -> str:
        """The last thing that the light said."""
        return self.shown[-1] if self.shown else "nothing"


class Desk:
    """A running twin, and how many records were kept at it since it was made."""

    def __init__(self, device: str, at: str, twin: Twin, does: str = "sale") -> None:
        self.device = device
        self.at = at
        self.twin = twin
        self.does = does  # the operation that its settings name
        self.kept = 0

    def wait_ready(self, timeout: float = 30.0) -> None:
        """Wait until the link stands and the scan engine is set up."""
        self.wait_online(timeout)
        self.twin.wait_engine(timeout)

    def wait_online(self, timeout: float = 30.0, after: int = 0) -> None:
        """Wait for the light that says: ready, and the link stands."""
        self._wait_standing(f"idle_{self.does}", timeout, after)

    def wait_offline(self, timeout: float = 30.0, after: int = 0) -> None:
        """Wait for the light that says: no link."""
        self._wait_standing("offline", timeout, after)

    def hold(self, picture: Path, until: frozenset[str]) -> Scan:
        """Hold a picture under the beam until the light says one of `until`, or something local, or time is over."""
        symbols = pictures.read_picture(picture)  # before the clock runs: it is the engine's work
        return self._look(lambda: [self.twin.scan(symbol.data, symbol.aim) for symbol in symbols], until)

    def hold_text(self, code: str | bytes, until: frozenset[str], aim: str | None = None) -> Scan:
        """As `hold`, for a symbol with this content and AIM identifier."""
        return self._look(lambda: self.twin.scan(code, aim), until)

    def _look(self, present: Callable[[], object], until: frozenset[str]) -> Scan:
        mark = self.twin.mark()
        present()
        seen = Scan()
        try:
            self._watch(seen, mark, until | LOCAL)
        except TraceTimeoutError:
            seen.shown.append("nothing more")
        return seen

    def _watch(self, seen: Scan, mark: int, ends: frozenset[str]) -> None:
        eye = shown.Eye(reversed(self.twin.trace()[:mark]))
        sent_at: float | None = None  # told by another process than the lights, so it may come behind one
        reached: dict[str, float] = {}
        at = mark
        over = time.monotonic() + LOOK_S
        try:
            while not reached.keys() & ends:
                line = self.twin.wait_for(_any, max(0.0, over - time.monotonic()), at)
                at = line["n"] + 1
                if time.monotonic() > over:
                    raise TraceTimeoutError(_("the light said nothing more"))
                if line["what"] == "engine":
                    sent_at = line["at"]
                now = eye.see(line)
                if now is None or (not seen.shown and now.name != "read"):
                    continue
                seen.shown.append(now.name)
                reached[now.name] = now.at
                if now.name == "kept":
                    self.kept += 1
                    seen.seq = self.kept
        finally:
            took = {} if sent_at is None else {name: max(0.0, when - sent_at) for name, when in reached.items()}
            seen.read_ms, seen.kept_ms = took.get("read"), took.get("kept")
            if seen.seq and seen.answer in ends:
                seen.answer_ms = took.get(seen.answer)

    def _wait_standing(self, condition: str, timeout: float, after: int) -> None:
        colours = shown.standing(condition)
        self.twin.wait_for(lambda line: line["what"] == "light" and tuple(line["rgb"]) in colours, timeout, after)


def _any(_line: Line) -> bool:
    return True
