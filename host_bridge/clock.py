"""Time and chance, passed in, so that a simulation can bring its own."""

import random
import time
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """UTC for evidence, monotonic ticks for waits; never mixed."""

    def now(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        ...

    def ticks(self) -> float:
        """Seconds of a clock that never goes back."""
        ...


class Chance(Protocol):
    """Where jitter and session ids come from."""

    def uniform(self, a: float, b: float) -> float: ...
    def getrandbits(self, k: int, /) -> int: ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def ticks(self) -> float:
        return time.monotonic()


def local_day(at: int) -> int:
    """The day of `at` (ms UTC) where this machine stands, yyyymmdd: last days on boxes are local days."""
    day = datetime.fromtimestamp(at / 1000).astimezone()
    return day.year * 10_000 + day.month * 100 + day.day


def system_chance() -> Chance:
    """Randomness of the operating system."""
    return random.SystemRandom()
