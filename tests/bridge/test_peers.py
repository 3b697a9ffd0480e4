"""A bridge that dies between its commit and its answers: another says them, in its place, and only once."""

import pytest

from host_bridge.peers import BEAT_S, DEAD_MS, Peers
from host_bridge.wire import Operation, Outcome
from tests.bridge.world import CODES, Terminal, World

_ANSWERED_MS = 60_000  # what a dead bridge held is answered by then
_STEP_MS = 1_000


@pytest.fixture
def others(world: World) -> list[World]:
    """Two more bridges on the ledger of the first, at the same time."""
    made = [World.beside(world), World.beside(world)]
    for one in made:
        one.clock = world.clock
        one.start()
    return made


@pytest.fixture
def peers(world: World, others: list[World]) -> list[Peers]:
    """The care of each of the three; all have been at work."""
    worlds = [world, *others]
    made = [
        Peers(one.ledger, one.registry, one.replies, one.clock, f"bridge-{n}") for n, one in enumerate(worlds, start=1)
    ]
    for one in made:
        one.look()
    return made


def _die_with_an_answer(world: World, living: World) -> Terminal:
    """The first bridge refuses a sale and dies before it says so; another bridge answers the next record."""
    terminal = world.terminal()
    world.sell(terminal, CODES[0])
    world.outlet.down = True
    world.deliver(terminal, terminal.scan(CODES[0]))
    world.outlet.down = False
    living.deliver(terminal, terminal.scan(CODES[1], Operation.STOCK_TAKE))
    assert _answers(terminal, 2) == 0
    assert [one.kept for one in terminal.verdicts() if one.seq == 3] == [True]  # the device asks for neither again
    return terminal


def _answers(terminal: Terminal, seq: int) -> int:
    return sum(one.seq == seq and one.final for one in terminal.verdicts())


def _pass_time(world: World, peers: list[Peers], ms: int) -> None:
    for _ in range(ms // _STEP_MS):
        world.clock.ms += _STEP_MS
        for one in peers:
            one.look()


def test_what_a_dead_bridge_left_unsaid_is_said_by_another(
    world: World, others: list[World], peers: list[Peers]
) -> None:
    terminal = _die_with_an_answer(world, others[0])
    _pass_time(world, peers[1:], _ANSWERED_MS)
    assert [one.outcome for one in terminal.verdicts() if one.seq == 2] == [Outcome.DUPLICATE_HERE]


def test_a_bridge_that_is_back_says_what_its_last_run_left(
    world: World, others: list[World], peers: list[Peers]
) -> None:
    terminal = _die_with_an_answer(world, others[0])
    Peers(world.ledger, world.registry, world.replies, world.clock, "bridge-1").look()
    assert _answers(terminal, 2) == 1
    _pass_time(world, peers[1:], _ANSWERED_MS)
    assert _answers(terminal, 2) == 1 + 1  # nothing was seen of its new run after that first look


def test_a_bridge_that_is_killed_at_each_start_before_its_words_are_out_says_them_when_it_lives(
    world: World, others: list[World], peers: list[Peers]
) -> None:
    terminal = _die_with_an_answer(world, others[0])
    for one in peers[1:]:
        one.leave()
    world.outlet.down = True
    for _ in range(10):
        world.clock.ms += 2 * DEAD_MS
        Peers(world.ledger, world.registry, world.replies, world.clock, "bridge-1").look()  # into nothing
    world.outlet.down = False
    assert _answers(terminal, 2) == 0
    Peers(world.ledger, world.registry, world.replies, world.clock, "bridge-1").look()
    assert _answers(terminal, 2) == 1


def test_who_spoke_for_a_run_does_not_forget_the_next_one(
    world: World, others: list[World], peers: list[Peers]
) -> None:
    terminal = _die_with_an_answer(world, others[0])
    _pass_time(world, peers[1:], DEAD_MS + int(BEAT_S * 1000))
    assert _answers(terminal, 2) == 1
    Peers(world.ledger, world.registry, world.replies, world.clock, "bridge-1").look()
    world.deliver(terminal, terminal.scan(CODES[0]))
    _pass_time(world, peers[1:], int(BEAT_S * 1000))  # the earlier run is forgotten
    said = _answers(terminal, 4)
    _pass_time(world, peers[1:], _ANSWERED_MS)  # the second is dead, too
    assert _answers(terminal, 4) > said


def test_where_the_first_heir_dies_too_the_next_speaks(world: World, others: list[World], peers: list[Peers]) -> None:
    terminal = _die_with_an_answer(world, others[0])
    _pass_time(world, peers[2:], _ANSWERED_MS)
    assert _answers(terminal, 2) >= 1


def test_an_heir_that_dies_before_its_words_are_out_does_not_take_the_duty_along(
    world: World, others: list[World], peers: list[Peers]
) -> None:
    terminal = _die_with_an_answer(world, others[0])
    _pass_time(world, peers[1:], DEAD_MS)
    world.clock.ms += int(BEAT_S * 1000)
    world.outlet.down = True
    peers[1].look()  # speaks into nothing, and is never seen again
    world.outlet.down = False
    _pass_time(world, peers[2:], _ANSWERED_MS)
    assert _answers(terminal, 2) >= 1


def test_nothing_is_said_again_while_all_live_or_leave_in_order(
    world: World, others: list[World], peers: list[Peers]
) -> None:
    terminal = world.terminal()
    world.sell(terminal, CODES[0])
    world.deliver(terminal, terminal.scan(CODES[0]))
    _pass_time(world, peers, DEAD_MS)
    peers[0].leave()
    sent = len(world.outlet.sent)
    _pass_time(world, peers[1:], 2 * DEAD_MS)
    assert len(world.outlet.sent) == sent


def test_looking_costs_nothing_between_two_beats(world: World, peers: list[Peers]) -> None:
    world.clock.ms += int(BEAT_S * 1000) - 1
    world.ledger.close()
    for one in peers[:1]:
        one.look()
