"""What calls have taught about the platform: whether it is there, and when it may be called again."""

import structlog

from host_bridge.clock import Chance, Clock
from host_bridge.settlement.port import Answer
from host_bridge.wire import Reason

FIRST_WAIT_MS = 500  # after the first call without an answer; doubles from there
LONGEST_WAIT_MS = 10_000  # between two calls to a platform that does not answer
LONGEST_ROW_WAIT_MS = 60_000  # between two tries of one submission, whatever the platform does for others
JITTER = (0.5, 1.0)  # of a wait
DOWN_AFTER = 2  # calls in a row without an answer: the platform is out of reach, not merely slow once
STALE_S = 30.0  # a finding that the platform is out of reach holds this long, where nothing confirms it

_log = structlog.get_logger("scanlatch.outbox")


class Reach:
    """One platform as this bridge finds it. Written by the outbox's thread, `reachable` may be read by any."""

    def __init__(self, clock: Clock, chance: Chance) -> None:
        self._clock = clock
        self._chance = chance
        self._failures = 0  # calls without an answer since the last with one
        self._resume = 0.0  # ticks before which nothing is called
        self._down_until = 0.0  # ticks up to which the platform counts as out of reach

    @property
    def reachable(self) -> bool:
        """False while the platform is out of reach, as far as this bridge knows.

        A lost answer alone does not mean that: a connection refused does, or DOWN_AFTER calls in a row. What was
        found STALE_S ago is no longer known.
        """
        return self._clock.ticks() >= self._down_until

    @property
    def in_trouble(self) -> bool:
        """The last call had no answer: the platform is asked one thing at a time."""
        return self._failures > 0

    @property
    def rest_s(self) -> float:
        """How long nothing is to be called."""
        return max(0.0, self._resume - self._clock.ticks()) if self._failures else 0.0

    def judge(self, answers: list[Answer]) -> bool:
        """Learn from a call; True where the platform has just come back."""
        if any(answer.outcome != "unknown" for answer in answers):
            back, self._failures, self._down_until = self._failures > 0, 0, 0.0
            if back:
                _log.info("platform answers again")
            return back
        self._failures += 1
        ticks = self._clock.ticks()
        self._resume = ticks + self._wait_ms(self._failures, LONGEST_WAIT_MS) / 1000
        refused = any(answer.reason == Reason.PLATFORM_UNREACHABLE for answer in answers)
        if refused or self._failures >= DOWN_AFTER:
            self._down_until = ticks + STALE_S
        detail = next((answer.text for answer in answers if answer.text), None)
        _log.warning("platform gives no answer", failures=self._failures, detail=detail)
        return False

    def row_wait_ms(self, attempts: int) -> int:
        """How long a submission rests that was tried so often."""
        return self._wait_ms(attempts, LONGEST_ROW_WAIT_MS)

    def _wait_ms(self, times: int, longest_ms: int) -> int:
        wait_ms = min(longest_ms, FIRST_WAIT_MS << min(max(times - 1, 0), 16))
        return int(wait_ms * self._chance.uniform(*JITTER))
