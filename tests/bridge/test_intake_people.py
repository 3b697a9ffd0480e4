"""Credentials, sessions, commands and replies."""

from host_bridge.ledger import commands
from host_bridge.ledger import devices as rows
from host_bridge.wire import Family, Operation, Reply
from tests.bridge.world import World

ACCEPTED, REJECTED = 0, 1


def test_credential_opens_a_session(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.credential(1), kind="credential")
    (command,) = till.commands()
    assert command.name == "session"
    assert str(command.arguments["id"]).startswith("S-")
    assert command.arguments["kind"] == "sale"


def test_session_ends_once(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.credential(1), kind="credential")
    session = str(till.commands()[0].arguments["id"])
    for _ in range(2):
        world.deliver(till, till.scan("END", Operation.SESSION_END, session=session, family=Family.CONTROL))
    assert till.outcomes() == [(1, ACCEPTED, 0), (2, REJECTED, 16)]


def test_sale_of_a_closed_session_can_not_be_voided(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.credential(1), kind="credential")
    session = str(till.commands()[0].arguments["id"])
    world.deliver(till, till.scan(session=session))
    world.deliver(till, till.scan("END", Operation.SESSION_END, session=session, family=Family.CONTROL))
    world.deliver(till, till.void(1, session=session))
    assert till.outcomes()[-1] == (3, REJECTED, 22)


def test_credential_sent_again_is_refused(world: World) -> None:
    till = world.terminal()
    first, second = till.credential(1), till.credential(2)
    world.deliver(till, second, kind="credential")
    world.deliver(till, first, kind="credential")
    world.deliver(till, second, kind="credential")
    assert [str(one.arguments["id"]) == "" for one in till.commands()] == [False, True, True]


def test_old_credential_is_refused(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.credential(1, world.clock.now() - 30_001), kind="credential")
    assert dict(till.commands()[0].arguments) == {"id": "", "reason": 18}


def test_credential_of_a_suspended_device_is_refused(world: World) -> None:
    till = world.terminal()
    world.registry.suspend("d-window-01")
    world.deliver(till, till.credential(1), kind="credential")
    assert dict(till.commands()[0].arguments) == {"id": "", "reason": 17}


def test_nothing_of_a_credential_is_stored(world: World) -> None:
    till = world.terminal()
    message = till.credential(1)
    world.deliver(till, message, message[:-1] + b"\0", kind="credential")
    dump = world.dump().lower()
    assert till.peer.device in dump
    assert "4" * 28 not in dump
    assert (b"4" * 28).hex() not in dump
    assert message.hex() not in dump
    assert message[-20:].hex() not in dump


def test_reply_to_a_command_is_written_down(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.credential(1), kind="credential")
    world.deliver(till, till.peer.seal_reply(Reply(1, "ok", 1, {})), kind="reply")
    with world.ledger.read() as connection:
        assert commands.due(connection, world.clock.now(), 9) == []


def test_counter_goes_on_above_what_the_device_accepted(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.peer.seal_reply(Reply(0, "ok", 41, {})), kind="reply")
    world.deliver(till, till.credential(1), kind="credential")
    assert till.commands()[0].counter == 42


def test_reply_that_does_not_verify_changes_nothing(world: World) -> None:
    till = world.terminal()
    reply = till.peer.seal_reply(Reply(0, "ok", 41, {}))
    world.deliver(till, reply[:-1] + bytes([reply[-1] ^ 1]), kind="reply")
    world.deliver(till, till.credential(1), kind="credential")
    assert till.commands()[0].counter == 1


def test_command_written_by_another_process_goes_out_with_the_next_round(world: World) -> None:
    till = world.terminal()
    with world.ledger.write() as connection:
        row = rows.lock(connection, ["d-window-01"])["d-window-01"]
        commands.add(connection, row, "identify", {}, world.clock.now(), world.clock.now() + 60_000)
    world.later(11_000)
    world.later(60_000)
    assert [(one.name, one.counter) for one in till.commands()] == [("identify", 1)]


def test_bytes_in_a_commands_arguments_come_as_they_were(world: World) -> None:
    till = world.terminal()
    arguments: dict[str, object] = {"at": 7, "data": b"\x00\xff", "note": "base64:AA==", "of": ["text:", {"it": b""}]}
    with world.ledger.write() as connection:
        row = rows.lock(connection, ["d-window-01"])["d-window-01"]
        commands.add(connection, row, "update-chunk", arguments, world.clock.now(), world.clock.now() + 60_000)
    world.later(11_000)
    assert dict(till.commands()[0].arguments) == arguments


def test_command_that_comes_too_late_is_never_sent(world: World) -> None:
    till = world.terminal()
    world.outlet.down = True
    world.deliver(till, till.credential(1), kind="credential")
    world.later(30_000)
    world.outlet.down = False
    world.later(30_000)
    assert till.commands() == []
