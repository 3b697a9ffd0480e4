"""Waiting with a bound, for what has no event of its own, and for what a light says."""

import time
from collections.abc import Callable

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
