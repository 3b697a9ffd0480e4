"""A bridge without a broker: the real intake, ledger, keys and outbox, on a clock that the test turns."""

import random
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric import ec

from host_bridge.config import Site
from host_bridge.devices import Registry
from host_bridge.intake import Intake, Parts
from host_bridge.ledger import open_ledger
from host_bridge.ledger.alerts import listed
from host_bridge.ledger.schema import metadata
from host_bridge.opening import Inbound
from host_bridge.replies import Replies
from host_bridge.settlement.outbox import Outbox
from host_bridge.wire import Clock as ClockState
from host_bridge.wire import Command, Credential, Family, Head, Operation, Receipt, Scan, Verdict, digest
from tests.bridge.outside import Outlet, Platform
from tests.wire_peer import WirePeer, point

NOW = 1_790_000_000_000  # ms UTC
SITE, OTHER_SITE = "clinic-7", "pharmacy-3"
CODES = [f"8338652{number:013}" for number in range(50)]


class TestClock:
    """Time that passes only when told to."""

    __test__ = False

    def __init__(self) -> None:
        self.ms = NOW

    def now(self) -> int:
        return self.ms

    def ticks(self) -> float:
        return self.ms / 1000


@dataclass
class Terminal:
    """A device: makes records that follow each other, opens what it is sent."""

    world: "World"
    peer: WirePeer
    site: str = SITE
    seq: int = 0
    last: bytes = bytes(32)
    uptime: int = 1_000
    boot: int = 1
    connection: int = 1
    messages: dict[int, bytes] = field(default_factory=dict[int, bytes])

    def __post_init__(self) -> None:
        self._on_since = self.world.clock.now() - self.uptime

    def power_cycle(self) -> None:
        """Start it anew: from here on records and heads are of another boot."""
        self.boot, self.connection, self.uptime = self.boot + 1, 1, 1_000
        self._on_since = self.world.clock.now() - self.uptime

    def ran(self) -> int:
        """Its uptime, which goes on with the world's clock; every message has one of its own."""
        self.uptime = max(self.uptime, self.world.clock.now() - self._on_since)
        return self.uptime

    def scan(
        self,
        code: str = CODES[0],
        operation: Operation = Operation.SALE,
        *,
        session: str | None = None,
        target: int | None = None,
        site: str | None = None,
        data: bytes | None = None,
        family: Family = Family.TWENTY_DIGIT,
        **changed: object,
    ) -> bytes:
        """Seal the next record; nothing is delivered."""
        values: dict[str, object] = {
            "seq": self.seq + 1,
            "prev": self.last,
            "captured_at": self.world.clock.now(),
            "clock": ClockState.SYNCHRONISED,
            "boot": self.boot,
            "uptime": self.ran(),
            "operation": operation,
            "symbology": "]C0",
            "data": code.encode() if data is None else data,
            "family": family,
            "session": session,
            "operator": None,
            "offline": False,
            "site": site or self.site,
            "target": target,
        }
        message = self.peer.seal_scan(Scan(**{**values, **changed}))  # type: ignore[arg-type]
        self.keep(message)
        return message

    def void(self, target: int, session: str | None = None) -> bytes:
        return self.scan("VOID", Operation.VOID, target=target, session=session, family=Family.CONTROL)

    def keep(self, message: bytes) -> None:
        """Count a message as this device's next record."""
        self.seq += 1
        self.uptime += 100
        self.last = digest(message)
        self.messages[self.seq] = message

    def head(self, oldest: int = 1, missing: tuple[tuple[int, int], ...] = (), **changed: object) -> bytes:
        self.uptime = self.ran() + 100
        values = {
            "boot": self.boot,
            "connection": self.connection,
            "uptime": self.uptime,
            "newest": self.seq,
            "digest": self.last,
            "oldest": oldest,
            "missing": missing,
            "firmware": "0.1.0",
        }
        return self.peer.seal_head(Head(**{**values, **changed}))  # type: ignore[arg-type]

    def credential(self, counter: int, captured_at: int | None = None) -> bytes:
        at = self.world.clock.now() if captured_at is None else captured_at
        return self.peer.seal_credential(Credential(at, b"4" * 28, self.boot, counter))

    def verdicts(self) -> list[Verdict]:
        return [self.peer.open_verdict(one) for one in self._received("verdict")]

    def outcomes(self) -> list[tuple[int, int, int]]:
        """(seq, outcome, reason) of each verdict, in the order of arrival."""
        return [(one.seq, int(one.outcome), one.reason) for one in self.verdicts()]

    def receipts(self) -> list[Receipt]:
        return [self.peer.open_receipt(one) for one in self._received("receipt")]

    def commands(self, seen: int = 0) -> list[Command]:
        """All but the first `seen`."""
        return [self.peer.open_command(one) for one in self._received("command")[seen:]]

    def _received(self, kind: str) -> list[bytes]:
        topic = f"scanlatch/v1/{self.site}/{self.peer.device}/{kind}"
        return [one.payload for one in self.world.outlet.sent if one.topic == topic]


