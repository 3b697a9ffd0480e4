"""The load generator: many terminals on one thread, each an MQTT 3.1.1 connection with records ready to go."""

import asyncio
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from scanlatch_tools.bench.fleet import Device
from scanlatch_tools.errors import ToolError
from scanlatch_tools.site import Site

_CONNACK, _PUBLISH, _PUBACK, _SUBACK = 0x20, 0x30, 0x40, 0x90
_START_S, _SILENT_S = 20.0, 20.0
_POLL_S = 0.01


@dataclass(slots=True)
class Load:
    """Records to send, by device, and how far each terminal may be ahead of its answers."""

    records: dict[str, list[bytes]]
    window: int
    sent: int = 0
    answered: int = 0
    began: float = 0.0
    ended: float = 0.0  # of the last answer
    cpu: float = 0.0  # seconds that the generator used meanwhile
    took: list[float] = field(default_factory=list[float])  # seconds from record to answer

    @property
    def seconds(self) -> float:
        return self.ended - self.began


class Terminals:
    """Connected terminals; `run` drives one load through them."""

    def __init__(self, site: Site, devices: Sequence[tuple[Device, ssl.SSLContext]]) -> None:
        self._site = site
        self._devices = devices
        self._loop = asyncio.new_event_loop()
        self._lines: list[_Line] = []

    def __enter__(self) -> "Terminals":
        self._loop.run_until_complete(asyncio.wait_for(self._connect(), _START_S))
        return self

    def __exit__(self, *_: object) -> None:
        for line in self._lines:
            line.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def run(self, load: Load) -> None:
        """Send everything and wait for an answer to each. Raises ToolError where answers stop coming."""
        self._loop.run_until_complete(self._run(load))

    async def _connect(self) -> None:
        for device, context in self._devices:
            _, line = await self._loop.create_connection(
                lambda device=device: _Line(device), self._site.host, self._site.port, ssl=context
            )
            await line.ready.wait()
            self._lines.append(line)

    async def _run(self, load: Load) -> None:
        cpu = time.process_time()
        load.began = load.ended = time.monotonic()
        for line in self._lines:
            line.begin(load, load.records.get(line.name, []))
        wanted = sum(map(len, load.records.values()))
        while load.answered < wanted:
            await asyncio.sleep(_POLL_S)
            if time.monotonic() - max(load.ended, load.began) > _SILENT_S:
                raise ToolError(f"{wanted - load.answered} of {wanted} scans were not answered")
        load.cpu = time.process_time() - cpu


class _Line(asyncio.Protocol):
    """One terminal's connection. An answer is the first message on `verdict` that names a record sent here."""

    def __init__(self, device: Device) -> None:
        self.name = device.name
        self.ready = asyncio.Event()
        self._prefix = f"scanlatch/v1/{device.at}/{device.name}/"
        self._rest = b""
        self._load = Load({}, 0)
        self._records: list[bytes] = []
        self._next = 0
        self._sent_at: dict[bytes, float] = {}
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101  # asyncio's promise for a stream
        self._transport = transport
        connect = b"\0\4MQTT\4\2\0\0" + _text(self.name)
        transport.write(_packet(0x10, connect) + _packet(0x82, b"\0\1" + _text(self._prefix + "+") + b"\1"))

    def begin(self, load: Load, records: list[bytes]) -> None:
        self._load, self._records, self._next = load, records, 0
        self._sent_at.clear()
        self._send()

    def close(self) -> None:
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
            raise ToolError(f"the broker sent a packet of kind {kind:#x}")

    def _answered(self, message: bytes) -> None:
        sent_at = self._sent_at.pop(name_of(message), None)
        if sent_at is None:
            return  # the final verdict after a pending one
        load = self._load
        load.ended = time.monotonic()
        load.took.append(load.ended - sent_at)
        load.answered += 1

    def _send(self) -> None:
        batch = bytearray()
        now = time.monotonic()
        while self._next < len(self._records) and len(self._sent_at) < self._load.window:
            message = self._records[self._next]
            self._next += 1
            batch += _packet(0x32, _text(self._prefix + "scan") + (self._next % 0xFFFF + 1).to_bytes(2) + message)
            self._sent_at[name_of(message)] = now
            self._load.sent += 1
        if batch and self._transport:
            self._transport.write(batch)


def name_of(message: bytes) -> bytes:
    """The bytes of `seq` in a scan or verdict: in both the payload begins with version and seq (WIRE.md)."""
    at = 4 if message[2] == 0x58 else 3
    at += message[at - 1] if at == 4 else message[2] & 0x1F
    at += 1  # no unprotected headers
    at += 2 if message[at] == 0x58 else 3 if message[at] == 0x59 else 1
    width = {0x18: 1, 0x19: 2, 0x1A: 4}.get(message[at + 4], 0)
    return message[at + 4 : at + 5 + width]


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
