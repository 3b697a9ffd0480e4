"""Two bridges on one PostgreSQL meet at commands and at an update's terminals, and none waits in a circle."""

from host_bridge import rollout_plan
from host_bridge.ledger import commands, devices, rollouts
from host_bridge.rollout_plan import Group, Terms
from host_bridge.wire import Reply
from host_bridge.work import After
from tests.bridge.meeting import meet
from tests.bridge.updated import bundle, fleet
from tests.bridge.world import World

_COMMAND = "SELECT device FROM commands WHERE device = %s FOR UPDATE"
_PLACE = "SELECT device FROM rollout_devices WHERE device = %s FOR UPDATE"


def test_replies_meet_the_acknowledgements_of_their_commands(one: World, two: World) -> None:
    tills = [one.terminal("d-1"), one.terminal("d-2")]
    now = one.clock.now()
    with one.ledger.write() as connection:
        rows = devices.lock(connection, ["d-1", "d-2"])
        made = [(row, commands.add(connection, row, "settings", {}, now, now + 60_000)) for row in rows.values()]
    two.replies.send(After(commands=made))
    said = [
        one.inbound(f"scanlatch/v1/clinic-7/{till.peer.device}/reply", till.peer.seal_reply(Reply(1, "ok", 1, {})))
        for till in reversed(tills)
    ]

    def write_down() -> None:
        with two.ledger.write() as connection:
            two.replies.acknowledged(connection)

    meet(one.url, _COMMAND, "d-1", write_down, lambda: one.intake.process(said))
    with one.ledger.read() as connection:
        assert [commands.answer(connection, till.peer.device, 1) for till in tills] == ["ok", "ok"]
        assert commands.due(connection, now, 10) == []


def test_a_group_is_put_together_while_its_terminals_speak(one: World, two: World) -> None:
    terminals = fleet(one, 3, bundle())
    now = one.clock.now()
    rollout_plan.start(one.ledger, bundle(), Group(2, ids=("d-1", "d-2")), Terms(), now)
    rollout_plan.stop(one.ledger, now)
    heads = [
        two.inbound(f"scanlatch/v1/clinic-7/{it.terminal.peer.device}/head", it.terminal.head())
        for it in reversed(terminals)
    ]
    again = Group(3)
    meet(
        one.url,
        _PLACE,
        "d-1",
        lambda: two.intake.process(heads),
        lambda: rollout_plan.start(one.ledger, bundle(), again, Terms(), now),
    )
    with one.ledger.read() as connection:
        row = rollouts.newest(connection)
        assert row is not None
        assert rollouts.counts(connection, row.id, row.part) == {rollouts.QUEUED: 3}
    rollout_plan.stop(one.ledger, now)
    heads = [
        two.inbound(f"scanlatch/v1/clinic-7/{it.terminal.peer.device}/head", it.terminal.head())
        for it in reversed(terminals)
    ]
    other = bundle("0.3.0", 3)
    meet(
        one.url,
        _PLACE,
        "d-1",
        lambda: rollout_plan.start(one.ledger, other, again, Terms(), now),
        lambda: two.intake.process(heads),
    )
