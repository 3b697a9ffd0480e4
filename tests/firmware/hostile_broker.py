"""A broker that behaves as badly as the test wants: MQTT on the other side of the device's client."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

CONNACK = b"\x20\x02\x00\x00"

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


@dataclass
class Seen:
    """What the broker saw of one client."""

    packets: list[bytes] = field(default_factory=list[bytes])
    times: list[float] = field(default_factory=list[float])  # s
    gone: bool = False

    def types(self) -> list[int]:
        return [packet[0] >> 4 for packet in self.packets]


Behaviour = Callable[[Seen, Reader, Writer], Awaitable[None]]


async def packet(seen: Seen, reader: Reader) -> bytes:
    head = await reader.readexactly(2)
    length, shift = head[1] & 0x7F, 7
    while head[-1] & 0x80:
        head += await reader.readexactly(1)
        length |= (head[-1] & 0x7F) << shift
        shift += 7
    whole = head + await reader.readexactly(length)
    seen.packets.append(whole)
    seen.times.append(asyncio.get_running_loop().time())
    return whole


async def listen(seen: Seen, reader: Reader, _writer: Writer | None = None) -> None:
    while True:
        await packet(seen, reader)


def says(*pieces: bytes, close: bool = False, apart_ms: int = 0) -> Behaviour:
    """A broker that sends `pieces`, each in a segment of its own, and reads meanwhile; then it may close."""

    async def behave(seen: Seen, reader: Reader, writer: Writer) -> None:
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(listen(seen, reader))
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(apart_ms / 1000)
            if close:
                listening.cancel()

    return behave


def publish(topic: bytes, payload: bytes, first: int = 0x32, packet_id: bytes = b"\x00\x07") -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + (packet_id if first & 6 else b"") + payload
    head, rest = bytes([first]), len(body)
    while rest > 0x7F:
        head += bytes([rest & 0x7F | 0x80])
        rest >>= 7
    return head + bytes([rest]) + body


async def deaf(_seen: Seen, _reader: Reader, writer: Writer) -> None:
    writer.write(CONNACK)
    await asyncio.sleep(5)  # reads nothing: TCP's windows fill up; cancelled when the test ends


async def closes_after_sixteen(seen: Seen, reader: Reader, writer: Writer) -> None:
    writer.write(CONNACK)
    for _ in range(16):
        await packet(seen, reader)
    try:
        await asyncio.wait_for(packet(seen, reader), 0.2)
    except TimeoutError:
        pass


async def acknowledges_the_second(seen: Seen, reader: Reader, writer: Writer) -> None:
    writer.write(CONNACK)
    ids = [(await packet(seen, reader))[-3:-1] for _ in range(16)]
    writer.write(b"\x40\x02" + ids[1])
    await packet(seen, reader)


async def acknowledges_strangely(seen: Seen, reader: Reader, writer: Writer) -> None:
    writer.write(CONNACK)
    ids = [(await packet(seen, reader))[-3:-1] for _ in range(3)]
    writer.write(b"\x40\x02\x77\x77" + b"\x40\x02" + ids[2] + b"\x40\x02" + ids[2] + b"\x40\x02" + ids[0])


async def acknowledges_one(seen: Seen, reader: Reader, writer: Writer) -> None:
    writer.write(CONNACK)
    whole = await packet(seen, reader)
    writer.write(b"\x40\x02" + whole[-3:-1])
    await listen(seen, reader)


async def dies_once(seen: Seen, reader: Reader, writer: Writer) -> None:
    writer.write(CONNACK)
    whole = await packet(seen, reader)
    if whole[-1:] == b"y":
        writer.write(b"\x40\x02" + whole[-3:-1])


def answers_subscribe(answer: Callable[[bytes], bytes]) -> Behaviour:
    async def behave(seen: Seen, reader: Reader, writer: Writer) -> None:
        writer.write(CONNACK)
        whole = await packet(seen, reader)
        writer.write(answer(whole[2:4]))
        await listen(seen, reader)

    return behave


class Broker:
    """Listens in a thread of its own; a client's id names the case."""

    def __init__(self, behaviours: Mapping[str, Behaviour]) -> None:
        self._behaviours = behaviours
        self.seen: dict[str, Seen] = {}
        self._loop = asyncio.new_event_loop()
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # a deaf broker is soon full
        listening.bind(("127.0.0.1", 0))
        self.port: int = listening.getsockname()[1]
        self._server = self._loop.run_until_complete(asyncio.start_server(self._serve, sock=listening, limit=4096))
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    async def _serve(self, reader: Reader, writer: Writer) -> None:
        first = Seen()
        name = ""
        try:
            name = (await packet(first, reader))[14:].decode()
            seen = self.seen.setdefault(name, first)
            await self._behaviours[name](seen, reader, writer)
        except* (asyncio.IncompleteReadError, ConnectionError):
            self.seen[name].gone = True
        finally:
            writer.close()

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        serving = asyncio.all_tasks() - {asyncio.current_task()}
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
