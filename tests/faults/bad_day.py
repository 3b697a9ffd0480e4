"""A day on which one thing after another goes wrong, from a seed: boxes are scanned all the while, the books balance.

`python -m tests.faults.bad_day --seed 7 --seconds 600` for a long one.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.faults import plagues
from tests.faults.balance import balanced
from tests.faults.person import Stream
from tests.faults.plagues import Plague
from tests.faults.site_with_terminals import SITE, Person
from tests.faults.wired_site import WiredSite
from tests.system.waiting import until, until_engine

_TERMINALS = 2
_BEFORE, _MEANWHILE = 6, 4  # scans of all together between two plagues, and while one is at work
_WORST_S = 45  # the longest that so many scans take, while terminals start or prepare their flash
_AT_ONCE = 3  # plagues at work together
_GO_ON = 0.3  # chance that a plague outlasts the next
_LONG = 0.1  # chance that a plague lasts until timeouts and keepalives have passed
_LONG_S = 40.0
_SETTLE_S = 180  # what a dead part held comes again after 30 s; waits between tries have grown to a minute
_NEXT_BOX_S = 0.3  # on a long day


class Day:
    """One day at a site; `done` tells what went wrong, in order."""

    def __init__(self, site: WiredSite, streams: list[Stream], possible: list[Plague], chance: random.Random) -> None:
        self.done: list[str] = []
        self._site = site
        self._streams = streams
        self._possible = possible
        self._chance = chance
        self._at_work: list[Plague] = []

    @property
    def scans(self) -> int:
        """Boxes kept so far."""
        return sum(len(stream.person.kept) for stream in self._streams)

    def run(self, over: Callable[[], bool], long: float) -> None:
        """One plague after another until `over`, some of them together; then all is mended."""
        while not over():
            self._await_scans(_BEFORE)
            plague = self._chance.choice(self._possible)
            self._end([one for one in self._at_work if one.parts & plague.parts])
            self.done.append(plague.name)
            self._at_work.append(plague)
            plague.begin()
            self._await_scans(_MEANWHILE)
            if self._chance.random() < long and not over():
                time.sleep(_LONG_S)
            if self._chance.random() > _GO_ON or len(self._at_work) == _AT_ONCE:
                self._end(self._at_work[:])
        self._end(self._at_work[:])
        self._await_scans(_BEFORE)

    def _end(self, plagues: list[Plague]) -> None:
        needed = frozenset[str]().union(*(one.needs for one in plagues))
        first = [one for one in self._at_work if one.parts & needed and not one.needs]
        for plague in first + [one for one in plagues if one not in first]:
            plague.end()
            self._at_work.remove(plague)

    def _await_scans(self, count: int) -> None:
        """Until so many more were kept; not while no terminal has power."""
        goal = self.scans + count
        powered = [stream for stream in self._streams if stream.powered]
        until(
            lambda: not powered or self.scans >= goal or any(stream.failed for stream in self._streams),
            f"{count} scans",
            _WORST_S,
        )


def live_through(
    folder: Path,
    seed: int,
    over: Callable[[Day], bool],
    which: Callable[[WiredSite, list[Stream]], list[Plague]],
    *,
    codes: list[str],
    next_box_s: float = 0.02,
    long: float = 0.0,
) -> Day:
    """A whole day at a new site, books and all. Raises where it did not go as it must; the seed is in the message.

    Args:
        folder: for all its files.
        seed: of every choice; what threads and processes make of them is not the same again.
        over: whether it has lasted long enough.
        which: plagues that may come.
        codes: boxes.
        next_box_s: between two boxes at one terminal.
        long: chance that a plague lasts until timeouts and keepalives have passed.
    """
    days: list[Day] = []
    try:
        with WiredSite(folder) as site:
            site.platform.know(codes)
            boxes = iter(codes)
            people = [Person(site.terminal(f"d-day-{n:02}", SITE), boxes) for n in range(1, _TERMINALS + 1)]
            with ExitStack() as stack:
                for person in people:
                    until_engine(person.twin, 0)
                streams = [stack.enter_context(Stream(person, next_box_s)) for person in people]
                day = Day(site, streams, which(site, streams), random.Random(seed))
                days.append(day)
                day.run(lambda: over(day), long)
            balanced(site, *people, within=_SETTLE_S)
    except BaseException as error:
        done = days[0].done if days else []
        raise AssertionError(f"SCANLATCH_SEED={seed}, {len(done)} plagues, the last of them {done[-5:]}") from error
    return days[0]


def _all(site: WiredSite, streams: list[Stream]) -> list[Plague]:
    """Kills as often as lines, though there are more ways for a line to fail."""
    kills, lines = plagues.kills(site, streams), plagues.lines(site)
    return kills * (len(lines) // len(kills)) + lines


def main() -> int:
    """Exit status 1 where the day did not go as it must."""
    parser = argparse.ArgumentParser(description="A long day at a site on which everything goes wrong.")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    given = parser.parse_args()
    ends = time.monotonic() + given.seconds
    codes = [f"8101235{number:013}" for number in range(40_000)]
    with tempfile.TemporaryDirectory(prefix="scanlatch-day-") as folder:
        day = live_through(
            Path(folder),
            given.seed,
            lambda _: time.monotonic() > ends,
            _all,
            codes=codes,
            next_box_s=_NEXT_BOX_S,
            long=_LONG,
        )
    print(f"{day.scans} scans, {len(day.done)} plagues", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
