"""Terminals that are updated: a device's answers to update commands, without the device."""

import hashlib
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric import ec

from host_bridge import bundle as bundles
from host_bridge.bundle import Bundle, Manifest
from host_bridge.rollout import Rollout
from host_bridge.wire import Command, Reply
from tests.bridge.world import Terminal, World
from tests.wire_peer import point

FAMILY = "esp32-xtensawin-6.3"
FILES = {
    "scanlatch/__init__.mpy": b"\x01" * 700,
    "scanlatch/app.mpy": b"\x02" * 2_000,
    "scanlatch/read/line.mpy": b"\x03",
}
KEY = ec.derive_private_key(11, ec.SECP256R1())  # of a site's releases; everybody knows it
PUBLIC = point(KEY)


def file_of(
    version: str = "0.2.0", counter: int = 2, files: dict[str, bytes] = FILES, count: int | None = None
) -> bytes:
    """A bundle's file; `count`: how many files it says that it has, where that is not true."""
    content = bundles.packed(files)
    digest = hashlib.sha256(content).digest()
    made_at = 1_790_000_000_000
    manifest = Manifest(version, counter, FAMILY, len(content), digest, made_at, count or len(files))
    return bundles.seal(manifest, content, KEY)


def bundle(version: str = "0.2.0", counter: int = 2) -> Bundle:
    return bundles.read(file_of(version, counter), PUBLIC)


class Updated:
    """One terminal. What it is, the test says: `takes` it, or answers `refuses`, or goes `back` behind its trial."""

    def __init__(self, terminal: Terminal, bundle: Bundle) -> None:
        self.terminal = terminal
        self.bundle = bundle
        self.firmware = "0.1.0"
        self.refuses: dict[str, str] = {}  # by name of the command: result
        self.back = False
        self.well = True  # as its health says; else nothing of that
        self.off = False
        self.endless = False  # it says of every chunk that it has taken it, and has nothing
        self.has = b""
        self.heard: list[Command] = []
        self._seen = 0

    def names(self) -> list[str]:
        return [one.name for one in self.heard]

    def live(self) -> bool:
        """Answer what came; False where nothing did."""
        commands = self.terminal.commands(self._seen)
        if self.off or not commands:
            return False
        self._seen += len(commands)
        for command in commands:
            self.heard.append(command)
            result, details = self._carry_out(command)
            self._deliver(Reply(command.counter, result, command.counter, details))
            if command.name == "update-commit" and result == "ok":
                self.terminal.power_cycle()
                if not self.back:
                    self.firmware = self.bundle.manifest.version
                self.say_hello()
        return True

    def say_hello(self) -> None:
        world = self.terminal.world
        world.deliver(self.terminal, self.terminal.head(firmware=self.firmware), kind="head")
        if self.well:
            world.deliver(self.terminal, b'{"v":1,"update":null}', kind="health")

    def _deliver(self, reply: Reply) -> None:
        self.terminal.world.deliver(self.terminal, self.terminal.peer.seal_reply(reply), kind="reply")

    def _carry_out(self, command: Command) -> tuple[str, dict[str, object]]:
        said = command.arguments
        if command.name in self.refuses:
            return self.refuses[command.name], {}
        if self.endless:
            return "ok", {"at": 0}
        if command.name == "update-begin":
            assert said["manifest"] == self.bundle.signed
        elif command.name == "update-chunk":
            if said["at"] != len(self.has):
                return f"not at {len(self.has)}", {"at": len(self.has)}
            data = said["data"]
            assert isinstance(data, bytes)
            self.has += data
        else:
            assert said == {"digest": self.bundle.digest}
            assert self.has == self.bundle.content
            return "ok", {}
        return "ok", {"at": len(self.has)}


def fleet(world: World, count: int, of: Bundle) -> list[Updated]:
    """So many terminals, each of which said which firmware it runs."""
    made = [Updated(world.terminal(f"d-{number}"), of) for number in range(1, count + 1)]
    for one in made:
        one.say_hello()
    return made


def pass_time(world: World, rollouts: Sequence[Rollout], terminals: Sequence[Updated], ms: int) -> None:
    """Bridges and terminals do what they do, in steps of five seconds at most."""
    end = world.clock.ms + ms
    while world.clock.ms < end:
        for one in rollouts:
            one.look()
        moved = [one.live() for one in terminals]
        world.clock.ms += 50 if any(moved) else 5_000
        world.intake.tick()


def rollout_of(world: World) -> Rollout:
    return Rollout(world.ledger, world.replies, world.clock)
