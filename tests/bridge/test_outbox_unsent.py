"""Finals that the broker does not have yet: each bridge says its own at once, and another's only once it is dead."""

from collections import Counter

import pytest

from host_bridge.intake import OTHERS_MS, ROUND_S
from tests.bridge.world import CODES, Terminal, World

ACCEPTED = 0
_ROUND_MS = int(ROUND_S * 1000)


@pytest.fixture
def fleet(world: World) -> list[World]:
    """Three bridges; the first is the one that works."""
    world.shared = True
    world.start()
    others = [World.beside(world), World.beside(world)]
    for one in others:
        one.clock = world.clock
        one.start()
    return [world, *others]


def _finals(till: Terminal) -> Counter[int]:
    return Counter(one.seq for one in till.verdicts() if one.final)


def _pass(fleet: list[World], ms: int) -> None:
    """Time passes for all of them."""
    for _ in range(ms // 500):
        fleet[0].clock.ms += 500
        for one in fleet:
            one.intake.tick()


def _go_dark(fleet: list[World], till: Terminal) -> None:
    """The broker goes away; the platform goes on answering."""
    world = fleet[0]
    world.deliver(till, *(till.scan(code) for code in CODES[:20]))
    world.outlet.down = True
    world.settle()
    assert not _finals(till)


def test_what_a_living_bridge_has_just_said_is_not_said_by_the_others(fleet: list[World]) -> None:
    till = fleet[0].terminal()
    fleet[0].outlet.silent = True  # the broker's acknowledgement takes its time
    for code in CODES[:20]:
        fleet[0].deliver(till, till.scan(code))
        fleet[0].settle()
        for one in fleet:
            one.intake.publish_unsent()
        fleet[0].clock.ms += OTHERS_MS // 25
    assert _finals(till) == dict.fromkeys(range(1, 21), 1)


def test_after_an_outage_each_bridge_says_its_own_at_once_and_nothing_is_said_twice(fleet: list[World]) -> None:
    till = fleet[0].terminal()
    _go_dark(fleet, till)
    _pass(fleet, 3 * _ROUND_MS)
    fleet[0].outlet.down = False
    for one in reversed(fleet):
        one.intake.connected()
    assert _finals(till) == dict.fromkeys(range(1, 21), 1)
    _pass(fleet, 3 * _ROUND_MS)
    assert _finals(till) == dict.fromkeys(range(1, 21), 1)


def test_what_a_dead_bridge_did_not_say_is_said_by_each_other_once_at_most(fleet: list[World]) -> None:
    till, living = fleet[0].terminal(), fleet[1:]
    _go_dark(fleet, till)
    fleet[0].outlet.down = False
    for one in living:
        one.intake.connected()
    assert not _finals(till)
    _pass(living, OTHERS_MS + _ROUND_MS)
    said = _finals(till)
    assert set(said) == set(range(1, 21))
    assert max(said.values()) <= len(living)
    _pass(living, 3 * _ROUND_MS)
    assert _finals(till) == said


def test_lone_bridge_waits_for_nobody(world: World) -> None:
    till = world.terminal()
    _go_dark([world], till)
    world.start()
    world.outlet.down = False
    world.intake.connected()
    assert _finals(till) == dict.fromkeys(range(1, 21), 1)