class World:
    """One bridge with its ledger on disk."""

    def __init__(self, folder: Path, deadline_ms: int = 900, name: str = "bridge", url: str | None = None) -> None:
        self.folder = folder
        self.url = url or _sqlite(folder / "ledger.sqlite")
        self.clock = TestClock()
        self.platform = Platform()
        self.outlet = Outlet()
        self.agreement = ec.generate_private_key(ec.SECP256R1())
        self.deadline_ms = deadline_ms
        self.busy_timeout_ms = 5_000
        self.name = name
        self.shared = False  # with other bridges; read by `start`
        self.sites: dict[str, Site] = {}  # what each asks for; may be changed while the bridge runs
        self.acked: list[bytes] = []
        self.start()

    @classmethod
    def beside(cls, first: "World") -> "World":
        """A second bridge on the same ledger, with the same bridge key and platform."""
        second = cls(first.folder, first.deadline_ms, "bridge-2", first.url)
        second.agreement, second.platform, second.outlet = first.agreement, first.platform, first.outlet
        second.shared = True
        second.start()
        return second

    def start(self) -> None:
        """Start a bridge on the ledger, as after a power cut: nothing but the rows is known."""
        self.ledger = open_ledger(self.url, self.busy_timeout_ms)
        self.registry = Registry(self.ledger, self.agreement)
        self.replies = Replies(self.outlet, self.registry, self.clock)
        chance = random.Random(1)
        self.outbox = Outbox(self.ledger, self.platform, self.replies, self.clock, chance, self.name)
        self.intake = Intake(
            Parts(
                self.ledger,
                self.registry,
                self.replies,
                self.clock,
                chance,
                self.deadline_ms,
                self.outbox.wake,
                lambda: not self.outbox.reachable,
                self.sites,
                self.shared,
            )
        )
        self.intake.start()
        self.outbox.recover()

    def terminal(self, device: str = "d-window-01", site: str = SITE, enrolled: bool = True) -> Terminal:
        peer = WirePeer.new(device, self.registry.public)
        if enrolled:
            self.registry.enrol(device, site, point(peer.signing), point(peer.agreement), self.clock.now())
        return Terminal(self, peer, site)

    def deliver(self, terminal: Terminal, *messages: bytes, kind: str = "scan", site: str | None = None) -> None:
        """One batch of messages."""
        topic = f"scanlatch/v1/{site or terminal.site}/{terminal.peer.device}/{kind}"
        self.intake.process([self.inbound(topic, one) for one in messages])

    def inbound(self, topic: str, message: bytes) -> Inbound:
        """A message as the broker gives it."""
        return Inbound(topic, message, lambda: self.acked.append(message))

    def settle(self) -> None:
        """Let the outbox do all that is due now."""
        while self.outbox.step():
            pass

    def sell(self, terminal: Terminal, *codes: str) -> None:
        """Sales, delivered one by one and settled."""
        for code in codes:
            self.deliver(terminal, terminal.scan(code))
            self.settle()

    def later(self, ms: int) -> None:
        """Time passes, in steps small enough for every timer."""
        end = self.clock.ms + ms
        while self.clock.ms < end:
            self.clock.ms = min(end, self.clock.ms + 1_000)
            self.intake.tick()

    def dump(self) -> str:
        """Every value in the ledger as text, bytes in hex."""
        with self.ledger.read() as connection:
            rows = [row for table in metadata.sorted_tables for row in connection.execute(table.select())]
        return "\n".join(one.hex() if isinstance(one, bytes) else str(one) for row in rows for one in row)

    def close(self) -> None:
        self.ledger.close()

    def alerts(self) -> list[tuple[str, int, int]]:
        with self.ledger.read() as connection:
            return [(one.kind, one.first, one.last) for one in listed(connection)]


def _sqlite(path: Path) -> str:
    """URL of a ledger in a file; a new one is a copy, for it is made in a tenth of the time."""
    if not path.exists():
        path.write_bytes(_new_ledger())
    return f"sqlite:///{path}"


@cache
def _new_ledger() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite"
        open_ledger(f"sqlite:///{path}").close()
        return path.read_bytes()
