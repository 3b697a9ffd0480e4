"""Commands reach a terminal in their order, are answered once, and settings go over the air as far as they may."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from host_bridge import over_the_air, renewal, sessions
from host_bridge.errors import BadInput, PermanentError, UnknownDevice
from host_bridge.ledger import commands, devices
from host_bridge.wire import Reply
from tests.bridge.world import Terminal, World

_NEVER = 1 << 62


def _answer(world: World, till: Terminal, counter: int, result: str = "ok", **details: object) -> None:
    last = max(one.counter for one in till.commands())
    world.deliver(till, till.peer.seal_reply(Reply(counter, result, last, details)), kind="reply")


def _send(world: World, name: str, arguments: dict[str, object]) -> int:
    """As a tool beside the bridge does."""
    now = world.clock.now()
    with world.ledger.write() as connection:
        row = devices.lock(connection, ["d-window-01"])["d-window-01"]
        return commands.add(connection, row, name, arguments, now, _NEVER).counter


def _certificate() -> bytes:
    key, now = ec.derive_private_key(5, ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "d-window-01")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 7, now, now + timedelta(days=9))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _names(till: Terminal) -> list[str]:
    return [one.name for one in till.commands()]


def test_what_the_bridge_says_at_once_does_not_overtake_what_waits_for_its_round(world: World) -> None:
    till = world.terminal()
    world.later(20_000)
    asked = sessions.open_session(world.ledger, till.peer.device, world.clock.now(), random.Random(2))
    world.deliver(till, till.credential(1), kind="credential")
    assert [one.counter for one in till.commands()] == [1, 2], "in this order: else it would refuse the first"
    assert till.commands()[0].arguments["id"] == asked
    world.later(20_000)
    assert len(till.commands()) == 2, "and each once"


def test_a_command_that_came_twice_keeps_its_first_answer(world: World) -> None:
    till = world.terminal()
    counter = _send(world, "restart", {})
    world.later(20_000)
    _answer(world, till, counter)
    _answer(world, till, counter, "counter is not above the last")
    with world.ledger.read() as connection:
        assert commands.answer(connection, till.peer.device, counter) == "ok"


def test_a_renewal_whose_answer_was_lost_is_asked_about_until_it_is_known(world: World) -> None:
    till, new = world.terminal(), _certificate()
    _send(world, "settings", {"certificate": new})
    world.later(20_000)
    world.deliver(till, till.head(), kind="head")
    world.deliver(till, till.head(), kind="head")
    assert [one.arguments for one in till.commands()] == [{"certificate": new}, {}, {}], "both answers were lost"
    _answer(world, till, 3, certificate=b"\x30", waiting=True)
    world.deliver(till, till.head(), kind="head")
    _answer(world, till, 4, certificate=new, waiting=False)
    world.deliver(till, till.head(), kind="head")
    assert _names(till) == 4 * ["settings"], "its last word is said"
    with world.ledger.read() as connection:
        row = devices.get(connection, till.peer.device)
        assert row is not None
        assert row.certificate_until is not None


def test_a_terminal_that_never_says_which_certificate_it_uses_is_not_asked_for_ever(world: World) -> None:
    till = world.terminal()
    _send(world, "settings", {"certificate": b"\x30"})
    world.later(20_000)
    for _ in range(2 * renewal.ASKS):
        world.deliver(till, till.head(), kind="head")
    assert _names(till).count("settings") == renewal.ASKS


def test_settings_that_lock_nobody_out_go_over_the_air(world: World) -> None:
    till = world.terminal()
    values = over_the_air.values_of(["rescan_ms=1500", "operation=stock-take"])
    counter = over_the_air.change(world.ledger, till.peer.device, values, world.clock.now())
    world.later(20_000)
    (command,) = till.commands()
    assert (command.name, command.arguments) == ("settings", {"rescan_ms": 1500, "operation": "stock-take"})
    assert over_the_air.answered(world.ledger, till.peer.device, counter) is None
    _answer(world, till, counter, "rescan_ms must lie between 0 and 60000")
    assert over_the_air.answered(world.ledger, till.peer.device, counter) == "rescan_ms must lie between 0 and 60000"


def test_settings_that_are_wrong_or_for_nobody_are_refused_here(world: World) -> None:
    till = world.terminal()
    for wrong in (
        [],
        ["site=x"],
        ["rescan_ms"],
        ["rescan_ms=-1"],
        ["badge_s=²"],
        ["operation=sell"],
        ["lock_days=" + "9" * 40],
    ):
        with pytest.raises(BadInput):
            over_the_air.values_of(wrong)
    with pytest.raises(UnknownDevice):
        over_the_air.change(world.ledger, "d-9", {"rescan_ms": 1}, world.clock.now())
    world.registry.revoke(till.peer.device)
    with pytest.raises(PermanentError):
        over_the_air.change(world.ledger, till.peer.device, {"rescan_ms": 1}, world.clock.now())
