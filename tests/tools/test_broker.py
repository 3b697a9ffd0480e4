"""The site's brokers: who may come in, who may say what, and that a cut can be mended."""

import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import paho.mqtt.client as paho
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from scanlatch_tools import broker, certificates, site
from scanlatch_tools.evidence.certify import certify
from scanlatch_tools.fleet import shut

_WAIT_S = 10
_SITE, _DEVICE, _OTHER, _LOST = "clinic-7", "d-window-01", "d-dock-02", "d-lost-03"


def identity(made: site.Site, name: str, folder: Path) -> tuple[str, str]:
    key = certificates.new_key()
    certificates.write_key(folder / f"{name}.key", key)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    der = site.issue_device_certificate(made.folder, request.public_bytes(serialization.Encoding.DER))
    certificates.write_certificate(folder / f"{name}.pem", x509.load_der_x509_certificate(der))
    return str(folder / f"{name}.pem"), str(folder / f"{name}.key")


def _signer(made: site.Site, name: str, folder: Path) -> tuple[str, str]:
    """The CA's certificate of a terminal's signing key, with that key, which no terminal gives away."""
    key = certificates.new_key()
    certificates.write_key(folder / "signing.key", key)
    certify(made.folder, name, certificates.public_point(key))
    der = (made.folder / "ca" / "terminals" / f"{name}.der").read_bytes()
    certificates.write_certificate(folder / "signing.pem", x509.load_der_x509_certificate(der))
    return str(folder / "signing.pem"), str(folder / "signing.key")


