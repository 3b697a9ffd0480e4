"""A ledger that was put back asks the terminals for what it has forgotten, whatever it has forgotten of them."""

from host_bridge import due
from host_bridge.wire import Operation, Reply
from tests.bridge.world import CODES, OTHER_SITE, Terminal, World

REFUSED = "counter is not above the last"


def _ask_all(world: World) -> int:
    with world.ledger.write() as connection:
        return due.ask_all(connection, world.clock.now())


def _told(terminal: Terminal) -> list[tuple[int, str, dict[str, object]]]:
    return [(one.counter, one.name, dict(one.arguments)) for one in terminal.commands()]


def test_every_terminal_but_a_revoked_one_is_asked_for_what_lies_above_its_chain(world: World) -> None:
    till, other, gone = world.terminal(), world.terminal("d-window-02", OTHER_SITE), world.terminal("d-gone-01")
    world.deliver(till, till.scan(CODES[0]), till.scan(CODES[1]))
    world.registry.revoke(gone.peer.device)
    assert _ask_all(world) == 2
    world.start()
    world.intake.connected()
    assert [(name, said) for _, name, said in _told(till)] == [("resend", {"from": 3})]
    assert [(name, said) for _, name, said in _told(other)] == [("resend", {"from": 1})]
    assert _told(gone) == []


def test_a_question_is_above_the_commands_that_were_forgotten(world: World) -> None:
    till = world.terminal()
    _ask_all(world)
    world.intake.connected()
    ((counter, _, _),) = _told(till)
    assert counter > 1_000, "so many may have been sent since the backup"


def test_a_command_under_a_used_counter_is_given_once_more_above_what_the_terminal_names(world: World) -> None:
    till = world.terminal()
    _ask_all(world)
    world.intake.connected()
    ((counter, _, said),) = _told(till)
    refusal = till.peer.seal_reply(Reply(counter, REFUSED, counter + 500, {}))
    world.deliver(till, refusal, kind="reply")
    assert _told(till)[1:] == [(counter + 501, "resend", said)]
    world.deliver(till, refusal, kind="reply")
    assert len(_told(till)) == 2, "the same refusal again says nothing new"
    world.deliver(till, till.peer.seal_reply(Reply(counter + 501, "store: flash", counter + 501, {})), kind="reply")
    assert len(_told(till)) == 2, "what was accepted and failed is not tried for ever"


def test_a_gap_below_a_live_record_is_asked_for_though_no_head_named_it(world: World) -> None:
    """The broker and the terminals stay connected while a ledger is put back: heads come within the hour only."""
    till = world.terminal()
    world.deliver(till, till.head(), kind="head")
    kept = [till.scan(code) for code in CODES[:3]]
    world.deliver(till, till.scan(CODES[3], Operation.QUERY))
    assert till.outcomes() == [], "its turn has not come"
    world.later(75_000)
    assert [(name, said) for _, name, said in _told(till)] == [("resend", {"from": 1})]
    world.deliver(till, *kept)
    world.settle()
    assert {seq for seq, _, _ in till.outcomes()} == {1, 2, 3, 4}
    world.later(200_000)
    assert len(_told(till)) == 1, "nothing is missing any more"
