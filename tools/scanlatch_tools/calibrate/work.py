"""Calibrates the engine of one terminal: set-up with its own driver, then what a person scans, judged one by one."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from scanlatch_tools.cable import Cable, DeviceError, connected
from scanlatch_tools.calibrate import asked, setup
from scanlatch_tools.calibrate.frames import MARKS, judged
from scanlatch_tools.errors import ToolError
from scanlatch_tools.labels.calibration import SYMBOLS, Symbol
from scanlatch_tools.texts import _

SET_UP_S = 60.0  # one that has to be found may answer at the last question
_TAKE_MS = 1_000
_DARK, _GREEN, _RED = (0, 0, 0), (0, 60, 0), (60, 0, 0)

Tell = Callable[..., None]  # (name of the event, **facts)


class NotCalibratedError(ToolError):
    """Something is wrong with the engine still, or was not scanned."""

    status = 7


@dataclass(slots=True)
class Seen:
    """What is known by now. right, wrong: by the symbol's English name; family: "" until the engine answers."""

    family: str = ""
    right: set[str] = field(default_factory=set[str])
    wrong: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @property
    def missing(self) -> list[Symbol]:
        """Symbols that were not read at all."""
        return [symbol for symbol in SYMBOLS if symbol.english not in self.right | set(self.wrong)]


def calibrate(port: str, wait_s: float, tell: Tell) -> Seen:
    """Calibrate the engine of the terminal at a port; its program runs again at the end.

    wait_s: how long nothing may come before it is taken for the end.

    Raises:
        NotCalibratedError: at the end, where something is wrong still.
        NoAnswerError, CableLostError.
    """
    seen = Seen()
    with connected(port) as cable:
        try:
            _prepare(cable)
            _listen(cable, wait_s, tell, seen)
        except KeyboardInterrupt:
            cable.stop()
        finally:
            cable.restart()
    for symbol in seen.missing:
        tell("missing", symbol=symbol.english, setting=symbol.setting)
    left = len(seen.missing) + len(seen.wrong)
    tell("done", right=len(seen.right), of=len(SYMBOLS), left=left)
    if left:
        raise NotCalibratedError(
            _("{right} of {all} symbols are read as they must be: do what is told above, then run this again").format(
                right=len(seen.right), all=len(SYMBOLS)
            )
        )
    return seen


def _prepare(cable: Cable) -> None:
    try:
        cable.run(asked.PREPARE.format(marks=MARKS))
    except DeviceError as error:
        raise ToolError(
            _("the terminal's program or settings can't be used ({why}): `scanlatch doctor` says more").format(
                why=error.last
            )
        ) from error


def _listen(cable: Cable, wait_s: float, tell: Tell, seen: Seen) -> None:
    until = time.monotonic() + SET_UP_S + wait_s
    colour = _DARK
    trace: list[tuple[bytes, bytes]] = []
    told_silent = False
    tell("begun", of=len(SYMBOLS))
    while time.monotonic() < until and (seen.missing or seen.wrong):
        heard, states, asks = _take(cable, colour)
        trace += [(bytes.fromhex(command), bytes.fromhex(reply)) for command, reply in asks]
        colour = _DARK
        for state, detail, kind in states:
            if state == "ready" or str(detail).endswith("by line"):
                until = time.monotonic() + wait_s
                _ready(seen, kind, detail if state == "ready" else "line", trace, tell)
                trace = []
            elif not told_silent:
                told_silent = True
                tell("silent", why=detail)
        for aim, data in heard:
            until = time.monotonic() + wait_s
            colour = _GREEN if _scanned(seen, aim, None if data is None else bytes.fromhex(data), tell) else _RED


def _ready(seen: Seen, kind: str, detail: str, trace: list[tuple[bytes, bytes]], tell: Tell) -> None:
    seen.family = kind
    tell("engine", family=kind, text=detail or kind)
    for change in setup.changes(kind, trace):
        tell("setting", key=change.key, done=change.done, known=change.known)


def _scanned(seen: Seen, aim: str, data: bytes | None, tell: Tell) -> bool:
    found = judged(aim, data, seen.family)
    if found.symbol is None:
        tell("other")
        return False
    name = found.symbol.english
    if found.wrong:
        seen.right.discard(name)
        seen.wrong[name] = found.wrong
    else:
        seen.wrong.pop(name, None)
        seen.right.add(name)
    tell("scan", symbol=name, wrong=list(found.wrong), family=seen.family, left=len(seen.missing) + len(seen.wrong))
    return not found.wrong


def _take(cable: Cable, colour: tuple[int, int, int]) -> Any:
    arguments = ", ".join(map(str, (_TAKE_MS, *colour)))
    return json.loads(cable.run(asked.TAKE.format(arguments=arguments)).strip().rpartition("\n")[2])
