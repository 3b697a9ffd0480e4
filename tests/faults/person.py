"""Somebody who scans box after box at one terminal, whatever happens to it and to all the rest."""

import itertools
import threading

from tests.faults.site_with_terminals import Person
from tests.meanwhile import Meanwhile
from tests.system.waiting import console, until_engine

_STACK = 10  # boxes in a row, faster than any clerk; flash is erased while the next stack is fetched
_NEXT_STACK_S = 0.6
_DARK_S = 60  # a terminal without power


class Stream(Meanwhile):
    """Scans until the `with` block ends; rests while the terminal has no power."""

    def __init__(self, person: Person, next_box_s: float = 0.02) -> None:
        super().__init__()
        self.person = person
        self._next_box_s = next_box_s
        self._kills = 0
        self._powered = threading.Event()
        self._powered.set()

    @property
    def powered(self) -> bool:
        """Whether scanning goes on."""
        return self._powered.is_set()

    def kill(self) -> None:
        """`kill -9` of the terminal, whatever it is doing."""
        self._kills += 1
        self._powered.clear()
        self.person.twin.kill()

    def start(self) -> None:
        """Power on; scanning goes on when the engine is there."""
        twin = self.person.twin
        told = len(console(twin, "engine"))
        twin.start()
        until_engine(twin, told)
        self._powered.set()

    def work(self) -> None:
        for count in itertools.count(1):
            kills = self._when_powered()
            if kills is None:
                return
            said = self.person.scan()
            assert said == "kept" or self._kills > kills, said
            if self.over.wait(_NEXT_STACK_S if count % _STACK == 0 else self._next_box_s):
                return

    def _when_powered(self) -> int | None:
        """Wait for power; how often it had been cut before that was seen, None where it is over meanwhile."""
        for _ in range(10 * _DARK_S):
            kills = self._kills  # before the look: a cut behind it counts
            if self._powered.wait(0.1):
                return kills
            if self.over.is_set():
                return None
        raise AssertionError(f"no power for {_DARK_S} s")
