"""The device's MQTT client against mosquitto: plain, and with certificates on both sides."""

import json
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt import subscribe
from paho.mqtt.enums import CallbackAPIVersion
from scanlatch_tools import places
from scanlatch_tools.broker import free_port
from scanlatch_tools.twin import interpreter

from tests.firmware.mosquitto_site import HOST, issue, mosquitto, store

SCRIPT = Path(__file__).parent / "device_scripts" / "mqtt_broker.py"


@dataclass
class Site:
    folder: Path
    plain: int
    secure: int
    expired: int
    early: int

    def job(self, do: str, port: int | None = None, certificate: str | None = "device", **more: Any) -> dict[str, Any]:
        secured = {} if port in (None, self.plain) else {"ca": self._file("ca.der"), "name": HOST}
        if secured and certificate:
            secured |= {"certificate": self._file(f"{certificate}.der"), "key": self._file(f"{certificate}-secret")}
        return {"do": do, "id": "window-1", "port": port or self.plain, **secured, **more}

    def _file(self, name: str) -> str:
        return str(self.folder / name)

    def run(self, *jobs: dict[str, Any]) -> list[dict[str, Any]]:
        done = subprocess.run(
            interpreter.command([str(SCRIPT)]),
            env={"MICROPYPATH": SEARCH},
            input=lines(*jobs),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert not done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


SEARCH = interpreter.search_path(places.firmware(), stand_ins=False)


def lines(*jobs: dict[str, Any]) -> str:
    return "".join(json.dumps(job) + "\n" for job in jobs)


@contextmanager
def left_running(job: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
    """A device at its job, from when it says that it is ready."""
    device = subprocess.Popen(
        interpreter.command([str(SCRIPT)]),
        env={"MICROPYPATH": SEARCH},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert device.stdin and device.stdout
    try:
        device.stdin.write(lines(job))
        device.stdin.close()
        assert json.loads(device.stdout.readline()) == {"ready": True}
        yield device
    finally:
        device.kill()
        device.wait()
        device.stdout.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    ca = issue("CA")
    signed = {
        "ca": ca,
        "other-ca": issue("other CA"),
        "broker": issue("broker", ca),
        "expired": issue("broker", ca, (-30, -2)),
        "early": issue("broker", ca, (2, 30)),
        "device": issue("window-1", ca),
        "device-expired": issue("window-1", ca, (-30, -2)),
        "stranger": issue("window-1", issue("stranger's CA")),
    }
    for name, one in signed.items():
        store(folder, name, one)
    plain, secure, expired, early = (free_port() for _ in range(4))
    settings = ["set_tcp_nodelay true", f"listener {plain} 127.0.0.1"]
    for port, name in ((secure, "broker"), (expired, "expired"), (early, "early")):
        settings += [
            f"listener {port} 127.0.0.1",
            f"cafile {folder}/ca.pem",
            f"certfile {folder}/{name}.pem",
            f"keyfile {folder}/{name}-key.pem",
            "require_certificate true",
        ]
    with mosquitto(folder, settings, [plain, secure, expired, early]):
        yield Site(folder, plain, secure, expired, early)


@pytest.fixture
def listener(site: Site) -> Iterator[Callable[[str], paho.MQTTMessage]]:
    """A function that gives the next message whose topic begins as it says."""
    messages: queue.Queue[paho.MQTTMessage] = queue.Queue()
    subscribed = threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: messages.put(message)
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", site.plain)
    client.subscribe([("will/#", 1), ("here/#", 1)])
    client.loop_start()
    assert subscribed.wait(5)

    def get(topic: str) -> paho.MQTTMessage:
        while True:
            message = messages.get(timeout=5)
            if message.topic.startswith(topic) and not message.retain:
                return message

    yield get
    client.disconnect()
    client.loop_stop()


def test_the_device_requires_a_certificate_of_its_broker(site: Site):
    assert site.run(site.job("verify_mode", site.secure)) == [{"result": True}]


@pytest.mark.parametrize("port", ["plain", "secure"])
def test_messages_go_round_and_the_heap_stays_as_it_was(site: Site, port: str):
    count = 1000 if port == "plain" else 200
    (outcome,) = site.run(site.job("goes_round", getattr(site, port), count=count))
    assert outcome["result"]["acks"] == count
    assert outcome["result"]["grown"] <= 512


def test_sixteen_in_flight_keep_their_order(site: Site):
    assert site.run(site.job("floods", count=500)) == [{"result": True}]


@pytest.mark.parametrize(
    ("port", "certificate", "changed"),
    [
        ("secure", "device", {"name": "other.test"}),
        ("secure", "device", {"ca": "other-ca.der"}),
        ("secure", None, {}),
        ("secure", "stranger", {}),
        ("secure", "device-expired", {}),
        ("expired", "device", {}),
        ("early", "device", {}),
    ],
    ids=["wrong host", "unknown CA", "no certificate", "stranger", "our certificate expired", "expired", "early"],
)
def test_a_wrong_certificate_on_either_side_is_told_as_certificate(
    site: Site, port: str, certificate: str | None, changed: dict[str, str]
):
    job = site.job("connects", getattr(site, port), certificate)
    job |= {key: str(site.folder / value) if key == "ca" else value for key, value in changed.items()}
    refused, accepted = site.run(job, site.job("connects", site.secure))
    assert refused["cause"] == "certificate", refused
    assert accepted == {"result": "connected"}


def test_the_name_to_verify_may_be_an_address(site: Site):
    assert site.run(site.job("connects", site.secure) | {"name": "127.0.0.1"}) == [{"result": "connected"}]


def test_tls_to_a_plain_port_is_protocol(site: Site):
    job = site.job("connects", site.secure) | {"port": site.plain}
    assert site.run(job)[0]["cause"] in ("protocol", "network")


def test_plain_to_a_tls_port_is_told_and_does_not_hang(site: Site):
    job = site.job("connects") | {"port": site.secure}
    assert site.run(job)[0]["cause"] in ("protocol", "network")


def test_the_broker_keeps_our_session(site: Site):
    (outcome,) = site.run(site.job("session", id="away"))
    assert outcome["result"] == [False, True, ["while you were away"]]


def test_a_message_that_was_not_handled_comes_again(site: Site):
    (outcome,) = site.run(site.job("handler_fails_then_again", id="again"))
    assert outcome["result"] == ["message", "message"]


def test_a_killed_device_leaves_its_will_and_a_retained_word(site: Site, listener: Callable[[str], paho.MQTTMessage]):
    with left_running(site.job("leaves_a_will", id="killed")) as device:
        assert listener("here/killed").payload == b"here"
        device.kill()
        will = listener("will/killed")
    assert (will.payload, will.qos) == (b"gone", 1)
    retained = subscribe.simple("will/killed", hostname="127.0.0.1", port=site.plain)
    assert isinstance(retained, paho.MQTTMessage)
    assert retained.retain


def test_a_broker_that_dies_is_noticed_at_once(tmp_path: Path):
    port = free_port()
    with (
        mosquitto(tmp_path, [f"listener {port} 127.0.0.1"], [port]) as broker,
        left_running({"do": "stays", "id": "stayer", "port": port}) as device,
    ):
        broker.kill()
        killed = time.monotonic()
        assert device.stdout
        assert json.loads(device.stdout.readline()) == {"result": "network"}
        assert time.monotonic() - killed < 1
