"""The bridge's connection against a broker that does what a good one seldom does: stalls, refuses, breaks off."""

import array
import fcntl
import socket
import struct
import termios
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from host_bridge.config import Mqtt
from host_bridge.mqtt import IN_FLIGHT, Broker
from host_bridge.opening import KINDS, Inbound

_WAIT_S = 5.0
_LOOKS = 20  # as many alike, and nothing moves
_TOPIC = b"scanlatch/v1/clinic-7/d-window-01/scan"
_CONNECT, _CONNACK, _PUBLISH, _PUBACK, _SUBSCRIBE, _SUBACK, _DISCONNECT = 1, 2, 3, 4, 8, 9, 14


class Peer:
    """The broker's end of one connection."""

    def __init__(self, sock: socket.socket, version: str) -> None:
        sock.settimeout(_WAIT_S)
        self.sock = sock
        self._five = version == "5"
        self._file = sock.makefile("rb")

    def packet(self) -> tuple[int, bytes]:
        """Kind and content."""
        head = self._file.read(1)[0]
        length, shift = 0, 0
        while True:
            byte = self._file.read(1)[0]
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return head >> 4, self._file.read(length)

    def send(self, kind: int, content: bytes, flags: int = 0) -> None:
        assert len(content) < 128
        self.sock.sendall(bytes([kind << 4 | flags, len(content)]) + content)

    def greet(self) -> None:
        """Take the bridge in."""
        assert self.packet()[0] == _CONNECT
        self.send(_CONNACK, bytes(3 if self._five else 2))
        kind, content = self.packet()
        assert kind == _SUBSCRIBE
        self.send(_SUBACK, content[:2] + bytes(self._five) + bytes(1 for _ in KINDS))

    def give(self, mid: int) -> None:
        """A message at QoS 1."""
        self.send(_PUBLISH, _field(_TOPIC) + mid.to_bytes(2) + bytes(self._five) + b"x", flags=2)

    def taken(self, count: int) -> list[int]:
        """Packet ids of as many acknowledgements."""
        acks = [self.packet() for _ in range(count)]
        assert {kind for kind, _ in acks} <= {_PUBACK}
        return [int.from_bytes(content[:2]) for _, content in acks]

    def published(self) -> tuple[bytes, bytes]:
        """Topic and packet id of a message."""
        kind, content = self.packet()
        assert kind == _PUBLISH
        end = 2 + int.from_bytes(content[:2])
        return content[2:end], content[end : end + 2]


def _field(text: bytes) -> bytes:
    return struct.pack("!H", len(text)) + text


class Place:
    """A port at which brokers come and go, and the bridge's connection to it."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self._listener.settimeout(_WAIT_S)
        self._ready = threading.Event()
        self._ended = False
        self.peers: list[Peer] = []
        settings = Mqtt("127.0.0.1", self._listener.getsockname()[1], version)
        self.broker = Broker(settings, self._ready.set)
        self.broker.start()

    def connected(self) -> Peer:
        peer = Peer(self._listener.accept()[0], self._version)
        self.peers.append(peer)
        peer.greet()
        assert self._ready.wait(_WAIT_S)
        self._ready.clear()
        return peer

    def take(self, count: int) -> list[Inbound]:
        taken: list[Inbound] = []
        while len(taken) < count:
            taken += self.broker.take(count, _WAIT_S)
        return taken

    def goodbye(self) -> None:
        self._ended = True
        self.broker.stop()

    def close(self) -> None:
        if not self._ended:
            self.goodbye()
        for peer in self.peers:
            peer.sock.close()
        self._listener.close()


@pytest.fixture(params=["3.1.1", "5"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    made = Place(request.param)
    yield made
    made.close()


def test_nothing_is_acknowledged_before_its_time_or_out_of_turn(place: Place) -> None:
    peer = place.connected()
    for mid in range(1, 6):
        peer.give(mid)
    messages = place.take(5)
    for message in messages[:2]:
        message.ack()
    assert peer.taken(2) == [1, 2]
    for message in messages[2:]:
        message.ack()
    assert peer.taken(3) == [3, 4, 5]


def test_what_was_done_first_is_acknowledged_in_the_order_in_which_it_came(place: Place) -> None:
    peer = place.connected()
    for mid in range(1, 6):
        peer.give(mid)
    messages = place.take(5)
    for at in (3, 1, 0):
        messages[at].ack()
    assert peer.taken(2) == [1, 2]
    for at in (4, 2):
        messages[at].ack()
    assert peer.taken(3) == [3, 4, 5]


def test_acknowledgement_of_a_connection_that_is_gone_is_for_nobody(place: Place) -> None:
    peer = place.connected()
    peer.give(7)
    old = place.take(1)[0]
    peer.sock.shutdown(socket.SHUT_RDWR)
    again = place.connected()
    old.ack()  # after its 7, the next connection's 7 is another message
    again.give(8)
    place.take(1)[0].ack()
    assert again.taken(1) == [8]


def test_what_was_under_way_when_the_connection_broke_arrives_once_more(place: Place) -> None:
    peer = place.connected()
    told: list[str] = []
    for name in ("first", "second"):
        assert place.broker.publish(name, b"x", lambda taken, name=name: told.append(f"{name} {taken}"))
    assert [peer.published()[0] for _ in range(2)] == [b"first", b"second"]
    peer.sock.shutdown(socket.SHUT_RDWR)
    again = place.connected()
    for topic, mid in [again.published() for _ in range(2)]:
        assert topic in (b"first", b"second")
        again.send(_PUBACK, mid)
    _until(lambda: not place.broker.in_flight)
    assert told == ["first True", "second True"]


@pytest.mark.parametrize("place", ["5"], indirect=True)
def test_what_the_broker_refuses_is_told_to_be_refused(place: Place) -> None:
    peer = place.connected()
    told: list[bool] = []
    assert place.broker.publish("verdict", b"x", told.append)
    peer.send(_PUBACK, peer.published()[1] + b"\x97\0")  # quota exceeded
    _until(lambda: not place.broker.in_flight)
    assert told == [False]


def test_broker_that_read_nothing_for_a_while_is_written_to_as_soon_as_it_reads(place: Place) -> None:
    peer = place.connected()
    for _ in range(IN_FLIGHT):
        assert place.broker.publish("verdict", bytes(8_000), None)
    seen = [0]

    def stands_still() -> bool:
        seen.append(_unread(peer.sock))
        return seen[-1] > 0 and len(set(seen[-_LOOKS:])) == 1

    _until(stands_still)  # the bridge has written what there was room for, and waits
    longest, last = 0.0, time.monotonic()
    for _ in range(IN_FLIGHT):
        peer.published()
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    assert longest < 0.5


def test_goodbye_comes_after_the_last_acknowledgement(place: Place) -> None:
    peer = place.connected()
    for mid in (1, 2, 3):
        peer.give(mid)
    for message in place.take(3):
        message.ack()
    place.goodbye()
    assert peer.taken(3) == [1, 2, 3]
    assert peer.packet()[0] == _DISCONNECT
    assert peer.sock.recv(1) == b""


def _unread(sock: socket.socket) -> int:
    """Bytes that lie at this end of a connection."""
    waiting = array.array("i", [0])
    fcntl.ioctl(sock, termios.FIONREAD, waiting)
    return waiting[0]


def _until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + _WAIT_S
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.005)
