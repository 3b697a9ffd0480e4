"""Two terminals that a CA certified, their bridge, and bundles of what they signed."""

import hashlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from scanlatch_tools import certificates
from scanlatch_tools.evidence.certify import issue
from scanlatch_tools.evidence.verify import Check

from host_bridge.audit import bundle, choice
from host_bridge.audit.bundle import RECORD
from host_bridge.audit.choice import Choice
from host_bridge.ledger.audit import Books, opened
from host_bridge.wire import Operation
from tests.bridge.world import CODES, Terminal, World
from tests.wire_peer import point

Item = list[Any]
DEVICES = "d-window-01", "d-window-02"


class Case(NamedTuple):
    """A bridge whose terminals a CA certified."""

    world: World
    folder: Path
    ca: x509.Certificate
    tills: list[Terminal]

    @property
    def ca_der(self) -> bytes:
        return self.ca.public_bytes(Encoding.DER)

    def export(self, choose: Callable[[Books], Choice] = lambda books: choice.of_code(books, CODES[0])) -> bytes:
        out = self.folder / "bundle"
        out.unlink(missing_ok=True)
        with opened(self.world.url) as books:
            bundle.write(books, choose(books), self.ca_der, self.folder, out)
        return out.read_bytes()

    def check(self, data: bytes, ca: bytes | None = None) -> tuple[int, str]:
        return checked(data, ca or self.ca_der)


def checked(data: bytes, ca: bytes | None = None, fingerprint: str = "") -> tuple[int, str]:
    check = Check(ca, fingerprint)
    status = check.run(BytesIO(data))
    return status, "\n".join(check.lines + [f"WRONG: {line}" for line in check.wrong])


def new_case(folder: Path) -> Case:
    world = World(folder)
    key = certificates.new_key()
    ca = certificates.make_ca(key, "Scanlatch CA test")
    tills = [world.terminal(device) for device in DEVICES]
    for till in tills:
        one = issue(ca, key, till.peer.device, point(till.peer.signing))
        (folder / f"{till.peer.device}.der").write_bytes(one.public_bytes(Encoding.DER))
    first, second = tills
    world.sell(first, CODES[1], CODES[0], CODES[2])
    world.deliver(first, first.head(), kind="head")
    world.sell(first, CODES[3])
    world.deliver(first, first.head(), kind="head")
    world.deliver(second, second.scan(CODES[0], Operation.QUERY))
    world.settle()
    world.deliver(second, second.head(), kind="head")
    world.deliver(first, first.scan(CODES[4]), first.scan(CODES[0], Operation.RETURN))
    world.settle()
    world.deliver(first, first.head(), kind="head")
    return Case(world, folder, ca, tills)


def items(data: bytes) -> list[Item]:
    source = BytesIO(data)
    found: list[Item] = []
    while source.tell() < len(data):
        found.append(cbor2.load(source, read_size=1))
    return found


def sealed(these: list[Item]) -> bytes:
    """A bundle of these items, its list and digest made anew, as whoever wants to deceive would."""
    body = [one for one in these if one[0] != bundle.END]
    written = b"".join(cbor2.dumps(one) for one in body)
    return written + cbor2.dumps([bundle.END, len(body), hashlib.sha256(written).digest()])


def whole(case: Case) -> list[Item]:
    """All of the first terminal."""
    return items(case.export(lambda books: choice.of_device(books, DEVICES[0], None, None)))


def records(these: list[Item]) -> list[Item]:
    return [one for one in these if one[0] == RECORD]
