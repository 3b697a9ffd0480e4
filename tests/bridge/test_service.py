"""The running bridge as a process: real broker with certificates, real platform over HTTP, stopped and killed."""

import json
import queue
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import paho.mqtt.client as paho
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from scanlatch_tools import broker, certificates, site
from scanlatch_tools.platform_sim.knobs import Knobs
from scanlatch_tools.platform_sim.server import PlatformSim

from host_bridge.devices import Registry, load_agreement_key
from host_bridge.ledger import open_ledger
from host_bridge.wire import Clock, Family, Head, Operation, Receipt, Scan, Verdict, digest
from tests.wire_peer import WirePeer, point

_WAIT_S = 15
_SITE, _DEVICE = "clinic-7", "d-window-01"
_CODE = "83386520001941653320"


def _start(config: Path) -> "subprocess.Popen[str]":
    scanlatch = Path(sys.executable).with_name("scanlatch")
    return subprocess.Popen([scanlatch, "bridge", "run", "--config", config], stdout=subprocess.PIPE, text=True)


class Bridge:
    """`scanlatch bridge run` as a process of its own."""

    def __init__(self, config: Path) -> None:
        self.process = _start(config)
        self.events: list[dict[str, Any]] = []
        self._ready = threading.Event()
        self.on_ready: Callable[[], None] = lambda: None
        threading.Thread(target=self._read, daemon=True).start()
        assert self._ready.wait(_WAIT_S), f"never ready: {self.events}"

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(_WAIT_S)

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.events.append(json.loads(line))
            if self.events[-1]["event"] == "ready":
                self._ready.set()
                self.on_ready()


