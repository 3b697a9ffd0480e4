"""What all worlds of a process share: keys, and a ledger file that each begins with anew."""

import hashlib
import shutil
import sqlite3
import tempfile
from pathlib import Path
from types import SimpleNamespace

import sqlalchemy as sa
import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import event

from host_bridge.agreement import next_file
from host_bridge.devices import Registry
from host_bridge.ledger import Ledger, open_ledger
from tests.simulation.bridge import Bridge
from tests.simulation.terminal import START_MS
from tests.wire_peer import WirePeer, point

NAMES = ("d-one", "d-two", "d-three")
GONE = "d-gone"  # is revoked in the course of a world
STRANGER = "d-stranger"  # is never enrolled
SITES = {"d-one": "clinic-7", "d-two": "clinic-7", "d-three": "pharmacy-3", GONE: "clinic-7"}
BRIDGES = ("bridge-1", "bridge-2")
_FILES = ("", "-wal", "-shm")


class Stage:
    """Made once a process; a context manager. Its ledgers keep what they compiled from one world to the next."""

    def __init__(self) -> None:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
        memory = Path("/dev/shm")
        self._folder = tempfile.TemporaryDirectory(prefix="scanlatch-world-", dir=memory if memory.is_dir() else None)
        self.file = Path(self._folder.name) / "ledger.sqlite"
        self._fresh = Path(self._folder.name) / "fresh.sqlite"
        self.url = f"sqlite:///{self.file}"
        self.agreement = _key("bridge")
        self.office: Ledger = open_ledger(self.url)  # for what people do at a desk: enrol, revoke, audit
        self.registry = Registry(self.office, self.agreement)
        self.publics = [self.registry.public, point(_key("bridge", "2"))]  # of the bridge key, and of the next one
        self.peers = {name: self._peer(name, self.publics[0]) for name in (*SITES, STRANGER)}
        self.later_peers = {name: self._peer(name, self.publics[1]) for name in SITES}
        self.private = [_number(name, which) for name in SITES for which in ("signing", "agreement")]
        for name, site in SITES.items():
            peer = self.peers[name]
            self.registry.enrol(name, site, point(peer.signing), point(peer.agreement), START_MS)
        self.holders: dict[str, list[Bridge | None]] = {name: [None] for name in BRIDGES}
        self.ledgers = {name: open_ledger(self.url) for name in BRIDGES}
        for name, ledger in self.ledgers.items():
            _hook(ledger._engine, self.holders[name])
        self._closed()  # the last one to close moves its log into the file
        shutil.copy(self.file, self._fresh)

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        self._closed()
        self._folder.cleanup()

    def keys(self, name: str) -> SimpleNamespace:
        """What enrolment leaves on a terminal."""
        return SimpleNamespace(
            sign=_number(name, "signing"), agree=_number(name, "agreement"), mac=self.peers[name].keys.mac,
            bridge=self.registry.public,
        )  # fmt: skip

    def key_file(self, bridge: str) -> Path:
        """File of a bridge's first agreement key, as a world begins: there is no other beside it."""
        first = Path(self._folder.name) / bridge / "agreement.key"
        if not first.exists():
            first.parent.mkdir()
            first.write_bytes(_pem(self.agreement))
        next_file(first, 2).unlink(missing_ok=True)
        return first

    def give_next_key(self, first: Path) -> None:
        """The next agreement key is put beside the first one."""
        next_file(first, 2).write_bytes(_pem(_key("bridge", "2")))

    def empty(self) -> sqlite3.Connection:
        """A ledger in which devices are enrolled and nothing else is. Returns a reader of it."""
        self._closed()
        for end in _FILES:
            Path(f"{self.file}{end}").unlink(missing_ok=True)
        shutil.copy(self._fresh, self.file)
        return sqlite3.connect(self.file, isolation_level=None)

    def _closed(self) -> None:
        for holder in self.holders.values():
            holder[0] = None
        for ledger in (self.office, *self.ledgers.values()):
            ledger.close()

    def _peer(self, name: str, bridge: bytes) -> WirePeer:
        return WirePeer(name, _key(name, "signing"), _key(name, "agreement"), bridge)


def _number(*names: str) -> bytes:
    return hashlib.sha256("/".join(names).encode()).digest()


def _key(*names: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(_number(*names), "big"), ec.SECP256R1())


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    none = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, none)


def _hook(engine: sa.Engine, holder: list[Bridge | None]) -> None:
    """Let the bridge in `holder` die before any statement or commit of this engine."""

    @event.listens_for(engine, "before_cursor_execute")
    def before(*_: object) -> None:  # pyright: ignore[reportUnusedFunction]
        if holder[0] is not None:
            holder[0].statement()

    @event.listens_for(engine, "commit")
    def commit(_: object) -> None:  # pyright: ignore[reportUnusedFunction]
        if holder[0] is not None:
            holder[0].step("commit")
