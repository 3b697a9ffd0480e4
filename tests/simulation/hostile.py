"""An attacker who owns the broker: hears all, and gives anybody anything that it can make of it."""

import random
from typing import Any

from host_bridge import wire
from host_bridge.wire import Receipt, Verdict
from tests.wire_peer import WirePeer, point

_HEARD = 60  # messages remembered
_FROM_DEVICES = frozenset(("scan", "head", "reply", "credential"))


class Hostile:
    """Acts when the world lets it. It has no key but those of `stranger`, a device that nobody enrolled."""

    def __init__(self, world: Any, chance: random.Random, stranger: WirePeer, names: list[str]) -> None:
        self._world = world
        self._chance = chance
        self._stranger = stranger
        self._names = names
        self._heard: list[tuple[str, bytes]] = []

    def overhears(self, topic: str, payload: bytes) -> None:
        """Remember a message."""
        if len(self._heard) < _HEARD:
            self._heard.append((topic, payload))
        else:
            self._heard[self._chance.randrange(_HEARD)] = (topic, payload)

    def act(self) -> None:
        """Do one thing out of many."""
        deed = self._chance.choice((self._replay, self._bend, self._bend, self._swap, self._forge, self._intrude))
        made = deed()
        if made is not None:
            topic, payload = made
            self._world.log("hostile", deed.__name__, topic, payload)
            self._world.watch.count(deed.__name__)
            self._world.broker.route(topic, payload)

    def clone(self, peer: WirePeer, site: str, seq: int) -> None:
        """Whoever has stolen a terminal's key signs other bytes under a number that the ledger has."""
        scan = wire.Scan(
            seq=seq, prev=self._chance.randbytes(32), captured_at=1_790_000_000_000, clock=wire.Clock.SYNCHRONISED,
            boot=1, uptime=seq, site=site, operation=wire.Operation.SALE, symbology="]C0",
            data=b"83386520000000000002", family=wire.Family.TWENTY_DIGIT, session=None, operator=None, offline=False,
            target=None,
        )  # fmt: skip
        self._world.log("a clone speaks", peer.device, seq)
        self._world.broker.route(f"scanlatch/v1/{site}/{peer.device}/scan", peer.seal_scan(scan))

    def offer_key(self, terminal: Any) -> None:
        """A key of his own is told to a terminal as the bridge's: under no key that he has, or in what he heard."""
        public = self._chance.choice((point(self._stranger.agreement), self._world.stage.publics[1]))
        command = wire.Command(self._chance.randrange(1, 1 << 40), "bridge-key", {"public": public}, 1 << 42)
        kid = wire.bridge_kid(terminal.raw_nvs.values["bridge"])
        key = self._chance.choice((bytes(32), self._stranger.keys.mac, self._chance.randbytes(32)))
        self._world.log("a foreign key is offered", terminal.name)
        topic = f"scanlatch/v1/{terminal.site}/{terminal.name}/command"
        self._world.broker.route(topic, wire.seal_command(command, key, kid))

    def _some(self) -> tuple[str, bytes] | None:
        return self._chance.choice(self._heard) if self._heard else None

    def _replay(self) -> tuple[str, bytes] | None:
        """What was said before is said again."""
        return self._some()

    def _bend(self) -> tuple[str, bytes] | None:
        """One bit of a message is another."""
        some = self._some()
        if some is None or not some[1]:
            return None
        bent = bytearray(some[1])
        bent[self._chance.randrange(len(bent))] ^= 1 << self._chance.randrange(8)
        return some[0], bytes(bent)

    def _swap(self) -> tuple[str, bytes] | None:
        """A message is given out as another device's."""
        some = self._some()
        if some is None:
            return None
        parts = some[0].split("/")
        parts[3] = self._chance.choice(self._names)
        return "/".join(parts), some[1]

    def _forge(self) -> tuple[str, bytes] | None:
        """A verdict or receipt under a key that is not the bridge's."""
        some = self._some()
        if some is None:
            return None
        parts = some[0].split("/")
        seq, named = self._chance.randrange(1, 9), self._chance.randbytes(32)
        key, kid = self._chance.randbytes(32), self._stranger.bridge_kid
        if self._chance.random() < 0.5:
            made = wire.seal_receipt(Receipt(seq, named, 1_790_000_000_000, None), key, kid)
            return "/".join([*parts[:4], "receipt"]), made
        verdict = Verdict(seq, named, wire.Outcome.ACCEPTED, 0, 1_790_000_000_000, final=True, kept=True)
        return "/".join([*parts[:4], "verdict"]), wire.seal_verdict(verdict, key, kid)

    def _intrude(self) -> tuple[str, bytes] | None:
        """A device that nobody enrolled speaks, under its own name or another's."""
        seq = self._chance.randrange(1, 5)
        scan = wire.Scan(
            seq=seq, prev=bytes(32), captured_at=1_790_000_000_000, clock=wire.Clock.SYNCHRONISED, boot=1, uptime=1,
            site="clinic-7", operation=wire.Operation.SALE, symbology="]C0", data=b"83386520000000000001",
            family=wire.Family.TWENTY_DIGIT, session=None, operator=None, offline=False, target=None,
        )  # fmt: skip
        name = self._chance.choice((self._stranger.device, self._stranger.device, *self._names))
        return f"scanlatch/v1/clinic-7/{name}/scan", self._stranger.seal_scan(scan)