class Till:
    """A device over MQTT: publishes, and puts what comes back in a queue."""

    def __init__(self, place: SimpleNamespace) -> None:
        self._peer: WirePeer = place.peer
        self.received: queue.Queue[Verdict | Receipt] = queue.Queue()
        self._subscribed = threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, _DEVICE, clean_session=False)
        context = ssl.create_default_context(cafile=str(place.site.folder / "ca" / "ca.pem"))
        context.load_cert_chain(*place.identity)
        self._client.tls_set_context(context)
        self._client.on_socket_open = lambda _client, _data, sock: sock.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )
        self._client.on_connect = lambda client, *_: client.subscribe(f"scanlatch/v1/{_SITE}/{_DEVICE}/+", 1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", place.site.port)
        self._client.loop_start()
        assert self._subscribed.wait(_WAIT_S)

    def send(self, kind: str, message: bytes) -> None:
        self._client.publish(f"scanlatch/v1/{_SITE}/{_DEVICE}/{kind}", message, 1)

    def next(self) -> Verdict | Receipt:
        return self.received.get(timeout=_WAIT_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        kind = message.topic.rpartition("/")[2]
        if kind == "verdict":
            self.received.put(self._peer.open_verdict(bytes(message.payload)))
        elif kind == "receipt":
            self.received.put(self._peer.open_receipt(bytes(message.payload)))


def _certificate(made: site.Site, folder: Path) -> tuple[str, str]:
    key = certificates.new_key()
    certificates.write_key(folder / "device.key", key)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _DEVICE)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    der = site.issue_device_certificate(made.folder, request.public_bytes(serialization.Encoding.DER))
    certificates.write_certificate(folder / "device.pem", x509.load_der_x509_certificate(der))
    return str(folder / "device.pem"), str(folder / "device.key")


@pytest.fixture(params=["mosquitto", "amqtt"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SimpleNamespace]:
    with _place(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def site_on_mosquitto(tmp_path: Path) -> Iterator[SimpleNamespace]:
    with _place("mosquitto", tmp_path) as made:
        yield made


@contextmanager
def _place(broker_kind: Literal["mosquitto", "amqtt"], tmp_path: Path) -> Generator[SimpleNamespace]:
    with PlatformSim(tmp_path / "book.sqlite", knobs=Knobs(open=True)) as platform:
        port = broker.free_port()
        made = site.create(tmp_path / "site", [_SITE], port=port, broker=broker_kind, platform_url=platform.url)
        ledger = open_ledger(made.ledger_url)
        registry = Registry(ledger, load_agreement_key(made.folder / "bridge" / "agreement.key"))
        peer = WirePeer.new(_DEVICE, registry.public)
        registry.enrol(_DEVICE, _SITE, point(peer.signing), point(peer.agreement), int(time.time() * 1000))
        ledger.close()
        kind = broker.Mosquitto if broker_kind == "mosquitto" else broker.Amqtt
        with kind(made) as started:
            identity = _certificate(made, tmp_path)
            yield SimpleNamespace(site=made, peer=peer, identity=identity, platform=platform, broker=started)


def _scan(peer: WirePeer, seq: int, prev: bytes, code: str = _CODE) -> bytes:
    now = int(time.time() * 1000)
    return peer.seal_scan(
        Scan(
            seq,
            prev,
            now,
            Clock.SYNCHRONISED,
            1,
            seq * 1_000,
            Operation.SALE,
            "]C0",
            code.encode(),
            Family.TWENTY_DIGIT,
            None,
            None,
            False,
            _SITE,
        )
    )


def test_scan_comes_back_as_verdict_and_head_as_receipt(place: SimpleNamespace) -> None:
    bridge, till = Bridge(place.site.config), Till(place)
    head = place.peer.seal_head(Head(1, 1, 500, 0, bytes(32), 1, (), "0.1.0"))
    till.send("head", head)
    receipt = till.next()
    assert isinstance(receipt, Receipt)
    assert (receipt.upto, receipt.head) == (0, digest(head))
    first = _scan(place.peer, 1, bytes(32))
    till.send("scan", first)
    verdict = till.next()
    assert isinstance(verdict, Verdict)
    assert (verdict.seq, verdict.digest, int(verdict.outcome)) == (1, digest(first), 0)
    till.send("scan", _scan(place.peer, 2, digest(first)))
    duplicate = till.next()
    assert isinstance(duplicate, Verdict)
    assert (duplicate.seq, int(duplicate.outcome), duplicate.reason) == (2, 2, 1)
    assert bridge.end() == 0
    assert bridge.events[-1]["event"] == "ended"
    till.close()


def test_killed_bridge_takes_up_where_it_was(place: SimpleNamespace) -> None:
    place.platform.turn(outage="refuse")
    bridge, till = Bridge(place.site.config), Till(place)
    first = _scan(place.peer, 1, bytes(32))
    till.send("scan", first)
    pending = till.next()
    assert isinstance(pending, Verdict)
    assert (int(pending.outcome), pending.final) == (3, False)
    bridge.end(signal.SIGKILL)
    place.platform.turn(outage="none")
    again = Bridge(place.site.config)
    final = till.next()
    assert isinstance(final, Verdict)
    assert (final.seq, int(final.outcome), final.final) == (1, 0, True)
    assert len(place.platform.book.sales()) == 1
    assert again.end() == 0
    till.close()


def test_bridge_whose_log_nobody_takes_serves_on(site_on_mosquitto: SimpleNamespace) -> None:
    process = _start(site_on_mosquitto.site.config)
    assert process.stdout
    while json.loads(process.stdout.readline())["event"] != "ready":
        pass
    process.stdout.close()
    till = Till(site_on_mosquitto)
    try:
        till.send("scan", b"nothing that could be a record")  # something to be told
        till.send("scan", _scan(site_on_mosquitto.peer, 1, bytes(32)))
        answers = [till.next(), till.next()]
        told = [(answer.seq, int(answer.outcome)) for answer in answers if isinstance(answer, Verdict)]
        assert told == [(0, 5), (1, 0)]
        process.terminate()
        assert process.wait(_WAIT_S) == 0
    finally:
        till.close()
        process.kill()


def test_second_bridge_with_a_wrong_host_name_is_not_let_in(place: SimpleNamespace) -> None:
    config: Path = place.site.config
    text = config.read_text("utf-8").replace('verify = "127.0.0.1"', 'verify = "another.host"')
    config.write_text(text, "utf-8")
    process = _start(config)
    assert process.stdout
    event = json.loads(process.stdout.readline())
    process.terminate()
    assert process.wait(_WAIT_S) == 0
    assert event["event"] == "broker cannot be reached"
    assert "certificate" in event["cause"]


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_lone_bridge_that_was_away_gets_what_came_meanwhile(site_on_mosquitto: SimpleNamespace, version: str) -> None:
    place = site_on_mosquitto
    config: Path = place.site.config
    text = config.read_text("utf-8")
    config.write_text(text.replace('version = "5"', f'version = "{version}"'), "utf-8")
    assert Bridge(config).end() == 0
    till = Till(place)
    till.send("scan", _scan(place.peer, 1, bytes(32)))
    bridge = Bridge(config)
    verdict = till.next()
    assert isinstance(verdict, Verdict)
    assert (verdict.seq, int(verdict.outcome)) == (1, 0)
    assert bridge.end() == 0
    till.close()


def test_bridge_that_shares_comes_back_to_a_broker_that_was_killed(site_on_mosquitto: SimpleNamespace) -> None:
    place = site_on_mosquitto
    text = place.site.config.read_text("utf-8")
    place.site.config.write_text(text.replace("shared = false", "shared = true"), "utf-8")
    bridge, till = Bridge(place.site.config), Till(place)
    first = _scan(place.peer, 1, bytes(32))
    till.send("scan", first)
    assert isinstance(till.next(), Verdict)
    ready = threading.Event()
    bridge.on_ready = ready.set
    place.broker.kill()
    place.broker.start()
    assert ready.wait(_WAIT_S)
    till.send("scan", _scan(place.peer, 2, digest(first), "83386520001941653321"))
    verdict = till.next()
    while isinstance(verdict, Verdict) and verdict.seq != 2:  # the first may come again: its PUBACK was cut off
        verdict = till.next()
    assert isinstance(verdict, Verdict)
    assert int(verdict.outcome) == 0
    assert bridge.end() == 0
    till.close()
