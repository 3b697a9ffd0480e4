"""Bridge, broker and platform are killed under a stream of scans, ten times in all; the books balance in the end."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from scanlatch_tools.broker import Mosquitto
from scanlatch_tools.stage import Stage

from tests.faults.balance import balanced
from tests.faults.site_with_terminals import CODES, SITE, Person, stage
from tests.meanwhile import Meanwhile
from tests.system.waiting import until, until_engine

ORDER = ["bridge", "broker", "platform", "bridge", "platform", "broker", "bridge", "bridge", "platform", "broker"]
_BEFORE, _WHILE_AWAY = 8, 4  # scans
_STACK = 10  # boxes in a row, faster than any clerk; flash is erased while the next stack is fetched
_NEXT_BOX_S, _NEXT_STACK_S = 0.02, 0.6
_FINAL_S = 75  # what a dead part held comes again after 30 s


class Stream(Meanwhile):
    """Somebody scans box after box, whatever happens; a context manager."""

    def __init__(self, person: Person) -> None:
        super().__init__()
        self.person = person

    def await_scans(self, count: int) -> None:
        """Until so many more were kept."""
        goal = len(self.person.kept) + count
        until(lambda: self.failed or len(self.person.kept) >= goal, f"{count} scans", 30)

    def work(self) -> None:
        for count in itertools.count(1):
            assert self.person.scan() == "kept"
            if self.over.wait(_NEXT_STACK_S if count % _STACK == 0 else _NEXT_BOX_S):
                return


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as made:
        made.platform.know(CODES)
        yield made


def test_the_books_balance_after_ten_kills(site: Stage) -> None:
    assert isinstance(site.broker, Mosquitto)
    parts = {"bridge": site.bridge, "broker": site.broker, "platform": site.platform.process}
    twin = site.terminal("d-kill-01", SITE)
    until_engine(twin, 0)
    with Stream(Person(twin, iter(CODES))) as stream:
        for name in ORDER:
            stream.await_scans(_BEFORE)
            parts[name].kill()
            stream.await_scans(_WHILE_AWAY)
            parts[name].start()
        stream.await_scans(_BEFORE)
    balanced(site, stream.person, within=_FINAL_S)
