"""What people at a desk do to a site amid it all: a terminal let out and in again, a new key of the bridge."""

from typing import Any

from host_bridge.ledger.devices import ENROLLED, REVOKED
from host_bridge.wire import bridge_kid
from tests.simulation.plagues import Plague, start

_ROUNDS = 6  # connections, once all is well, in which a terminal has to have gone over to the new key
_ROUND_MS = 25_000


class Desk:
    """What they did, and have to see through.

    Attributes:
        out: terminal that is let out now -> how many records the ledger had of it.
        new_key: whether there is one.
    """

    def __init__(self, world: Any) -> None:
        self.out: dict[str, int] = {}
        self.new_key = False
        self._world = world
        self._rounds = 0

    @property
    def done(self) -> bool:
        """Whether nothing of it is still to come."""
        return not self._rounds

    def let_out(self, name: str) -> None:
        """A terminal is revoked: from now on it gets nothing in and nothing out."""
        world = self._world
        if name in self.out or world.registry().find(name).status != ENROLLED:
            return
        world.registry().revoke(name)
        self.out[name] = world.watch.held(name)
        world.watch.outlaws.add(name)
        world.watch.count("let out")
        world.log("let out", name)

    def let_in(self, name: str) -> None:
        """It is taken back. What it sent meanwhile never got in, and comes again."""
        world = self._world
        if name not in self.out:
            return
        before, now = self.out.pop(name), world.watch.held(name)
        if before != now:
            world.watch.alarm(f"{name} got {now - before} records in while it was revoked")
        if world.registry().find(name).status != REVOKED:
            world.watch.alarm(f"{name} was revoked, and is not any more")
        world.registry().reinstate(name)
        world.watch.outlaws.discard(name)
        world.log("let in", name)

    def give_key(self, bridge: Any) -> None:
        """A bridge is given the new key."""
        self._world.log("new key", bridge.name)
        self._world.stage.give_next_key(bridge.key)

    def key_waits(self, terminal: Any) -> None:
        """A terminal has stored a key that is to come: the moment to offer it another, or to leave it half of it."""
        world = self._world
        if world.healed:
            return
        drawn = world.random.random()
        if drawn < 0.3:
            world.scheduler.after(1, lambda: world.hostile.offer_key(terminal))
        elif drawn < 0.7:  # the writes of going over
            terminal.raw_nvs.cut_in = world.random.randrange(1, 5)
            terminal.raw_nvs.cut_behind = world.random.random() < 0.5

    def heal(self) -> None:
        """Everybody is let in again; each bridge has the new key, and each terminal the time to go over to it."""
        world = self._world
        for name in list(self.out):
            self.let_in(name)
        if self.new_key:
            for bridge in world.bridges:
                self.give_key(bridge)
            self._rounds = _ROUNDS
            world.scheduler.after(_ROUND_MS, self._round)

    def _round(self) -> None:
        """All connect anew: a new key is told behind a head. In the last round each is scanned at once more."""
        self._rounds -= 1
        for terminal in self._world.terminals:
            if self._rounds:
                terminal.hang_up()
            else:
                terminal.scan(self._world.codes[0])
        if self._rounds:
            self._world.scheduler.after(_ROUND_MS, self._round)
            return
        newest = self._world.stage.publics[-1]
        for terminal in self._world.terminals:
            used = terminal.raw_nvs.values["bridge"]
            known = self._world.registry().find(terminal.name).bridge_kid
            if (used, known) != (newest, bridge_kid(newest).hex()):
                self._world.watch.alarm(f"{terminal.name} has not gone over to the new bridge key, or is not known to")


def a_terminal_is_let_out(world: Any) -> None:
    """A terminal is revoked, and reinstated; again and again."""
    honest = [terminal.name for terminal in world.terminals if terminal.name not in world.cloned]

    def out() -> None:
        name = world.random.choice(honest)
        world.at_desk.let_out(name)
        world.later(100, 12_000, lambda: world.at_desk.let_in(name))

    if honest:
        world.during(6_000, out)


def bridge_key_is_new(world: Any) -> None:
    """The bridges are given a new key, one after the other; terminals connect, and lose power while they store it."""
    world.at_desk.new_key = True
    for bridge in world.bridges:
        world.later(500, world.over_ms * 0.7, lambda bridge=bridge: world.at_desk.give_key(bridge))

    def anew() -> None:
        terminal = world.random.choice(world.terminals)
        if not terminal.on:
            start(terminal)
        elif world.random.random() < 0.5:
            terminal.hang_up()
        else:
            terminal.raw_nvs.cut_in = world.random.randrange(1, 8)
            terminal.raw_nvs.cut_behind = world.random.random() < 0.5

    world.during(2_500, anew)
    world.during(3_000, lambda: world.hostile.offer_key(world.random.choice(world.terminals)))


DEEDS: tuple[Plague, ...] = a_terminal_is_let_out, bridge_key_is_new