@pytest.fixture(scope="module", params=["mosquitto", "amqtt"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    folder = tmp_path_factory.mktemp("broker")
    made = site.create(folder / "site", [_SITE], port=broker.free_port(), broker=request.param)
    identities = {name: identity(made, name, folder) for name in (_DEVICE, _OTHER)}
    identities["bridge"] = (str(made.folder / "bridge" / "bridge.pem"), str(made.folder / "bridge" / "bridge.key"))
    identities["broker"] = (str(made.folder / "broker" / "broker.pem"), str(made.folder / "broker" / "broker.key"))
    identities["evidence"] = _signer(made, _DEVICE, folder)
    kind = broker.Mosquitto if request.param == "mosquitto" else broker.Amqtt
    with kind(made) as started:
        yield SimpleNamespace(site=made, identities=identities, broker=started, kind=request.param)


class Client:
    """A paho client whose events can be waited for."""

    def __init__(
        self, running: SimpleNamespace, identity: str | None, client_id: str | None = None, clean: bool = True
    ) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self._changed = threading.Condition()
        self.connects = self.subscribed = self.acked = self.lost = 0
        self.refused = False
        made: site.Site = running.site
        self._paho = paho.Client(
            paho.CallbackAPIVersion.VERSION2,
            client_id or identity or "nobody",
            clean_session=clean,
            reconnect_on_failure=not clean,
        )
        context = ssl.create_default_context(cafile=str(made.folder / "ca" / "ca.pem"))
        if identity:
            context.load_cert_chain(*running.identities[identity])
        self._paho.tls_set_context(context)
        self._paho.on_connect = lambda _c, _u, _f, code, _p: self._note("connects", not code.is_failure)
        self._paho.on_disconnect = lambda *_: self._note("lost")
        self._paho.on_subscribe = lambda *_: self._note("subscribed")
        self._paho.on_publish = lambda *_: self._note("acked")
        self._paho.on_message = lambda _c, _u, message: self._heard(message)
        try:
            self._paho.connect(made.host, made.port)
        except (ssl.SSLError, ConnectionError):
            self.refused = True
            return
        self._paho.reconnect_delay_set(1, 1)
        self._paho.loop_start()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._paho.disconnect()
        self._paho.loop_stop()

    def _note(self, what: str, count: bool = True) -> None:
        with self._changed:
            setattr(self, what, getattr(self, what) + count)
            self._changed.notify_all()

    def _heard(self, message: paho.MQTTMessage) -> None:
        with self._changed:
            self.messages.append((message.topic, bytes(message.payload)))
            self._changed.notify_all()

    def wait(self, true: Callable[["Client"], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: true(self), _WAIT_S), vars(self)

    def subscribe(self, topic: str) -> None:
        before = self.subscribed
        self._paho.subscribe(topic, 1)
        self.wait(lambda it: it.subscribed > before)

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Publish and wait for PUBACK."""
        before = self.acked
        self._paho.publish(topic, payload, 1, retain)
        self.wait(lambda it: it.acked > before)


def _topic(kind: str, device: str = _DEVICE) -> str:
    return f"scanlatch/v1/{_SITE}/{device}/{kind}"


def test_client_without_certificate_is_refused(running: SimpleNamespace) -> None:
    with Client(running, None) as client:
        client.wait(lambda it: it.refused or it.lost > 0)
        assert client.connects == 0


def test_brokers_own_certificate_opens_no_client_connection(running: SimpleNamespace) -> None:
    with Client(running, "broker") as client:
        client.wait(lambda it: it.refused or it.lost > 0)
        assert client.connects == 0


def test_the_certificate_of_a_signing_key_opens_no_client_connection(running: SimpleNamespace) -> None:
    with Client(running, "evidence") as client:
        client.wait(lambda it: it.refused or it.lost > 0)
        assert client.connects == 0


def test_scan_reaches_the_bridge_and_its_verdict_the_device(running: SimpleNamespace) -> None:
    with Client(running, "bridge") as bridge, Client(running, _DEVICE) as device:
        bridge.wait(lambda it: it.connects == 1)
        device.wait(lambda it: it.connects == 1)
        bridge.subscribe("scanlatch/v1/+/+/scan")
        device.subscribe(_topic("verdict"))
        device.publish(_topic("scan"), b"a scan")
        bridge.wait(lambda it: (_topic("scan"), b"a scan") in it.messages)
        bridge.publish(_topic("verdict"), b"a verdict")
        device.wait(lambda it: (_topic("verdict"), b"a verdict") in it.messages)


def test_device_that_speaks_or_listens_for_another_gets_nothing_through(running: SimpleNamespace) -> None:
    with Client(running, "bridge") as bridge, Client(running, _DEVICE) as device, Client(running, _OTHER) as other:
        for client in (bridge, device, other):
            client.wait(lambda it: it.connects == 1)
        bridge.subscribe("scanlatch/v1/+/+/scan")
        other.subscribe(_topic("verdict"))
        other.subscribe(_topic("scan"))
        other.subscribe(_topic("verdict", _OTHER))
        other.publish(_topic("scan"), b"forged")
        other.publish(_topic("verdict"), b"forged")
        device.publish(_topic("scan"), b"real")
        bridge.publish(_topic("verdict"), b"for the first")
        bridge.publish(_topic("verdict", _OTHER), b"for the other")
        bridge.wait(lambda it: (_topic("scan"), b"real") in it.messages)
        other.wait(lambda it: (_topic("verdict", _OTHER), b"for the other") in it.messages)
        assert bridge.messages == [(_topic("scan"), b"real")]
        assert other.messages == [(_topic("verdict", _OTHER), b"for the other")]


def test_device_can_not_throw_another_off_by_taking_its_name(running: SimpleNamespace) -> None:
    with Client(running, _DEVICE) as device:
        device.wait(lambda it: it.connects == 1)
        with Client(running, _OTHER, client_id=_DEVICE) as thief:
            # mosquitto lets it in under the name in its certificate; amqtt closes the door
            thief.wait(lambda it: it.connects > 0 or it.lost > 0)
            device.publish(_topic("scan"), b"still here")
        assert device.lost == 0


def test_cut_broker_comes_back_on_the_same_port(running: SimpleNamespace) -> None:
    with Client(running, _DEVICE, clean=False) as device:
        device.wait(lambda it: it.connects == 1)
        for cut in (1, 2):
            running.broker.stop()
            device.wait(lambda it, cut=cut: it.lost >= cut)
            assert Client(running, "bridge").refused
            running.broker.start()
            device.wait(lambda it, cut=cut: it.connects == 1 + cut)
        device.publish(_topic("scan"), b"after the cut")


def test_verdict_waits_for_a_device_that_is_away(running: SimpleNamespace) -> None:
    with Client(running, _OTHER, clean=False) as device:
        device.wait(lambda it: it.connects == 1)
        device.subscribe(_topic("verdict", _OTHER))
    with Client(running, "bridge") as bridge:
        bridge.wait(lambda it: it.connects == 1)
        bridge.publish(_topic("verdict", _OTHER), b"while away")
    with Client(running, _OTHER, clean=False) as device:
        device.wait(lambda it: (_topic("verdict", _OTHER), b"while away") in it.messages)


def test_birth_is_kept_for_who_comes_later(running: SimpleNamespace) -> None:
    with Client(running, _DEVICE) as device:
        device.wait(lambda it: it.connects == 1)
        device.publish(_topic("status"), b'{"v":1}', retain=True)
    with Client(running, "bridge") as bridge:
        bridge.wait(lambda it: it.connects == 1)
        bridge.subscribe("scanlatch/v1/+/+/status")
        bridge.wait(lambda it: (_topic("status"), b'{"v":1}') in it.messages)


def test_who_is_shut_out_is_cut_off_and_stays_out_until_admitted(running: SimpleNamespace, tmp_path: Path) -> None:
    running.identities[_LOST] = identity(running.site, _LOST, tmp_path)
    folder = running.site.folder
    with Client(running, _OTHER) as other:
        other.wait(lambda it: it.connects == 1)
        with Client(running, _LOST) as lost:
            lost.wait(lambda it: it.connects == 1)
            told = shut.shut(folder, {_LOST}, _LOST)
            assert (told.publish, told.connect, told.todo) == (True, True, [])
            lost.wait(lambda it: it.lost == 1)
        for _ in range(2):
            with Client(running, _LOST) as again:
                again.wait(lambda it: it.refused or it.lost > 0)
                assert again.connects == 0
        assert shut.admit(folder, set()).done
        with Client(running, _LOST, clean=False) as back:  # the broker looks at its files between two messages
            back.wait(lambda it: it.connects == 1)
            back.publish(_topic("scan", _LOST), b"again")
        other.publish(_topic("scan", _OTHER), b"went on")
        assert other.lost == 0


def test_a_certificate_of_before_is_revoked_with_its_successor(running: SimpleNamespace, tmp_path: Path) -> None:
    first = identity(running.site, _LOST, tmp_path)
    kept = [tmp_path / "first.pem", tmp_path / "first.key"]
    for one, path in zip(first, kept, strict=True):
        Path(one).rename(path)
    identity(running.site, _LOST, tmp_path)
    running.identities["first"] = tuple(map(str, kept))
    shut.shut(running.site.folder, {_LOST}, _LOST)
    with Client(running, "first", client_id=_LOST) as old:
        old.wait(lambda it: it.refused or it.lost > 0)
        assert old.connects == 0
    shut.admit(running.site.folder, set())


def test_broker_that_can_not_listen_says_why(running: SimpleNamespace) -> None:
    second = broker.Amqtt(running.site)
    with pytest.raises(broker.BrokerError, match=f"can't listen on port {running.site.port}"):
        second.start()
    second.stop()
