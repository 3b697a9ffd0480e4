"""An update goes through the fleet in groups, and no further than its terminals take it."""

import pytest
import sqlalchemy as sa

from host_bridge import rollout, rollout_answers, rollout_plan
from host_bridge.errors import BadInput, PermanentError, UnknownDevice
from host_bridge.ledger import rollouts
from host_bridge.ledger.schema import commands
from host_bridge.rollout_plan import Group, Terms
from tests.bridge.updated import bundle, fleet, pass_time, rollout_of
from tests.bridge.world import CODES, World

BUNDLE = bundle()
MINUTE = 60_000
PROVEN = 2 * MINUTE  # for a group


def _states(world: World) -> dict[str, list[str]]:
    """State of the rollout, and its terminals by state."""
    status = rollout_plan.status(world.ledger)
    assert status is not None
    found: dict[str, list[str]] = {"rollout": [status.rollout.state]}
    for one in status.places.values():
        found.setdefault(one.state, []).append(one.device)
    return found


def _start(world: World, group: str, terms: Terms = Terms()) -> None:  # noqa: B008  # frozen
    rollout_plan.start(world.ledger, BUNDLE, rollout_plan.group_of(group), terms, world.clock.now())


def test_every_terminal_gets_the_whole_content_group_by_group(world: World) -> None:
    terminals = fleet(world, 3, BUNDLE)
    _start(world, "34%")
    pass_time(world, [rollout_of(world)], terminals, 3 * PROVEN)
    assert _states(world) == {"rollout": ["done"], "done": ["d-1", "d-2", "d-3"]}
    assert [one.names()[0] for one in terminals] == 3 * ["update-begin"]
    assert terminals[0].names().count("update-chunk") == -(-len(BUNDLE.content) // rollout.CHUNK)
    with world.ledger.read() as connection:
        kept = connection.scalars(sa.select(commands.c.name).where(commands.c.device == "d-1")).all()
        assert sorted(kept) == ["update-begin", "update-commit"], "chunks are no rows once they were answered"
        assert rollouts.content(connection, BUNDLE.digest) is None, "nor is the content once it is over"


def test_the_second_group_is_left_alone_where_the_first_goes_back(sqlite_world: World) -> None:
    world = sqlite_world
    terminals = fleet(world, 4, BUNDLE)
    for one in terminals:
        one.back = True
    _start(world, "2", Terms(errors=1))
    pass_time(world, [rollout_of(world)], terminals, 2 * PROVEN)
    states = _states(world)
    assert states["rollout"] == ["stopped"]
    assert len(states["failed"]) == 2
    assert sum(bool(one.heard) for one in terminals) == 2
    assert [kind for kind, _, _ in world.alerts()] == ["update"]


def test_a_stopped_update_goes_on_by_a_persons_word_with_others(sqlite_world: World) -> None:
    world = sqlite_world
    terminals = fleet(world, 2, BUNDLE)
    for one in terminals:
        one.refuses["update-begin"] = "no room: 4 KB wanted, 0 KB free"
    _start(world, "1", Terms(errors=0))
    pass_time(world, [rollout_of(world)], terminals, MINUTE)
    assert _states(world)["rollout"] == ["stopped"]
    for one in terminals:
        one.refuses.clear()
    _start(world, "1")
    assert world.alerts() == []
    pass_time(world, [rollout_of(world)], terminals, 2 * PROVEN)
    states = _states(world)
    assert (states["rollout"], len(states["done"]), len(states["failed"])) == (["done"], 1, 1)
    with pytest.raises(PermanentError, match="version"):
        _start(world, states["done"][0])
    _start(world, states["failed"][0])
    pass_time(world, [rollout_of(world)], terminals, PROVEN)
    assert [one.firmware for one in terminals] == ["0.2.0", "0.2.0"]


def test_an_update_goes_on_where_the_terminal_is_over_a_restart_of_both(sqlite_world: World) -> None:
    world = sqlite_world
    (terminal,) = fleet(world, 1, BUNDLE)
    _start(world, "1")
    while len(terminal.has) < 1_024:
        pass_time(world, [rollout_of(world)], [terminal], 100)
    terminal.off = True
    pass_time(world, [rollout_of(world)], [terminal], 2 * rollout.ANSWER_MS)
    terminal.off = False
    terminal.say_hello()
    pass_time(world, [rollout_of(world)], [terminal], PROVEN + MINUTE)
    assert _states(world)["done"] == ["d-1"]
    sent = [one.arguments["at"] for one in terminal.heard if one.name == "update-chunk"]
    assert sent.count(0) == 1, sent


def test_two_bridges_send_each_chunk_once(one: World, two: World) -> None:
    terminals = fleet(one, 3, BUNDLE)
    _start(one, "3")
    pass_time(one, [rollout_of(one), rollout_of(two)], terminals, PROVEN + MINUTE)
    assert _states(one) == {"rollout": ["done"], "done": ["d-1", "d-2", "d-3"]}
    for terminal in terminals:
        offsets = [one.arguments["at"] for one in terminal.heard if one.name == "update-chunk"]
        assert offsets == [*range(0, len(BUNDLE.content), rollout.CHUNK)]


def test_a_chunk_waits_for_scans_and_for_a_backlog_yet_not_for_ever(sqlite_world: World) -> None:
    world = sqlite_world
    terminal, busy = fleet(world, 2, BUNDLE)
    _start(world, "2")
    engine = rollout_of(world)
    engine.look()
    world.sell(busy.terminal, CODES[0])
    topic = "scanlatch/v1/clinic-7/d-2/scan"
    sent = len(world.outlet.sent)
    for _ in range(10):  # scans without a pause
        world.clock.ms += 100
        terminal.live()
        engine.look([world.inbound(topic, b"")])
    assert len(world.outlet.sent) == sent, "somebody scans"
    assert engine.idle_s() > 0, "and nothing spins meanwhile"
    for _ in range(15):
        world.clock.ms += 100
        engine.look([world.inbound(topic, b"")])
    assert len(world.outlet.sent) > sent, "and an update comes on all the same"


def test_nothing_spins_while_the_broker_is_away(sqlite_world: World) -> None:
    world = sqlite_world
    fleet(world, 1, BUNDLE)
    _start(world, "1")
    there = [True]
    engine = rollout.Rollout(world.ledger, world.replies, world.clock, lambda: there[0])
    engine.look()
    there[0] = False
    sent = len(world.outlet.sent)
    for _ in range(200):
        world.clock.ms += 1_000
        engine.look()
        assert engine.idle_s() == rollout.IDLE_S
    assert len(world.outlet.sent) == sent


def test_a_terminal_that_takes_its_update_for_ever_holds_the_others_for_a_week_at_most(sqlite_world: World) -> None:
    world = sqlite_world
    (terminal,) = fleet(world, 1, BUNDLE)
    terminal.endless = True
    _start(world, "1", Terms(errors=0))
    engine = rollout_of(world)
    end = world.clock.ms + rollout_answers.LONGEST_MS + 24 * 60 * MINUTE
    while world.clock.ms < end:
        engine.look()
        terminal.live()
        world.clock.ms += 8 * 60 * MINUTE
    assert _states(world) == {"rollout": ["stopped"], "failed": ["d-1"]}


def test_what_can_pass_is_tried_again_and_given_up_after_so_many(sqlite_world: World) -> None:
    world = sqlite_world
    (terminal,) = fleet(world, 1, BUNDLE)
    terminal.refuses["update-chunk"] = "store: 5"
    _start(world, "1", Terms(errors=0))
    pass_time(world, [rollout_of(world)], [terminal], 3 * MINUTE)
    assert terminal.names().count("update-chunk") == rollout_answers.TRIES + 1
    assert _states(world)["failed"] == ["d-1"]


@pytest.mark.parametrize("result", ["memory", "busy"])
def test_a_terminal_that_is_short_of_memory_or_busy_is_waited_for(sqlite_world: World, result: str) -> None:
    world = sqlite_world
    busy, other = fleet(world, 2, BUNDLE)
    busy.refuses["update-chunk"] = result
    _start(world, "2", Terms(success=100, errors=0))
    pass_time(world, [rollout_of(world)], [busy, other], 30 * MINUTE)
    assert _states(world) == {"rollout": ["running"], "queued": ["d-1"], "done": ["d-2"]}
    assert busy.names().count("update-chunk") < 20, "the longer it lasts, the more seldom it is asked"
    busy.refuses.clear()
    pass_time(world, [rollout_of(world)], [busy, other], rollout_answers.PUT_OFF_MS[1] + PROVEN)
    assert _states(world) == {"rollout": ["done"], "done": ["d-1", "d-2"]}


def test_a_terminal_without_memory_for_a_day_is_one_that_cannot_be_reached(sqlite_world: World) -> None:
    world = sqlite_world
    (terminal,) = fleet(world, 1, BUNDLE)
    terminal.refuses["update-chunk"] = "memory"
    _start(world, "1", Terms(errors=0))
    engine = rollout_of(world)

    def for_a_day() -> None:
        end = world.clock.ms + rollout_answers.PATIENCE_MS + 10 * MINUTE
        while world.clock.ms < end:
            engine.look()
            world.clock.ms += 100 if terminal.live() else MINUTE

    for_a_day()
    assert _states(world) == {"rollout": ["stopped"], "silent": ["d-1"]}
    terminal.say_hello()
    assert _states(world)["queued"] == ["d-1"], "it may have its memory by now"
    _start(world, "1", Terms(errors=0))
    pass_time(world, [engine], [terminal], MINUTE)
    assert _states(world) == {"rollout": ["running"], "queued": ["d-1"]}, "its day begins anew"


def test_a_terminal_of_another_family_counts_as_nothing(sqlite_world: World) -> None:
    world = sqlite_world
    terminals = fleet(world, 2, BUNDLE)
    terminals[0].refuses["update-begin"] = "other family: esp32-rv32imc-6.3"
    _start(world, "2", Terms(success=100, errors=0))
    pass_time(world, [rollout_of(world)], terminals, PROVEN + MINUTE)
    assert _states(world) == {"rollout": ["done"], "skipped": ["d-1"], "done": ["d-2"]}


def test_a_terminal_that_is_off_counts_as_failed_after_a_day_and_is_updated_when_it_is_back(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    (terminal,) = fleet(world, 1, BUNDLE)
    terminal.off = True
    _start(world, "1", Terms(errors=5, success=1))
    engine = rollout_of(world)
    end = world.clock.ms + rollout_answers.PATIENCE_MS + 40 * MINUTE
    while world.clock.ms < end:
        world.clock.ms += 10 * MINUTE
        engine.look()
    assert _states(world) == {"rollout": ["stopped"], "silent": ["d-1"]}
    assert len(terminal.terminal.commands()) < 60, "it is not asked without end"
    terminal.off = False
    terminal.live()  # all that is late by now
    terminal.say_hello()
    _start(world, "1")
    pass_time(world, [engine], [terminal], PROVEN)
    assert _states(world) == {"rollout": ["done"], "done": ["d-1"]}


def test_firmware_that_speaks_and_goes_back_all_the_same_has_failed(sqlite_world: World) -> None:
    world = sqlite_world
    steady, falling = fleet(world, 2, BUNDLE)
    steady.well = falling.well = False
    _start(world, "2", Terms(success=1))
    pass_time(world, [rollout_of(world)], [steady, falling], rollout_answers.PROVEN_MS // 2)
    assert _states(world) == {"rollout": ["running"], "trial": ["d-1", "d-2"]}
    falling.firmware = "0.1.0"
    falling.terminal.power_cycle()
    falling.say_hello()
    pass_time(world, [rollout_of(world)], [steady, falling], rollout_answers.PROVEN_MS)
    assert _states(world) == {"rollout": ["done"], "done": ["d-1"], "failed": ["d-2"]}


def test_a_group_is_written_as_people_do() -> None:
    assert rollout_plan.group_of("5%") == Group(5, percent=True)
    assert rollout_plan.group_of("3") == Group(3)
    assert rollout_plan.group_of("d-1, d-2") == Group(2, ids=("d-1", "d-2"))
    for wrong in ("", "0", "0%", "101%", ","):
        with pytest.raises(BadInput):
            rollout_plan.group_of(wrong)


def test_only_terminals_that_are_ours_are_updated(sqlite_world: World) -> None:
    world = sqlite_world
    (terminal,) = fleet(world, 1, BUNDLE)
    with pytest.raises(UnknownDevice):
        _start(world, "d-9")
    world.registry.revoke("d-1")
    with pytest.raises(PermanentError):
        _start(world, "1")
    assert not terminal.heard


def test_another_update_begins_only_once_the_last_one_stands(sqlite_world: World) -> None:
    world = sqlite_world
    terminals = fleet(world, 1, BUNDLE)
    _start(world, "1")
    other = bundle("0.3.0", 3)
    now = world.clock.now()
    with pytest.raises(PermanentError, match="stop it first"):
        rollout_plan.start(world.ledger, other, Group(1), Terms(), now)
    rollout_plan.stop(world.ledger, now)
    pass_time(world, [rollout_of(world)], terminals, MINUTE)
    assert not terminals[0].heard
    rollout_plan.start(world.ledger, other, Group(1), Terms(), now)
    terminals[0].bundle = other
    pass_time(world, [rollout_of(world)], terminals, PROVEN)
    assert terminals[0].firmware == "0.3.0"
