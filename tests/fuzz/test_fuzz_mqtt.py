"""A broker that sends the bridge anything but MQTT: the bridge goes on, connects anew, and hears the next good one."""

import random
import socket
import time
from collections.abc import Iterator

import pytest

from host_bridge.config import Mqtt
from host_bridge.mqtt import Broker
from tests.fuzz.chance import chances, mutated, told

_WAIT_S = 60.0
_CONNACKS = {"3.1.1": b"\x20\x02\x00\x00", "5": b"\x20\x03\x00\x00\x00"}
_TOPIC = b"scanlatch/v1/clinic-7/d-1/scan"


def _field(data: bytes) -> bytes:
    return len(data).to_bytes(2) + data


def _packet(first: int, body: bytes, length: int | None = None) -> bytes:
    left = len(body) if length is None else length
    coded = b""
    while left > 127:
        coded += bytes([left & 127 | 128])
        left >>= 7
    return bytes([first]) + coded + bytes([left]) + body


def _packets(chance: random.Random, version: str) -> bytes:
    """What a broker sends, right in most of its bytes."""
    five = version == "5"
    properties = chance.choice(
        (b"\x00", b"\x00", b"\x02\x01\x01", b"\x7f", b"\x03\x26\x00\x00", b"\x05\x0b\xff\xff\xff\xff")
    )
    topics = (_TOPIC, b"", b"\xff\xfe", b"a/#", b"a\x00b", b"x" * 300, b"$SYS")
    kinds = (
        (0x20, _CONNACKS[version][2:]),
        (0x30, _field(chance.choice(topics)) + (properties if five else b"") + b"x"),
        (0x32, _field(chance.choice(topics)) + b"\x00\x07" + (properties if five else b"") + b"x"),
        (0x34, _field(_TOPIC) + b"\x00\x08" + (properties if five else b"") + b"x"),
        (0x40, b"\x00\x01" + chance.choice((b"", b"\x00", b"\x97\x00", b"\xee"))),
        (0x50, b"\x00\x08"),
        (0x62, b"\x00\x08"),
        (0x90, b"\x00\x01" + (properties if five else b"") + chance.choice((b"\x01" * 6, b"\x80" * 6, b"", b"\x55"))),
        (0xD0, b""),
        (0xE0, chance.choice((b"", b"\x81", b"\x00\x00", b"\xee\x00"))),
        (0xF0, b"\x00"),
        (chance.randrange(256), chance.randbytes(chance.choice((0, 1, 5, 200)))),
    )
    made = b""
    for _ in range(chance.randint(1, 5)):
        first, body = chance.choice(kinds)
        lengths = (None, None, None, len(body) + 1, max(0, len(body) - 1), 0, 300)
        made += _packet(first, body, chance.choice(lengths))
    if chance.random() < 0.1:
        made = b"\x30\xff\xff\xff\xff\xff" + made
    return mutated(chance, made, [made]) if chance.random() < 0.3 else made


class Listener:
    """A port at which a broker greets the bridge, says what it is given, and hangs up."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.port = socket.socket()
        self.port.bind(("127.0.0.1", 0))
        self.port.listen()
        self.port.settimeout(_WAIT_S)

    def accept(self) -> socket.socket:
        sock, _ = self.port.accept()
        sock.settimeout(_WAIT_S)
        sock.recv(4096)
        return sock

    def say(self, data: bytes, greet: bool) -> None:
        """One connection; over when the bridge has left, or has taken all."""
        with self.accept() as sock:
            try:
                sock.sendall((_CONNACKS[self.version] if greet else b"") + data)
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(65_536):
                    pass
            except OSError:
                pass  # the bridge has left already


@pytest.fixture(params=["3.1.1", "5"])
def listener(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    monkeypatch.setattr("host_bridge.mqtt._RECONNECT_S", (0.0, 0.0))  # hundreds of connections in a second
    made = Listener(request.param)
    yield made
    made.port.close()


def test_a_broker_that_says_anything_is_left_and_met_again(listener: Listener) -> None:
    broker = Broker(Mqtt("127.0.0.1", listener.port.getsockname()[1], listener.version), lambda: None)
    broker.start()
    try:
        for number, chance in chances(80):
            data = _packets(chance, listener.version)
            listener.say(data, greet=chance.random() < 0.8)
            try:
                for message in broker.take(1_000, 0):
                    message.ack()
            except Exception as error:
                raise AssertionError(f"{error!r}; {told(number, data)}") from error
        good = _CONNACKS[listener.version]
        five = listener.version == "5"
        suback = _packet(0x90, b"\x00\x01" + b"\x00" * five + b"\x01" * 6)
        publish = _packet(0x32, _field(_TOPIC) + b"\x00\x09" + b"\x00" * five + b"still here")
        with listener.accept() as sock:
            sock.sendall(good + suback + publish)
            until = time.monotonic() + _WAIT_S
            heard: set[bytes] = set()
            while b"still here" not in heard:
                assert time.monotonic() < until
                heard |= {one.payload for one in broker.take(1_000, 1.0)}
    finally:
        broker.stop()


def test_a_failure_of_our_own_is_not_the_brokers_and_ends_the_bridge(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(Broker, "_received", fails)
    broker = Broker(Mqtt("127.0.0.1", listener.port.getsockname()[1], listener.version), lambda: None)
    broker.start()
    try:
        message = _field(_TOPIC) + b"\x00" * (listener.version == "5") + b"x"
        until = time.monotonic() + _WAIT_S
        with listener.accept() as sock, pytest.raises(RuntimeError, match="ours"):
            sock.sendall(_CONNACKS[listener.version] + _packet(0x30, message))
            while time.monotonic() < until:
                broker.take(1, 1.0)
    finally:
        broker.stop()
