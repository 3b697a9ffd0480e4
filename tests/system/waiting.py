"""Waiting with a bound, for what has no event of its own, and for what a light says."""

import json
import time
from collections.abc import Callable
from typing import Any

from scanlatch_tools.twin import shown
from scanlatch_tools.twin.device import Twin

_POLL_S = 0.05


def until(true: Callable[[], object], what: str, timeout: float = 20) -> None:
    """Wait until something is true; the test fails where it is not within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(_POLL_S)


def until_shown(twin: Twin, pattern: str, after: int, timeout: float = 20) -> shown.Shown:
    """Wait until the light says `pattern`, from line `after` of the trace on."""
    eye = shown.Eye(reversed(twin.trace()[:after]))
    found: list[shown.Shown] = []

    def sees(line: dict[str, object]) -> bool:
        seen = eye.see(line)
        if seen is not None and seen.name == pattern:
            found.append(seen)
        return bool(found)

    twin.wait_for(sees, timeout, after)
    return found[0]


def console(twin: Twin, event: str) -> list[dict[str, Any]]:
    """Lines of a terminal's console with this event."""
    lines = (json.loads(line) for line in twin.console().splitlines() if line.startswith("{"))
    return [line for line in lines if line["event"] == event]


def switch_on(twin: Twin) -> None:
    """Power on, and wait until its scan engine is set up, or it died: what is read before that is not heard."""
    started = len(console(twin, "engine"))
    twin.start()
    until_engine(twin, started)


def until_engine(twin: Twin, told: int) -> None:
    """Wait until the scan engine is said to be ready, behind the first `told` lines about it."""

    def over() -> bool:
        return not twin.running or any(one["state"] == "ready" for one in console(twin, "engine")[told:])

    until(over, "the scan engine")
