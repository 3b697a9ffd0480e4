"""Hostile clients of the broker for trials: whatever one with a certificate sends, the others are served."""

import contextlib
import itertools
import random
import socket
import ssl
from collections.abc import Generator, Iterator
from types import SimpleNamespace

import pytest
from scanlatch_tools import broker, site, trial_broker

from tests.fuzz.chance import chances, mutated, told
from tests.tools.test_broker import Client, identity

_SITE, _TILL, _THIEF = "clinic-7", "d-window-01", "d-dock-02"
_SOON_S = 60
_KINDS = (0x10, 0x30, 0x32, 0x33, 0x34, 0x3D, 0x40, 0x50, 0x62, 0x82, 0x80, 0xA2, 0xC0, 0xE0, 0xF0, 0x00, 0x20, 0x90)
_TOPICS = (
    b"scanlatch/v1/clinic-7/d-dock-02/scan", b"scanlatch/v1/clinic-7/d-window-01/scan", b"#", b"+/+/#", b"a#", b"",
    b"$SYS/x", b"\xff\xfe", b"a\x00b", b"/" * 400, b"scanlatch/v1/clinic-7/d-dock-02/verdict",
)  # fmt: skip


def _topic(kind: str, device: str = _TILL) -> str:
    return f"scanlatch/v1/{_SITE}/{device}/{kind}"


def _field(data: bytes) -> bytes:
    return len(data).to_bytes(2) + data


def _packet(first: int, body: bytes, length: int | None = None) -> bytes:
    left, coded = len(body) if length is None else length, b""
    while left > 127:
        coded += bytes([left & 127 | 128])
        left >>= 7
    return bytes([first]) + coded + bytes([left]) + body


def _connect(name: str = _THIEF, flags: int = 2, will: tuple[str, bytes] | None = None) -> bytes:
    last = b"" if will is None else _field(will[0].encode()) + _field(will[1])
    flags |= 0 if will is None else 0x04
    return _packet(0x10, _field(b"MQTT") + bytes([4, flags, 0, 60]) + _field(name.encode()) + last)


def _packets(chance: random.Random) -> bytes:
    """What a client may send: right in most of its bytes, and mostly behind a CONNECT that is right."""
    made = _connect(flags=chance.choice((0, 2))) if chance.random() < 0.8 else b""
    for _ in range(chance.randint(1, 6)):
        topic = _field(chance.choice(_TOPICS))
        body = chance.choice((topic + b"\x00\x07x", b"\x00\x07" + topic + b"\x01", b"\x00\x07", b"", topic))
        length = chance.choice((None, None, None, len(body) + 1, max(0, len(body) - 1), 0, 70_000, (1 << 28) - 1))
        made += _packet(chance.choice(_KINDS), body, length)
    if chance.random() < 0.2:
        made += b"\x30\xff\xff\xff\xff\xff\x7f"  # a length of more than four bytes
    return mutated(chance, made, [made]) if chance.random() < 0.3 else made


class Stand:
    """A broker with its bridge and a till, and a thief who has the certificate of another terminal."""

    def __init__(self, made: site.Site, running: SimpleNamespace) -> None:
        self._context = ssl.create_default_context(cafile=str(made.folder / "ca" / "ca.pem"))
        self._context.load_cert_chain(*running.identities[_THIEF])
        self._at = made.host, made.port
        self._numbers = itertools.count()
        self.bridge, self.till = Client(running, "bridge"), Client(running, _TILL)
        for client in (self.bridge, self.till):
            client.wait(lambda it: it.connects == 1)
        for kind in ("scan", "status"):
            self.bridge.subscribe(f"scanlatch/v1/+/+/{kind}")
        self.till.subscribe(_topic("verdict"))

    @contextlib.contextmanager
    def thief(self, said: bytes, room: int | None = None) -> Generator[ssl.SSLSocket]:
        """A connection of the thief's, over which this was said; room: bytes that it takes at once."""
        raw = socket.create_connection(self._at, _SOON_S)
        if room is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        with self._context.wrap_socket(raw, server_hostname=self._at[0]) as sock:
            with contextlib.suppress(OSError):  # it has hung up already
                sock.sendall(said)
            yield sock

    def served(self) -> list[tuple[str, bytes]]:
        """A scan reaches the bridge and its verdict the till, over the connections that they have had all the time.

        Returns what the bridge heard that is none of this.
        """
        ours = b"%d" % next(self._numbers)
        self.till.publish(_topic("scan"), ours)
        self.bridge.wait(lambda it: (_topic("scan"), ours) in it.messages)
        self.bridge.publish(_topic("verdict"), ours)
        self.till.wait(lambda it: (_topic("verdict"), ours) in it.messages)
        assert (self.bridge.lost, self.till.lost) == (0, 0)
        return [one for one in self.bridge.messages if one[0] != _topic("scan") or not one[1].isdigit()]


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp("broker")
    made = site.create(folder / "site", [_SITE], port=broker.free_port(), broker="amqtt")
    identities = {name: identity(made, name, folder) for name in (_TILL, _THIEF)}
    identities["bridge"] = (str(made.folder / "bridge" / "bridge.pem"), str(made.folder / "bridge" / "bridge.key"))
    with broker.Amqtt(made):
        ready = Stand(made, SimpleNamespace(site=made, identities=identities))
        with ready.bridge, ready.till:
            yield ready


