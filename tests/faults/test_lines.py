"""Lines of a running site fail in every way a line can: the light says so, and all of it mends itself, nothing lost.

A terminal can't know before half a minute that nobody hears it: its line is broken where the site begins, the lines
of platform and bridge fail meanwhile.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.twin import shown

from tests.faults.balance import balanced
from tests.faults.proxy import How, Wrong
from tests.faults.site_with_terminals import CODES, SITE, Person
from tests.faults.wired_site import BRIDGE_KEEPALIVE_S, WiredSite
from tests.system.waiting import console, until

_FULL = os.environ.get("SCANLATCH_FULL") == "1"
_TERMINALS: list[Wrong] = ["stall", "up", "down", "slow", "vanish"]
_EVERY: list[Wrong] = [*_TERMINALS, "reset", "end"]
_PLATFORM: list[Wrong] = _EVERY if _FULL else ["down", "end"]
_GIVEN_UP: list[Wrong] = ["stall", "slow"] if _FULL else ["slow"]
_BRIDGE: list[Wrong] = _EVERY if _FULL else ["stall"]
_CUTS: list[How] = ["reset", "end"] if _FULL else ["reset"]
_PENDING_MS = 1_500  # WIRE.md "Verdict": a live verdict comes within this, else the light says pending
_DEAD_MS = 30_000  # DEVICE.md "Link": dead after all of the keepalive with nothing received
_SLACK_MS = 10_000  # of a busy machine
_BACK_S = 10 + 60 + 10  # a try that is under way, the longest wait, the next try
_PLATFORM_BACK_S = 5 + 10 + 60  # a call that is under way, the longest wait between calls, that of one submission
_FINAL_S = 75  # what was acknowledged and not receipted comes again after 30 s
_ANSWERS = frozenset({"accepted", "rejected", "duplicate", "pending", "error"})


@dataclass
class Place:
    site: WiredSite
    people: dict[str, Person]
    broken_at: float  # UTC ms, when the terminals' lines broke
    marks: dict[str, int]  # of the traces then

    @property
    def good(self) -> Person:
        """Whose own line is whole."""
        return self.people["d-good"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with WiredSite(tmp_path_factory.mktemp("lines")) as site:
        site.platform.know(CODES)
        codes = iter(CODES)
        names = [*(f"d-{wrong}" for wrong in _TERMINALS), "d-good"]
        people = {name: Person(site.terminal(name), codes) for name in names}
        for person in people.values():
            Desk(person.device, SITE, person.twin).wait_ready()
            assert person.scan(_ANSWERS) == "accepted"
        made = Place(site, people, time.time() * 1000, {name: one.twin.mark() for name, one in people.items()})
        for wrong in _TERMINALS:
            site.lines[f"d-{wrong}"].be(wrong)
        yield made


@pytest.mark.parametrize("wrong", _TERMINALS)
def test_a_box_is_kept_and_pending_on_a_line_that_just_broke(place: Place, wrong: Wrong) -> None:
    _pends(place.people[f"d-{wrong}"])


@pytest.mark.parametrize("wrong", _PLATFORM)
def test_the_platforms_line_fails_and_the_box_is_pending_until_it_is_healed(place: Place, wrong: Wrong) -> None:
    line = place.site.lines["platform"]
    line.be(wrong)
    _pends(place.good)
    line.heal()
    _await_final(place, place.good, _PLATFORM_BACK_S)


@pytest.mark.parametrize("wrong", _GIVEN_UP)
def test_a_call_that_the_platforms_line_does_not_bring_to_its_end_is_given_up(place: Place, wrong: Wrong) -> None:
    line = place.site.lines["platform"]
    if wrong == "slow":
        line.slow(ways=("down",))  # an answer that would take minutes, though no byte of it is late
    else:
        line.stall()
    told = _told(place, "platform gives no answer")
    _pends(place.good)
    until(lambda: _told(place, "platform gives no answer") > told, "the bridge gives the call up", 30)
    line.heal()
    _await_final(place, place.good, _PLATFORM_BACK_S)


@pytest.mark.parametrize("wrong", _BRIDGE)
def test_the_bridges_line_fails_and_the_box_is_pending_until_it_is_healed(place: Place, wrong: Wrong) -> None:
    line = place.site.lines["bridge"]
    began, told = time.monotonic(), _told(place, '"event": "disconnected"')
    line.be(wrong)
    _pends(place.good)
    until(lambda: _told(place, '"event": "disconnected"') > told, "the bridge finds it", 60)
    assert time.monotonic() - began < 2 * BRIDGE_KEEPALIVE_S + _SLACK_MS / 1000
    line.heal()
    _await_final(place, place.good, _FINAL_S)
    assert place.site.bridge.running


@pytest.mark.parametrize("how", _CUTS)
def test_a_terminals_line_is_cut_and_the_link_stands_again(place: Place, how: How) -> None:
    person, line = place.good, place.site.lines["d-good"]
    mark, told = person.twin.mark(), len(console(person.twin, "link"))
    line.refuse(how)
    Desk(person.device, SITE, person.twin).wait_offline(_BACK_S, mark)
    _pends(person)
    mark = person.twin.mark()
    line.heal()
    Desk(person.device, SITE, person.twin).wait_online(_BACK_S, mark)
    assert console(person.twin, "link")[told]["cause"] == "network"
    _await_final(place, person, _FINAL_S)


@pytest.mark.parametrize("wrong", _TERMINALS)
def test_a_terminal_finds_that_its_line_is_dead_and_comes_back_when_it_is_healed(place: Place, wrong: Wrong) -> None:
    name = f"d-{wrong}"
    person, desk = place.people[name], Desk(name, SITE, place.people[name].twin)
    colours = shown.standing("offline")
    found = person.twin.wait_for(
        lambda line: line["what"] == "light" and tuple(line["rgb"]) in colours, 60, place.marks[name]
    )
    assert found["at"] - place.broken_at < _DEAD_MS + _SLACK_MS
    if wrong == "vanish":  # who left it for dead may be reached anew at once
        desk.wait_online(_BACK_S, found["n"])
        return
    _pends(person)
    mark = person.twin.mark()
    place.site.lines[name].heal()
    desk.wait_online(_BACK_S, mark)
    assert person.scan(_ANSWERS) in ("accepted", "pending")  # behind those that wait


def test_the_books_balance_after_all_of_it(place: Place) -> None:
    balanced(place.site, *place.people.values(), within=_FINAL_S)
    assert all(len(person.kept) == len(person.held) for person in place.people.values()), "a scan was refused"
    assert [person.twin.restarts for person in place.people.values()] == [0] * len(place.people)


def _pends(person: Person) -> None:
    """The next box shows kept and, within its time, pending."""
    mark = person.twin.mark()
    assert person.scan(_ANSWERS) == "pending"
    seen = {one.name: one.at for one in shown.Eye().watch(person.twin.trace(mark))}
    assert seen["pending"] - seen["kept"] < _PENDING_MS + _SLACK_MS


def _await_final(place: Place, person: Person, within: float) -> None:
    balanced(place.site, person, within=within, heads=False)


def _told(place: Place, what: str) -> int:
    """How often the bridge said so."""
    return place.site.bridge.tail(10_000).count(what)
