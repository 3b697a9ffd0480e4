"""A terminal that means harm says what it likes of itself: no bridge ends, and no look at the fleet does."""

import datetime
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from scanlatch_tools.update import shown

from host_bridge import config, expiry, intake, rollout_plan
from host_bridge.ledger import hints
from host_bridge.rollout_plan import Group, Terms
from host_bridge.wire import Reply
from tests.bridge.updated import bundle, fleet, rollout_of
from tests.bridge.world import CODES, World

_KEY = ec.derive_private_key(12, ec.SECP256R1())
_SETTINGS = config.Mqtt(host="broker", ca=None, certificate=None, key=None, client_id="bridge-1")


def _certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "d-window-01")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(_KEY.public_key())
    made = made.serial_number(5).not_valid_before(start).not_valid_after(start + datetime.timedelta(days=9))
    return made.sign(_KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_a_certificate_of_no_version_that_there_is_is_passed_over(sqlite_world: World) -> None:
    world = sqlite_world
    terminal = world.terminal()
    version = bytes.fromhex("a003020102")
    foreign = _certificate().replace(version, version[:-1] + b"\x05")
    for counter, der in enumerate((foreign, b"", b"\x30" * 500), start=1):
        reply = terminal.peer.seal_reply(Reply(counter, "ok", counter, {"certificate": der}))
        world.deliver(terminal, reply, kind="reply")
    assert world.registry.find("d-window-01").certificate is None
    world.deliver(terminal, terminal.scan(CODES[0]))
    assert world.registry.find("d-window-01").upto == 1


@pytest.mark.parametrize(
    ("told", "is_kept"),
    [
        ({"certificate_days": -(10**400)}, False),
        ({"certificate_days": 1 << 70}, False),
        ({"certificate_days": -(1 << 62)}, True),
        ({"queue": float("inf")}, False),
        ({"x": json.loads("[" * 500 + "]" * 500)}, False),
    ],
    ids=["far below", "above 64 bits", "beyond any day", "no number", "deep"],
)
def test_health_that_nobody_can_reckon_with_ends_no_bridge(
    sqlite_world: World, told: dict[str, object], is_kept: bool
) -> None:
    world = sqlite_world
    terminal = world.terminal()
    world.deliver(terminal, json.dumps({"v": 1, **told}).encode(), kind="health")
    world.later(2_000)
    with world.ledger.read() as connection:
        expiry.look(_SETTINGS, connection, None, world.clock.now())
        kept = hints.of_device(connection, "d-window-01")
        assert expiry.of_terminals(connection) == []
    assert ("health" in kept) is is_kept


def test_finals_that_a_revoked_terminal_is_not_told_keep_no_other_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "_UNSENT", 1)
    lost, other = world.terminal("d-1"), world.terminal("d-2")
    world.platform.reachable = False
    world.sell(lost, CODES[0])
    world.clock.ms += 1_000
    world.sell(other, CODES[1])
    world.later(2_000)
    world.registry.revoke("d-1")
    world.platform.reachable = True
    world.outlet.down = True
    world.later(60_000)
    world.settle()
    world.outlet.down = False
    world.later(11_000)
    assert [one.final for one in other.verdicts()] == [False, True]
    assert [one.final for one in lost.verdicts()] == [False]


def test_words_with_any_sign_in_them_are_written_down_and_end_no_rollout(world: World) -> None:
    (terminal,) = fleet(world, 1, bundle())
    rollout_plan.start(world.ledger, bundle(), Group(1), Terms(errors=0), world.clock.now())
    engine = rollout_of(world)
    engine.look()
    (command,) = terminal.terminal.commands()
    harmful = "\x00 \x1b[2J"
    reply = Reply(command.counter, harmful, command.counter, {"at": harmful, harmful: [harmful, b"\x00", 1 << 63]})
    world.deliver(terminal.terminal, terminal.terminal.peer.seal_reply(reply), kind="reply")
    world.later(2_000)
    engine.look()
    status = rollout_plan.status(world.ledger)
    assert status is not None
    assert (status.rollout.state, status.places["d-1"].state) == ("stopped", "failed")
    (said,) = shown.rollout(status)[2]
    assert "\x1b" not in said
    assert "\x00" not in said