def _is_over(sock: ssl.SSLSocket) -> bool:
    """Whether the broker ends the connection."""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while sock.recv(4096):
            pass
    return True


def test_whatever_a_client_sends_the_others_are_served(stand: Stand) -> None:
    for number, chance in chances(60):
        data = _packets(chance)
        with stand.thief(data):
            pass
        if number % 10 == 9:
            heard = stand.served()
            assert all("/d-dock-02/" in topic for topic, _ in heard), told(number, data)
    stand.bridge.messages.clear()


@pytest.mark.parametrize("flags", [0, 2], ids=["a-session-to-be-kept", "a-clean-session"])
@pytest.mark.parametrize("name", ["bridge", _TILL])
def test_who_takes_anothers_name_ends_no_session_but_his_own(stand: Stand, name: str, flags: int) -> None:
    with stand.thief(_connect(name, flags, (_topic("status"), b"forged"))) as sock:
        assert _is_over(sock)
    assert stand.served() == []


@pytest.mark.parametrize("topic", [_topic("scan"), _topic("verdict"), "#", "", "$SYS/x"])
def test_no_last_will_speaks_for_another(stand: Stand, topic: str) -> None:
    before = list(stand.till.messages)
    with stand.thief(_connect(will=(topic, b"forged"))) as sock:
        sock.recv(4)
    with stand.thief(_connect(will=(_topic("status", _THIEF), b"gone"))) as sock:
        sock.recv(4)
    stand.bridge.wait(lambda it: (_topic("status", _THIEF), b"gone") in it.messages)
    assert stand.served() == [(_topic("status", _THIEF), b"gone")]
    assert [one for one in stand.till.messages if one not in before and not one[1].isdigit()] == []
    stand.bridge.messages.clear()


@pytest.mark.parametrize("length", [8_193, 70_000, (1 << 28) - 1])
@pytest.mark.parametrize("first", [0x10, 0x32, 0x82])
def test_a_packet_longer_than_any_message_ends_its_connection_unread(stand: Stand, first: int, length: int) -> None:
    start = b"" if first == 0x10 else _connect()
    with stand.thief(start + _packet(first, _field(b"MQTT"), length)) as sock:
        assert _is_over(sock)
    assert stand.served() == []


def test_who_listens_to_everything_hears_what_is_his(stand: Stand) -> None:
    wanted = b"".join(_field(one) + b"\x01" for one in (b"#", b"scanlatch/#", b"+/+/+/+/+", b"$SYS/#"))
    with stand.thief(_connect() + _packet(0x82, b"\x00\x01" + wanted)) as sock:
        assert stand.served() == []
        stand.bridge.publish(_topic("verdict", _THIEF), b"the last")
        heard = b""
        while b"the last" not in heard:
            heard += sock.recv(4096)
    assert _TILL.encode() not in heard


def test_one_who_does_not_read_holds_up_nobody(stand: Stand) -> None:
    wanted = _packet(0x82, b"\x00\x01" + _field(_topic("verdict", _THIEF).encode()) + b"\x00")
    with stand.thief(_connect() + wanted, room=2_048) as sock:
        sock.recv(4)
        for _ in range(150):
            stand.bridge.publish(_topic("verdict", _THIEF), bytes(4_096))
        assert stand.served() == []


def test_one_who_never_says_who_he_is_is_sent_away(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_broker, "CONNECT_S", 0.3)
    for said in (b"", b"\x10", _connect()[:9]):
        with stand.thief(said) as sock:
            assert _is_over(sock)
    assert stand.served() == []
