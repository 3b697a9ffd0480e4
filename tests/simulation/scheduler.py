"""Virtual time: what happens when, one thing after the other, the same each time."""

import heapq
import itertools
from collections.abc import Callable

Job = Callable[[], None]


class Appointment:
    """One thing that is to happen; `cancel` forgets it."""

    __slots__ = ("at", "job")

    def __init__(self, at: int, job: Job) -> None:
        self.at = at
        self.job: Job | None = job

    def cancel(self) -> None:
        self.job = None


class Scheduler:
    """The one clock of a world. `now` is in ms from the beginning of the world, and never goes back."""

    def __init__(self) -> None:
        self.now = 0
        self.steps = 0
        self._order = itertools.count()
        self._due: list[tuple[int, int, Appointment]] = []

    def at(self, when: int, job: Job) -> Appointment:
        """Do `job` at `when`, behind all that was put there before."""
        made = Appointment(max(when, self.now), job)
        heapq.heappush(self._due, (made.at, next(self._order), made))
        return made

    def after(self, ms: float, job: Job) -> Appointment:
        """Do `job` in `ms`."""
        return self.at(self.now + max(0, round(ms)), job)

    def run(self, until: int, done: Callable[[], bool] | None = None) -> bool:
        """Let time pass up to `until`, or to where `done` is true. Whether it was.

        A job may call this: time then passes within it, as for a thread that blocks while others go on.
        """
        while self._due and self._due[0][0] <= until:
            at, _, appointment = heapq.heappop(self._due)
            if appointment.job is None:
                continue
            self.now = max(self.now, at)
            self.steps += 1
            job, appointment.job = appointment.job, None
            job()
            if done is not None and done():
                return True
        self.now = max(self.now, until)
        return False
