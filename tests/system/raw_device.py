"""A device of a few lines on paho: its own keys and certificate, and the freedom to say what no terminal would."""

import ssl
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import paho.mqtt.client as paho
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from paho.mqtt.reasoncodes import ReasonCode
from scanlatch_tools import certificates, site
from scanlatch_tools.stage import Stage

from host_bridge import wire
from host_bridge.devices import Registry, load_agreement_key
from host_bridge.ledger import open_ledger
from tests.wire_peer import WirePeer, point

WAIT_S = 20
Answer = TypeVar("Answer", wire.Verdict, wire.Receipt, wire.Command)


class RawDevice:
    """Speaks MQTT 5, in which the broker says whether it let a message through. A context manager.

    Args:
        stage: the site, running.
        device: its id, for which it gets a certificate.
        at: the site where it is enrolled; None leaves it out of the registry.
        client_id: what it calls itself to the broker; its id by default.
    """

    def __init__(self, stage: Stage, device: str, at: str | None, client_id: str | None = None) -> None:
        self.stage = stage
        self.at = at or stage.site.sites[0]
        self.peer = WirePeer.new(device, stage.site.bridge_public())
        self.seq, self.last, self.uptime = 0, bytes(32), 1_000
        self.lost = 0  # connections that somebody else ended
        self._heard: list[tuple[str, bytes]] = []
        self._answers: dict[int, ReasonCode] = {}
        self._changed = threading.Condition()
        self._ready = False
        if at is not None:
            with Places(stage) as registry:
                keys = point(self.peer.signing), point(self.peer.agreement)
                registry.enrol(device, at, *keys, int(time.time() * 1000))
        self._client = self._connected(client_id or device)

    def __enter__(self) -> "RawDevice":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.on_disconnect = None
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def device(self) -> str:
        return self.peer.device

    # What it says

    def scan(self, code: str, operation: wire.Operation = wire.Operation.SALE, **changed: object) -> bytes:
        """Seal the next record of its chain; nothing is sent."""
        self.uptime += 100
        values: dict[str, object] = {
            "seq": self.seq + 1,
            "prev": self.last,
            "captured_at": int(time.time() * 1000),
            "clock": wire.Clock.SYNCHRONISED,
            "boot": 1,
            "uptime": self.uptime,
            "operation": operation,
            "symbology": "]C0",
            "data": code.encode(),
            "family": wire.Family.TWENTY_DIGIT,
            "session": None,
            "operator": None,
            "offline": False,
            "site": self.at,
            "target": None,
        }
        message = self.peer.seal_scan(wire.Scan(**{**values, **changed}))  # type: ignore[arg-type]
        self.keep(message)
        return message

    def void(self, target: int) -> bytes:
        """The next record: what `target` sold is taken back."""
        return self.scan("VOID", wire.Operation.VOID, target=target, family=wire.Family.CONTROL)

    def keep(self, message: bytes) -> None:
        """Count a message as the next record of its chain."""
        self.seq, self.last = self.seq + 1, wire.digest(message)

    def head(self) -> bytes:
        """Where its chain ends."""
        self.uptime += 100
        return self.peer.seal_head(wire.Head(1, 1, self.uptime, self.seq, self.last, 1, (), "0.1.0"))

    def publish(self, message: bytes, kind: str = "scan", *, site: str | None = None, device: str | None = None) -> str:
        """Send a message; what the broker says to it ("Success", "No matching subscribers", "Not authorized")."""
        topic = f"scanlatch/v1/{site or self.at}/{device or self.device}/{kind}"
        mid = self._client.publish(topic, message, 1).mid
        with self._changed:
            assert self._changed.wait_for(lambda: mid in self._answers, WAIT_S), f"no PUBACK for {topic}"
            return str(self._answers[mid])

    def listen(self, topic: str) -> None:
        """Subscribe to more, rightly or not."""
        with self._changed:
            self._ready = False
            self._client.subscribe(topic, 1)
            assert self._changed.wait_for(lambda: self._ready, WAIT_S), f"no SUBACK for {topic}"

    # What it hears

    def verdict(self, message: bytes, final: bool = True) -> wire.Verdict:
        """Wait for the verdict on these bytes; the final one by default."""
        wanted = wire.digest(message)
        return self._wait("verdict", self.peer.open_verdict, lambda it: it.digest == wanted and it.final >= final)

    def receipt(self, wanted: Callable[[wire.Receipt], bool]) -> wire.Receipt:
        """Wait for a receipt."""
        return self._wait("receipt", self.peer.open_receipt, wanted)

    def heard(self, kind: str) -> list[bytes]:
        """All that came on one of its topics so far."""
        with self._changed:
            return [payload for topic, payload in self._heard if topic.endswith("/" + kind)]

    def topics(self) -> list[str]:
        """Topics of all that came so far."""
        with self._changed:
            return [topic for topic, _ in self._heard]

    def sell(self, code: str) -> wire.Verdict:
        """A sale from record to final verdict."""
        message = self.scan(code)
        self.publish(message)
        return self.verdict(message)

    def _wait(self, kind: str, read: Callable[[bytes], Answer], wanted: Callable[[Answer], bool]) -> Answer:
        found: list[Answer] = []

        def came() -> bool:
            found[:] = [one for one in map(read, self.heard(kind)) if wanted(one)]
            return bool(found)

        with self._changed:
            assert self._changed.wait_for(came, WAIT_S), f"no such {kind}: {[read(one) for one in self.heard(kind)]}"
        return found[0]

    def _connected(self, client_id: str) -> paho.Client:
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv5)
        client.tls_set_context(self._tls())
        client.on_connect = lambda it, *_: it.subscribe(f"scanlatch/v1/+/{self.device}/+", 1)
        client.on_subscribe = lambda *_: self._note(lambda: setattr(self, "_ready", True))
        client.on_publish = lambda _c, _u, mid, reason, _p: self._note(lambda: self._answers.update({mid: reason}))
        client.on_message = lambda _c, _u, it: self._note(lambda: self._heard.append((it.topic, bytes(it.payload))))
        client.on_disconnect = lambda *_: self._note(lambda: setattr(self, "lost", self.lost + 1))
        client.connect(self.stage.site.host, self.stage.site.port)
        client.loop_start()
        with self._changed:
            assert self._changed.wait_for(lambda: self._ready, WAIT_S), f"{self.device} is not let in"
        return client

    def _note(self, what: Callable[[], None]) -> None:
        with self._changed:
            what()
            self._changed.notify_all()

    def _tls(self) -> ssl.SSLContext:
        folder, key = self.stage.folder, certificates.new_key()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.device)])
        request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
        der = site.issue_device_certificate(
            self.stage.site.folder, request.public_bytes(serialization.Encoding.DER), self.device
        )
        names = folder / f"{self.device}.pem", folder / f"{self.device}.key"
        certificates.write_certificate(names[0], x509.load_der_x509_certificate(der))
        names[1].unlink(missing_ok=True)
        certificates.write_key(names[1], key)
        context = ssl.create_default_context(cafile=str(self.stage.site.folder / "ca" / "ca.pem"))
        context.load_cert_chain(*names)
        return context


class Places:
    """The registry of a site, beside its running bridge; a context manager."""

    def __init__(self, stage: Stage) -> None:
        self._ledger = open_ledger(stage.site.ledger_url)
        self._registry = Registry(self._ledger, load_agreement_key(stage.site.folder / "bridge" / "agreement.key"))

    def __enter__(self) -> Registry:
        return self._registry

    def __exit__(self, *_: object) -> None:
        self._ledger.close()
