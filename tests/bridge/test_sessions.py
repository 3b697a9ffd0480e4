"""Sessions that the pharmacy's system opens: on the right terminal, with lines and payer, and ended there."""

import random

import pytest

from host_bridge import catalogue, sessions
from host_bridge.catalogue import Product
from host_bridge.errors import BadInput, NotFound, NotOpen, PermanentError, UnknownDevice
from host_bridge.ledger.sessions import Line
from host_bridge.wire import Operation, Reply
from tests.bridge.world import CODES, SITE, Terminal, World

CHANCE = random.Random(7)
PREFIX = CODES[0][:7]


@pytest.fixture
def till(world: World) -> Terminal:
    catalogue.import_products(world.ledger, [Product("AMX", "Amoxicillin", (PREFIX,), content=3), Product("IBU", "I")])
    return world.terminal()


def _open(world: World, till: Terminal, *lines: Line, **more: object) -> str:
    return sessions.open_session(
        world.ledger, till.peer.device, world.clock.now(), CHANCE, lines=lines, **more  # type: ignore[arg-type]
    )  # fmt: skip


def test_opening_tells_the_terminal(world: World, till: Terminal) -> None:
    session = _open(world, till, kind="receive", minutes=5)
    world.intake.publish_unsent()
    (command,) = till.commands()
    assert command.name == "session"
    assert command.arguments == {"id": session, "kind": "receive", "until": world.clock.now() + 300_000}
    assert sessions.status(world.ledger, session).reply is None
    world.deliver(till, till.peer.seal_reply(Reply(command.counter, "ok", command.counter, {})), kind="reply")
    assert sessions.status(world.ledger, session).reply == "ok"


def test_session_gives_its_codes_back_for_the_receipt(world: World, till: Terminal) -> None:
    world.sell(till, *CODES[10:14])
    session = _open(world, till, Line(1, "AMX", 2, split=False), payer="self-pay")
    for code in (CODES[0], CODES[1], CODES[1], CODES[2]):
        world.deliver(till, till.scan(code, session=session))
    world.settle()
    world.deliver(till, till.scan(CODES[3]))
    world.deliver(till, till.void(6, session=session))
    world.settle()
    stands = sessions.status(world.ledger, session)
    told = [(one.code, one.outcome, one.reason, one.voided) for one in stands.scans if one.operation == Operation.SALE]
    assert told == [(CODES[0], 0, 0, False), (CODES[1], 0, 0, True), (CODES[1], 2, 1, False), (CODES[2], 1, 19, False)]
    assert {one.payer for one in stands.scans} == {"self-pay"}
    assert [line.taken for line in stands.session.lines] == [1]
    assert [item.payer for item in world.platform.taken.values() if item.code == CODES[0]] == ["self-pay"]


def test_lines_are_all_that_a_session_may_dispense(world: World, till: Terminal) -> None:
    strict, free = _open(world, till, Line(1, "IBU", 1, split=False)), _open(world, till)
    world.deliver(till, till.scan(CODES[0], session=strict), till.scan(CODES[1], session=free))
    world.settle()
    assert till.outcomes() == [(1, 1, 7), (2, 0, 0)]


def test_closing_ends_the_session_on_its_terminal(world: World, till: Terminal) -> None:
    session = _open(world, till)
    closed = sessions.close_session(world.ledger, session, world.clock.now())
    world.intake.publish_unsent()
    assert closed.session.closed_at == world.clock.now()
    assert [command.arguments["id"] for command in till.commands()] == [session, ""]
    world.deliver(till, till.scan(CODES[0], session=session))
    assert till.outcomes() == [(1, 1, 16)]
    sessions.close_session(world.ledger, session, world.clock.now())
    world.intake.publish_unsent()
    assert len(till.commands()) == 2


def test_closing_an_older_session_leaves_the_one_in_force(world: World, till: Terminal) -> None:
    first, second = _open(world, till), _open(world, till)
    sessions.close_session(world.ledger, first, world.clock.now())
    world.intake.publish_unsent()
    assert [command.arguments["id"] for command in till.commands()] == [first, second]


def test_lines_may_change_while_a_session_runs(world: World, till: Terminal) -> None:
    session = _open(world, till, Line(1, "AMX", 1, split=False))
    world.deliver(till, till.scan(CODES[0], session=session))
    now = world.clock.now()
    sessions.set_lines(world.ledger, session, [Line(1, "AMX", 2, split=False), Line(2, "IBU", 1, split=False)], now)
    world.deliver(till, till.scan(CODES[1], session=session))
    world.settle()
    assert [line.taken for line in sessions.status(world.ledger, session).session.lines] == [2, 0]
    for lines in ([Line(2, "IBU", 1, split=False)], [Line(1, "AMX", 1, split=False)], [Line(1, "IBU", 5, split=False)]):
        with pytest.raises(BadInput, match="line 1"):
            sessions.set_lines(world.ledger, session, lines, now)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "void"},
        {"payer": "cash"},
        {"minutes": 0},
        {"lines": [Line(1, "AMX", 0, split=False)]},
        {"lines": [Line(1, "AMX", 1, split=False), Line(1, "IBU", 1, split=False)]},
        {"lines": [Line(1, "AMX", 5, split=False, taken=2)]},
    ],
)
def test_session_that_cannot_be_is_refused(sqlite_world: World, wrong: dict[str, object]) -> None:
    till = sqlite_world.terminal()
    with pytest.raises(BadInput):
        sessions.open_session(sqlite_world.ledger, till.peer.device, 1, CHANCE, **wrong)  # type: ignore[arg-type]


def test_only_an_enrolled_terminal_gets_a_session(sqlite_world: World) -> None:
    till = sqlite_world.terminal()
    with pytest.raises(UnknownDevice):
        sessions.open_session(sqlite_world.ledger, "d-nobody", sqlite_world.clock.now(), CHANCE)
    with pytest.raises(NotFound, match="product"):
        _open(sqlite_world, till, Line(1, "NOBODY", 1, split=False))
    sqlite_world.registry.suspend(till.peer.device)
    with pytest.raises(PermanentError, match="suspended"):
        _open(sqlite_world, till)


def test_a_session_that_is_over_takes_no_lines(world: World, till: Terminal) -> None:
    session = _open(world, till, minutes=1)
    with pytest.raises(NotOpen):
        sessions.set_lines(world.ledger, session, [], world.clock.now() + 60_000)
    with pytest.raises(NotFound):
        sessions.status(world.ledger, "S-NONE")
    assert sessions.status(world.ledger, session).session.site == SITE
