"""A new bridge key: told after each head, spoken under from the "ok" on, and no terminal is ever left out."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from host_bridge.agreement import Agreements, next_file
from host_bridge.ledger import devices
from host_bridge.peers import Peers
from host_bridge.wire import Command, Reply, WireError, bridge_kid
from tests.bridge.world import CODES, Terminal, World

_ROUND_MS = 11_000


class Rotated:
    """A bridge that was given a second key while it ran, and a terminal that uses the first."""

    def __init__(self, folder: Path) -> None:
        self.first = folder / "agreement.key"
        self.make(1)
        self.world = World(folder)
        self.world.ledger.close()
        self.world.agreement = Agreements.load(self.first)  # type: ignore[assignment]
        self.world.start()
        self.till = self.world.terminal()
        self.make(2)
        self.world.later(_ROUND_MS)

    def make(self, number: int) -> None:
        private = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (self.first if number == 1 else next_file(self.first, number)).write_bytes(private)

    @property
    def newest(self) -> bytes:
        return self.world.registry.agreements.newest.public

    def head(self) -> list[Command]:
        """The commands that a head is followed by."""
        self.world.outlet.sent.clear()
        self.world.deliver(self.till, self.till.head(), kind="head")
        return self.till.commands()

    def reply(self, counter: int, result: str = "ok") -> None:
        self.world.deliver(self.till, self.till.peer.seal_reply(Reply(counter, result, counter, {})), kind="reply")

    def used(self) -> str | None:
        return self.world.registry.find(self.till.peer.device).bridge_kid


@pytest.fixture
def rotated(tmp_path: Path) -> Rotated:
    return Rotated(tmp_path)


def _hears(till: Terminal) -> bool:
    """Whether it can read the answer to its next record."""
    till.world.outlet.sent.clear()
    till.world.deliver(till, till.scan(CODES[till.seq]))
    till.world.settle()
    try:
        return bool(till.verdicts())
    except WireError:
        return False


def test_the_new_key_is_told_after_each_head_until_it_is_taken(rotated: Rotated) -> None:
    told = [rotated.head(), rotated.head()]
    assert [(one.name, dict(one.arguments)) for commands in told for one in commands] == [
        ("bridge-key", {"public": rotated.newest})
    ] * 2
    assert told[0][0].counter < told[1][0].counter
    rotated.reply(told[1][0].counter)
    rotated.till.peer.go_over(rotated.newest)
    assert rotated.head() == []


def test_a_terminal_is_spoken_to_under_its_old_key_until_it_says_ok(rotated: Rotated) -> None:
    (command,) = rotated.head()
    assert _hears(rotated.till)
    rotated.reply(command.counter, "store: full")
    assert _hears(rotated.till)
    (command,) = rotated.head()
    rotated.reply(command.counter)
    assert not _hears(rotated.till)
    rotated.till.peer.go_over(rotated.newest)
    assert _hears(rotated.till)


def test_replies_and_credentials_are_taken_under_both_keys(rotated: Rotated) -> None:
    till, old = rotated.till, rotated.till.peer.keys
    (command,) = rotated.head()
    rotated.reply(command.counter)
    rotated.world.outlet.sent.clear()
    rotated.world.deliver(till, till.credential(1), kind="credential")  # sealed before it heard of the new one
    till.peer.go_over(rotated.newest)
    rotated.world.deliver(till, till.credential(2), kind="credential")
    assert [bool(one.arguments["id"]) for one in till.commands()] == [True, True]
    assert old != till.peer.keys
    assert rotated.used() == rotated.world.registry.agreements.newest.kid


def test_a_ledger_that_was_put_back_finds_the_terminals_that_had_gone_over(rotated: Rotated) -> None:
    rotated.till.peer.go_over(rotated.newest)  # and forgot the key that the ledger knows
    for _ in range(3):
        with pytest.raises(WireError):
            rotated.head()
    (command,) = rotated.head()
    rotated.reply(command.counter, "counter is not above the last")
    assert _hears(rotated.till)


def test_an_ok_to_a_key_that_another_has_followed_is_none(rotated: Rotated) -> None:
    (second,) = rotated.head()
    rotated.make(3)
    rotated.world.later(_ROUND_MS)
    (third,) = rotated.head()  # which the terminal stores in the place of the second
    rotated.reply(second.counter)
    assert _hears(rotated.till)
    rotated.reply(third.counter)
    assert rotated.used() == bridge_kid(rotated.newest).hex()


def test_nothing_is_said_under_a_wrong_key_where_a_terminals_own_is_gone(rotated: Rotated) -> None:
    world, till = rotated.world, rotated.till
    with world.ledger.write() as connection:
        devices.change(connection, till.peer.device, bridge_kid="00" * 8, keys_version=2)
    world.outlet.sent.clear()
    world.platform.loses_answers = True
    world.sell(till, CODES[0])
    world.later(2_000)
    world.platform.loses_answers = False
    world.later(60_000)
    world.settle()
    assert world.outlet.sent == []
    with world.ledger.write() as connection:  # its file is put back
        devices.change(connection, till.peer.device, bridge_kid=world.registry.agreements.all[0].kid, keys_version=3)
    world.later(_ROUND_MS)
    assert [one.seq for one in till.verdicts()] == [1]


def test_a_key_that_a_bridge_of_the_ledger_lacks_is_told_to_nobody(rotated: Rotated, tmp_path: Path) -> None:
    world = rotated.world
    first = Peers(world.ledger, world.registry, world.replies, world.clock, "bridge-1")
    lacking = World.beside(world)
    lacking.agreement = world.registry.agreements.all[0].private
    lacking.start()
    second = Peers(lacking.ledger, lacking.registry, lacking.replies, world.clock, "bridge-2")

    assert rotated.head() == [], "the others are not known yet"

    def look() -> None:
        world.clock.ms += 6_000
        second.look()
        first.look()

    look()
    assert rotated.head() == []
    lacking.registry.agreements = Agreements.load(tmp_path / "agreement.key")  # its file is there too
    look()
    assert [one.name for one in rotated.head()] == ["bridge-key"]


def test_a_key_file_that_cannot_be_read_leaves_the_bridge_as_it_was(rotated: Rotated) -> None:
    next_file(rotated.first, 3).write_text("not a key")
    rotated.world.later(_ROUND_MS)
    assert [dict(one.arguments) for one in rotated.head()] == [{"public": rotated.newest}]


def test_keys_stand_in_the_order_in_which_they_were_made_whatever_the_first_is_called(rotated: Rotated) -> None:
    first = rotated.first.rename(rotated.first.with_name("till-7.key"))
    next_file(rotated.first, 2).rename(next_file(first, 2))
    held = Agreements.load(first)
    assert [one.kid for one in held.all] == [one.kid for one in rotated.world.registry.agreements.all]


def test_a_key_file_that_was_taken_away_is_held_on_to_and_nothing_is_done_anew(rotated: Rotated) -> None:
    agreements = rotated.world.registry.agreements
    before = agreements.all
    next_file(rotated.first, 2).unlink()
    assert not agreements.refresh()
    assert agreements.all == before
