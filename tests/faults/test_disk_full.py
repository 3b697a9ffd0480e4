"""The ledger's disk is full: the bridge says so, acknowledges and loses nothing, and goes on when there is room."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from scanlatch_tools.stage import Stage

from host_bridge.errors import LedgerBusy
from host_bridge.ledger.backup import examine
from host_bridge.settlement.port import Answer, Submission
from host_bridge.wire import digest
from tests.bridge.world import CODES as OTHER_CODES
from tests.bridge.world import World
from tests.faults.balance import balanced
from tests.faults.no_room import Room, room
from tests.faults.site_with_terminals import CODES, SITE, Person
from tests.system.waiting import until, until_engine

__all__ = ["room"]

_SCANS = 4
_FINAL_S = 75


def test_nothing_is_acknowledged_said_or_sent_while_the_disk_is_full(room: Room) -> None:
    world = World(room.folder)
    till = world.terminal()
    world.sell(till, OTHER_CODES[0])
    said = len(world.outlet.sent)
    messages = [till.scan(code) for code in OTHER_CODES[1:9]]
    room.take(os.getpid())
    for _ in range(3):
        with pytest.raises(LedgerBusy):
            world.deliver(till, *messages)
    assert [digest(one) for one in world.acked] == [digest(till.messages[1])]
    assert (len(world.outlet.sent), len(world.platform.submitted)) == (said, 1)
    room.give(os.getpid())
    examine(world.ledger)
    world.deliver(till, *messages)
    world.settle()
    assert world.acked[1:] == messages
    assert {seq: outcome for seq, outcome, _ in till.outcomes()} == dict.fromkeys(range(1, 10), 0)
    world.close()


def test_answers_of_the_platform_that_no_disk_takes_are_asked_for_again(room: Room) -> None:
    world = World(room.folder)
    till = world.terminal()
    world.deliver(till, till.scan(OTHER_CODES[0]))
    submit = world.platform.submit

    def last_call(items: Sequence[Submission]) -> list[Answer]:  # the disk fills while the platform is asked
        room.take(os.getpid())
        return submit(items)

    world.platform.submit = last_call  # type: ignore[method-assign]
    with pytest.raises(LedgerBusy):
        world.settle()
    world.platform.submit = submit  # type: ignore[method-assign]
    room.give(os.getpid())
    world.later(60_000)
    world.settle()
    assert (world.platform.submitted, world.platform.asked) == (["d-window-01/1"], ["d-window-01/1"])
    assert till.outcomes()[-1] == (1, 0, 0)
    world.close()


def test_a_site_goes_on_by_itself_when_there_is_room_again(tmp_path: Path, room: Room) -> None:
    ledger = f"sqlite:///{room.folder / 'ledger.sqlite'}"
    with Stage(tmp_path / "stage", [SITE], broker="mosquitto", ledger=ledger) as site:
        site.platform.know(CODES)
        twin = site.terminal("d-disk-01", SITE)
        until_engine(twin, 0)
        person = Person(twin, iter(CODES))
        for _ in range(_SCANS):
            assert person.scan() == "kept"
        balanced(site, person, within=_FINAL_S, heads=False)
        room.take(site.bridge.pid)
        for _ in range(_SCANS):
            assert person.scan() == "kept"
        until(lambda: site.bridge.tail(200).count('"ledger busy"') >= 2, "the bridge says what is wrong")
        assert site.bridge.running
        room.give(site.bridge.pid)
        assert person.scan() == "kept"
        balanced(site, person, within=_FINAL_S)
        assert site.bridge.running
