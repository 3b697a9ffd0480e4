"""One terminal's MQTT 3.1.1 connection, with records ready to go."""

import asyncio
import time
from typing import Protocol

from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _

_CONNACK, _PUBLISH, _PUBACK, _SUBACK = 0x20, 0x30, 0x40, 0x90
_PENDING = 3  # WIRE.md "Verdict", key 4


class Tally(Protocol):
    """Where a connection counts."""

    window: int
    sent: int
    pending: int
    took_final: list[float]

    def note(self, now: float, sent_at: float) -> None:
        """There is a first answer."""
        ...


class Line(asyncio.Protocol):
    """An answer is a message on `verdict` that names a record sent here; a pending one will be followed by a final."""

    def __init__(self, name: str, at: str) -> None:
        self.name = name
        self.ready = asyncio.Event()
        self.heard = 0.0  # when the last answer came
        self._prefix = f"scanlatch/v1/{at}/{name}/"
        self._rest = b""
        self._load: Tally | None = None
        self._packets: list[tuple[bytes, bytes]] = []  # what the answer will name it by, and the packet
        self._next = 0
        self._open = False
        self._sent_at: dict[bytes, float] = {}
        self._open_ended: dict[bytes, float] = {}  # pending ones
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101  # asyncio's promise for a stream
        self._transport = transport
        connect = b"\0\4MQTT\4\2\0\0" + _text(self.name)
        transport.write(_packet(0x10, connect) + _packet(0x82, b"\0\1" + _text(self._prefix + "+") + b"\1"))

    @property
    def has_more(self) -> bool:
        """Whether a record was not sent yet."""
        return self._next < len(self._packets)

    @property
    def sent(self) -> int:
        """How many of its records are on their way or answered."""
        return self._next

    def prepare(self, load: Tally, records: list[bytes]) -> None:
        """Make packets of records; nothing is sent before `open` or `one`."""
        topic = _text(self._prefix + "scan")
        self._packets = [
            (name_of(record), _packet(0x32, topic + (at % 0xFFFF + 1).to_bytes(2) + record))
            for at, record in enumerate(records)
        ]
        self._load, self._next, self._open = load, 0, False
        self._sent_at.clear()
        self._open_ended.clear()

    def open(self) -> None:
        """Send as far as the window reaches, and whenever there is room."""
        self._open = True
        self._send()

    def shut(self) -> None:
        """Send nothing more."""
        self._open = False

    def one(self, due: float) -> None:
        """Send one record, which fell due at that time."""
        if self._load and self._transport:
            name, packet = self._packets[self._next]
            self._next += 1
            self._sent_at[name] = due
            self._load.sent += 1
            self._transport.write(packet)

    def close(self) -> None:
        """Say goodbye."""
        if self._transport:
            self._transport.write(b"\xe0\0")
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        at, acks = 0, bytearray()
        while (found := _frame(data, at)) is not None:
            kind, start, end = found
            self._take(kind, data, start, end, acks)
            at = end
        self._rest = data[at:]
        if acks and self._transport:
            self._transport.write(acks)
        if self._open:
            self._send()

    def _take(self, kind: int, data: bytes, start: int, end: int, acks: bytearray) -> None:
        if kind & 0xF0 == _PUBLISH:
            topic_end = start + 2 + int.from_bytes(data[start : start + 2])
            acks += b"\x40\2" + data[topic_end : topic_end + 2]
            if data.startswith(b"verdict", topic_end - 7):
                self._answered(data[topic_end + 2 : end])
        elif kind == _SUBACK:
            self.ready.set()
        elif kind not in (_CONNACK, _PUBACK):
            raise ToolError(_("the broker sent a packet of kind {kind:#x}").format(kind=kind))

    def _answered(self, message: bytes) -> None:
        load, now = self._load, time.monotonic()
        if load is None:
            return
        name, outcome = answer(message)
        self.heard = now
        sent_at = self._sent_at.pop(name, None)
        if sent_at is not None:
            load.note(now, sent_at)
            if outcome == _PENDING:
                load.pending += 1
                self._open_ended[name] = sent_at
                return
        else:
            sent_at = self._open_ended.pop(name, None) if outcome != _PENDING else None
        if sent_at is not None:
            load.took_final.append(now - sent_at)

    def _send(self) -> None:
        load = self._load
        if load is None or self._transport is None:
            return
        batch = bytearray()
        now = time.monotonic()
        while self._next < len(self._packets) and len(self._sent_at) < load.window:
            name, packet = self._packets[self._next]
            self._next += 1
            batch += packet
            self._sent_at[name] = now
            load.sent += 1
        if batch:
            self._transport.write(batch)


def name_of(message: bytes) -> bytes:
    """The bytes of `seq` in a scan or verdict: in both the payload begins with version and seq (WIRE.md)."""
    return _seq(message)[0]


def answer(message: bytes) -> tuple[bytes, int]:
    """As `name_of`, and the outcome: in a verdict it follows the digest; of an echoed scan it is no outcome at all."""
    name, at = _seq(message)
    return name, message[at + 36]  # key 3, 0x58 0x20, 32 bytes, key 4


def _seq(message: bytes) -> tuple[bytes, int]:
    at = 4 if message[2] == 0x58 else 3
    at += message[at - 1] if at == 4 else message[2] & 0x1F
    at += 1  # no unprotected headers
    at += 2 if message[at] == 0x58 else 3 if message[at] == 0x59 else 1
    end = at + 5 + {0x18: 1, 0x19: 2, 0x1A: 4}.get(message[at + 4], 0)
    return message[at + 4 : end], end


def _frame(data: bytes, at: int) -> tuple[int, int, int] | None:
    """First byte, start and end of the content of the MQTT packet at `at`, where it is there whole."""
    size, shift, start = 0, 0, at + 1
    while start < len(data):
        byte = data[start]
        size |= (byte & 0x7F) << shift
        shift += 7
        start += 1
        if byte < 0x80:
            end = start + size
            return (data[at], start, end) if end <= len(data) else None
    return None


def _packet(first: int, content: bytes) -> bytes:
    size = len(content)
    head = bytearray((first,))
    while size > 127:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return bytes(head) + content


def _text(value: str) -> bytes:
    data = value.encode()
    return len(data).to_bytes(2) + data
