"""What can be made to go wrong with the platform, and how often."""

import random
import threading
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

Outage = Literal["none", "refuse", "503"]
_MOST_LATENCY_MS = 60_000


class KnobError(ValueError):
    """A knob has no such name or no such position."""


@dataclass(frozen=True, slots=True)
class Knobs:
    """Positions of all knobs; the defaults disturb nothing."""

    latency_ms: int = 0  # before each answer
    error_rate: float = 0.0  # share of calls answered "busy" and not processed
    lose_rate: float = 0.0  # share of calls processed whose answer is then lost
    lose_next: int = 0  # so many of the next calls lose their answer, before `lose_rate` is asked
    outage: Outage = "none"  # "refuse" closes the port, "503" answers so and processes nothing
    open: bool = False  # every code is taken as known

    def turned(self, changes: dict[str, Any]) -> "Knobs":
        """These knobs with `changes` made.

        Raises:
            KnobError: a name or position does not exist.
        """
        known = {field.name for field in fields(self)}
        for name in changes:
            if name not in known:
                raise KnobError(f"no knob {name!r}: {', '.join(sorted(known))}")
        knobs = Knobs(**{**asdict(self), **changes})
        knobs._check()
        return knobs

    def _check(self) -> None:
        for name, most in (("latency_ms", _MOST_LATENCY_MS), ("lose_next", 1_000_000)):
            value = getattr(self, name)
            if type(value) is not int or not 0 <= value <= most:
                raise KnobError(f"{name}: a whole number from 0 to {most}")
        for name in ("error_rate", "lose_rate"):
            value = getattr(self, name)
            if type(value) not in (int, float) or not 0 <= value <= 1:
                raise KnobError(f"{name}: a number from 0 to 1")
        if self.outage not in get_args(Outage):
            raise KnobError(f"outage: {', '.join(get_args(Outage))}")
        if type(self.open) is not bool:
            raise KnobError("open: true or false")


class Panel:
    """The knobs as they stand now, shared by all threads of the server."""

    def __init__(self, knobs: Knobs, seed: int) -> None:
        self._lock = threading.Lock()
        self._knobs = knobs
        self._random = random.Random(seed)  # noqa: S311 - chance for a test, not for a key

    @property
    def knobs(self) -> Knobs:
        """Positions now."""
        return self._knobs

    def turn(self, changes: dict[str, Any]) -> Knobs:
        """Change some knobs; gives all of them. Raises KnobError."""
        with self._lock:
            self._knobs = self._knobs.turned(changes)
            return self._knobs

    def fails(self) -> bool:
        """Whether the call at hand is to be answered "busy"."""
        with self._lock:
            return self._random.random() < self._knobs.error_rate

    def loses(self) -> bool:
        """Whether the answer to the call at hand, processed by now, is to be lost."""
        with self._lock:
            if self._knobs.lose_next:
                self._knobs = self._knobs.turned({"lose_next": self._knobs.lose_next - 1})
                return True
            return self._random.random() < self._knobs.lose_rate
