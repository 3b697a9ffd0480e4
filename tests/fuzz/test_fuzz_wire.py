"""The bridge's decoders of the wire: whatever comes is taken, refused by name, or kept as evidence; nothing else."""

from pathlib import Path
from typing import Any

import cbor2
import pytest

from host_bridge import cbor_peek, cbor_strict, wire_tables
from host_bridge.cbor_strict import WireError
from host_bridge.clock import SystemClock
from host_bridge.inbox import Inbox
from host_bridge.opening import Inbound, peek
from host_bridge.wire import Family, Operation
from tests.bridge.world import World
from tests.fuzz.chance import Watch, cases, cbor, chances, mutated, plain_map, unfolding
from tests.vectors import third

WHYS = {"size", "frame", "kid", "signature", "mac", "key", "encoding", "fields"}
VECTORS = third.load("wire.json")
MESSAGES = [
    bytes.fromhex(one["message"])
    for kind in ("scans", "heads", "replies", "credentials", "verdicts", "receipts", "commands")
    for one in VECTORS[kind]
]


def test_cbor_is_taken_in_its_one_form_or_refused() -> None:
    taken = 0
    for number, data in cases(700, MESSAGES, lambda chance: (cbor, unfolding)[chance.random() < 0.1](chance)):
        with Watch(number, data):
            try:
                value = cbor_strict.decode(data)
            except WireError as error:
                assert error.why == "encoding"
            else:
                assert cbor_strict.encode(value) == data
                taken += 1
    assert taken


def test_a_peek_reads_or_does_not() -> None:
    for number, data in cases(700, MESSAGES, lambda chance: (cbor, unfolding)[chance.random() < 0.3](chance)):
        with Watch(number, data):
            for found in (cbor_peek.find(data, 2), peek(data, 2), cbor_peek.payload(data)):
                assert found is None or isinstance(found, int | bytes)
            if cbor_peek.is_plain(data):
                assert cbor_peek.find(data, 1 << 70) is None


def test_a_batch_of_anything_waits_in_the_inbox() -> None:
    inbox = Inbox(SystemClock().now)
    kept = 0
    for number, data in cases(300, MESSAGES):
        with Watch(number, data):
            inbox.put(Inbound("scanlatch/v1/a/b/scan", data, lambda: None))
            kept += 1
    taken = 0
    while len(inbox):
        taken += len(inbox.take(64, 0))
    assert taken == kept


class Site:
    """A bridge without a broker, and a terminal whose keys are in wrong hands."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.another(0)

    def another(self, number: int) -> None:
        """The next terminal: the one before may be suspended by now."""
        self.terminal = self.world.terminal(f"d-{number}")
        self.peer = self.terminal.peer

    def sealed(self, kind: str, payload: bytes, number: int) -> bytes:
        """A payload, right or wrong, under the terminal's own keys."""
        peer = self.peer
        if kind in ("scan", "head"):
            return third.sign1(payload, kind, peer.kid, peer.signing)
        if kind == "reply":
            return third.mac0(payload, kind, peer.kid, peer.keys.mac)
        return third.encrypt0(payload, peer.kid, peer.keys.credential, number.to_bytes(8) + bytes(5))


@pytest.fixture
def site(tmp_path: Path) -> Any:
    made = Site(tmp_path)
    yield made
    made.world.close()


def _inside(message: bytes) -> dict[int, Any]:
    return cbor2.loads(cbor2.loads(message).value[2])


KINDS = ("scan", "head", "reply", "credential")


def _insides(site: Site, kind: str) -> dict[int, Any]:
    found: Any = {
        "scan": lambda: _inside(site.terminal.scan()),
        "head": lambda: _inside(site.terminal.head()),
        "reply": lambda: dict[int, Any]({1: 1, 2: 1, 3: "ok", 4: 1, 5: {}}),
        "credential": lambda: {1: 1, 2: site.world.clock.now(), 3: b"4" * 28},
    }
    return found[kind]()


def test_what_a_terminal_signs_never_stops_the_bridge(site: Site) -> None:
    """Its keys are in wrong hands: everything in it is chosen, and the signature is right."""
    for number, chance in chances(160):
        if number and number % 16 == 0:
            site.another(number)
        kind = KINDS[chance.randrange(4)]
        payload = third.dumps(plain_map(chance, _insides(site, kind)))
        if chance.random() < 0.3:
            payload = mutated(chance, payload, MESSAGES)
        elif chance.random() < 0.1:
            payload = unfolding(chance)
        message = site.sealed(kind, payload, number)
        with Watch(number, message):
            site.world.deliver(site.terminal, message, kind=kind)
    site.world.later(130_000)
    healthy = site.world.terminal("d-window-02")
    site.world.deliver(healthy, healthy.scan("83386520000000000777"))
    site.world.settle()
    assert healthy.outcomes()[-1][1] in (0, 3)


def test_codes_of_any_signs_are_decided(site: Site) -> None:
    signs = ("²", "٣", "８", "0", "00", "01", "21", "\x1d", "é", "囧", "69012345678927", "10A\x00", "17271231", "7003")
    for number, chance in chances(160):
        data = "".join(chance.choice(signs) for _ in range(chance.choice((1, 2, 20, 30)))).encode()[:512]
        if number % 4 == 0:
            data = b"00" + "²".encode() * 18
        message = site.terminal.scan(
            data=data, family=chance.choice(list(Family)[:4]), operation=chance.choice(list(Operation)[:6])
        )
        with Watch(number, data):
            site.world.deliver(site.terminal, message)
            site.world.settle()
    assert len(site.terminal.outcomes()) >= site.terminal.seq


def test_noise_on_any_topic_is_counted_and_no_more(site: Site) -> None:
    topics = ("scan", "head", "reply", "credential", "health", "status", "verdict", "x" * 40, "")
    devices = (site.peer.device, "d-nobody", "../x", "")
    for number, data in cases(300, MESSAGES, lambda chance: unfolding(chance)):
        topic = f"scanlatch/v1/clinic-7/{devices[number % 4]}/{topics[number % 9]}"
        with Watch(number, (topic, data)):
            site.world.intake.process([site.world.inbound(topic, data)])
    assert site.world.acked


def test_a_command_after_the_greatest_counter_that_a_reply_may_claim_still_goes_out(site: Site) -> None:
    for last in (1 << 53, (1 << 53) + 1, (1 << 63) - 1):
        payload = third.dumps({1: 1, 2: 1, 3: "ok", 4: last, 5: {}})
        site.world.deliver(site.terminal, site.sealed("reply", payload, 1), kind="reply")
    site.world.deliver(site.terminal, site.terminal.credential(1), kind="credential")
    assert [one.name for one in site.terminal.commands()] == ["session"]


def test_every_table_reads_back_what_it_writes_and_nothing_near_it() -> None:
    tables: dict[str, Any] = {"scans": wire_tables.SCAN, "heads": wire_tables.HEAD, "replies": wire_tables.REPLY}
    for number, chance in chances(400):
        kind = chance.choice(list(tables))
        message = bytes.fromhex(chance.choice(VECTORS[kind])["message"])
        payload = third.dumps(plain_map(chance, _inside(message)))
        with Watch(number, payload):
            try:
                value = tables[kind].read(payload)
            except WireError as error:
                assert error.why in WHYS
            else:
                assert tables[kind].write(value) == payload
