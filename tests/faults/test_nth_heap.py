"""A terminal with less and less heap works whole, or says what is wrong and starts again; no record is lost."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from scanlatch_tools.twin import shown
from scanlatch_tools.twin.device import Twin

from tests.faults.balance import balanced
from tests.faults.nth_cases import FULL, SEED
from tests.faults.site_with_terminals import CODES, SITE, Person, stage
from tests.system.waiting import until

ENOUGH_KB = 160  # what every twin has
LARGEST_KB, SMALLEST_KB, STEP_KB = 152, 92, 2  # at the largest it works whole
NO_START_KB = 112  # from there on downwards it may be that nothing starts at all, and the console says so
IN_TEST = 2
BOXES = 3
_TRIES_MORE = 5
_READY_S, _ANSWERED_S, _AGAIN_S = 60, 20, 120  # eight tries with growing waits, or the watchdog
_GOES_ON = 8  # tries of its engine or its link: a terminal younger than ten minutes does not end with the fifth
_TROUBLE = frozenset({"fault", "engine", "busy", "error", "offline", "link_refused", "fault_refused", "torn"})


class Attempt:
    """One power-on of the terminal with a heap of so many KB."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        self._mark, self._printed = twin.mark(), len(twin.console())
        twin.start()

    def said(self) -> list[str]:
        return [one.name for one in shown.Eye().watch(self.twin.trace(self._mark))]

    def printed(self) -> str:
        return self.twin.console()[self._printed :]

    def over(self) -> bool:
        """Its program has ended and waits for the watchdog, or has started again."""
        ends = ("ended", "fallen", "reset")
        return (
            self.twin.restarts > 0
            or not self.twin.running
            or any(line["what"] in ends for line in self.twin.trace(self._mark))
        )

    def works(self, person: Person) -> bool:
        """The person scans until a few boxes were kept and answered, a few times again where the light says "busy"."""
        self._wait(lambda: '"state": "ready"' in self.printed(), _READY_S)
        for _ in range(BOXES + _TRIES_MORE):
            if '"state": "ready"' not in self.printed() or self.over():
                return False
            code, kept, done = CODES[len(person.held)], self.said().count("kept"), self._answered()
            person.held.append(code)
            self.twin.scan(code)
            self._wait(lambda before=done: self._answered() > before, _ANSWERED_S)
            if self.said().count("kept") > kept:
                person.kept.append(code)
            if self.said().count("accepted") >= BOXES:
                return True
        return False

    def _goes_on(self) -> bool:
        said = self.printed()
        return max(said.count('"detail": "no memory"'), said.count('"cause": "memory"')) >= _GOES_ON

    def _answered(self) -> int:
        said = self.said()
        return said.count("accepted") + said.count("busy")

    def tells(self) -> bool:
        """Whether light or console say what is wrong."""
        return bool(_TROUBLE.intersection(self.said())) or "MemoryError" in self.printed() or "memory" in self.printed()

    def starts_again(self) -> None:
        """Wait until it has reset itself, its watchdog has bitten, or it goes on trying and will do so later."""
        until(lambda: self.over() or self._goes_on(), "an end or a restart", _AGAIN_S)
        if not self.twin.restarts and not self._goes_on():
            self._hurry()
            until(lambda: self.twin.restarts, "the watchdog", 60)

    def _wait(self, true: Callable[[], object], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not true() and not self.over() and time.monotonic() < deadline:
            time.sleep(0.1)

    def _hurry(self) -> None:
        """So that the test does not have to last as long as the watchdog waits."""
        watchdog = self.twin.folder / "wdt"
        until(watchdog.exists, "a watchdog", 60)
        timeout = int(watchdog.read_text().split()[1])
        watchdog.write_text(f"{int(time.monotonic() * 1000) - timeout + 200} {timeout} \n")


def _sizes() -> list[int]:
    every = list(range(LARGEST_KB, SMALLEST_KB - 1, -STEP_KB))
    if FULL:
        return every
    print(f"seed {SEED}: SCANLATCH_SEED={SEED} gives the same again")
    return sorted(random.Random(SEED).sample(every, IN_TEST), reverse=True)  # a choice, no key


@pytest.mark.timeout(3600 if FULL else 400)
def test_with_less_and_less_heap_a_terminal_works_whole_or_says_so_and_starts_again(tmp_path: Path) -> None:
    with stage(tmp_path) as site:
        site.platform.know(CODES)
        twin = site.terminal("d-heap-01", SITE)
        twin.stop()
        person, whole = Person(twin, iter(CODES)), []
        for size in _sizes():
            with Twin(twin.folder, heap=f"{size}K") as smaller:
                attempt = Attempt(smaller)
                if attempt.works(person):
                    whole.append(size)
                    continue
                assert attempt.tells(), f"{size} KB: {attempt.said()} {attempt.printed()}"
                if smaller.status is not None:  # not even a watchdog: stand-ins and interpreter fill the heap
                    assert size <= NO_START_KB
                    continue
                attempt.starts_again()
        if FULL:
            assert whole[0] == LARGEST_KB
            assert whole[-1] > SMALLEST_KB
        with Twin(twin.folder, heap=f"{ENOUGH_KB}K") as person.twin:
            assert Attempt(person.twin).works(person)
            balanced(site, person, within=60, heads=FULL)
