"""A line between two parts of a site, and what can go wrong with it: cut, stalled, half-open, slow, left for dead."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

Way = Literal["up", "down"]  # from who connects to who listens, and back
How = Literal["reset", "end"]  # RST, as of a part that crashed; FIN, as of one that said goodbye
Wrong = Literal["stall", "up", "down", "slow", "vanish", "reset", "end"]
Rates = dict[Way, float | None]  # bytes a second; None: as fast as it goes

_PIECE = 1 << 14
_START_S = 10.0
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closed at once, with RST
_FREE: Rates = {"up": None, "down": None}


class Line:
    """A port of 127.0.0.1 that leads to another, or to a socket's path; a context manager.

    Its methods may be called from any thread. TCP loses no byte of a connection that lives on: what a stalled way holds
    back comes when it is healed, or never.
    """

    def __init__(self, to: int | Path) -> None:
        self.port = 0
        self.taken = 0  # connections so far
        self._to = to
        self._rates = dict(_FREE)
        self._refusing: How | None = None
        self._pairs: set[_Pair] = set()
        self._loop = asyncio.new_event_loop()
        self._changed = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=f"line to {to}", daemon=True)
        self._is_up = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._is_up.wait(_START_S):
            raise OSError(f"no line to port {self._to}")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_S)

    # What can be wrong

    def be(self, wrong: Wrong) -> None:
        """Fail in this way until healed: stalled, deaf upwards or downwards, slow, left for dead, refusing."""
        match wrong:
            case "stall":
                self.stall()
            case "up" | "down":
                self.half_open(wrong)
            case "slow":
                self.slow()
            case "vanish":
                self.vanish()
            case "reset" | "end":
                self.refuse(wrong)

    def heal(self) -> None:
        """Nothing is wrong any more. What was left for dead stays so."""
        self._do(self._be, dict(_FREE), None)

    def cut(self, how: How = "reset") -> None:
        """End every connection. New ones are taken."""
        self._do(self._cut, how)

    def refuse(self, how: How = "reset") -> None:
        """End every connection, and every new one at once."""
        self._do(self._be, dict(_FREE), how)
        self._do(self._cut, how)

    def stall(self) -> None:
        """Take connections, and let nothing pass."""
        self._do(self._be, {"up": 0.0, "down": 0.0}, None)

    def half_open(self, dead: Way) -> None:
        """Let nothing pass one way."""
        self._do(self._be, {**_FREE, dead: 0.0}, None)

    def slow(self, bytes_per_s: float = 1.0, ways: tuple[Way, ...] = ("up", "down")) -> None:
        """Let hardly anything pass."""
        self._do(self._be, {**_FREE, **dict.fromkeys(ways, bytes_per_s)}, None)

    def vanish(self) -> None:
        """Leave the connections for dead: nobody is told, nothing passes on them for ever. New ones are taken."""
        self._do(self._leave)

    # In the line's own thread

    def _do(self, job: Callable[..., None], *arguments: object) -> None:
        done = threading.Event()

        def now() -> None:
            job(*arguments)
            self._changed.set()
            self._changed = asyncio.Event()
            done.set()

        self._loop.call_soon_threadsafe(now)
        if not done.wait(_START_S):
            raise OSError("the line's thread stands still")

    def _be(self, rates: Rates, refusing: How | None) -> None:
        self._rates, self._refusing = rates, refusing

    def _cut(self, how: How) -> None:
        for pair in list(self._pairs):
            pair.end(how)

    def _leave(self) -> None:
        for pair in self._pairs:
            pair.dead = True

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._is_up.set()
        self._loop.run_forever()
        self._cut("reset")
        rest = asyncio.all_tasks(self._loop)
        for task in rest:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
        self._loop.close()

    async def _listen(self) -> None:
        server = await asyncio.start_server(self._take, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken += 1
        if self._refusing:
            _end(writer, self._refusing)
            return
        try:
            far_reader, far_writer = await self._connect()
        except OSError:
            _end(writer, "reset")
            return
        pair = _Pair(writer, far_writer)
        self._pairs.add(pair)
        try:
            await asyncio.gather(
                self._carry(pair, "up", reader, far_writer), self._carry(pair, "down", far_reader, writer)
            )
            pair.end("end")
        except (OSError, asyncio.CancelledError):  # asyncio tells of a task that ends cancelled as of an error
            pair.end("reset")
        finally:
            self._pairs.discard(pair)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._to, Path):
            return await asyncio.open_unix_connection(self._to)
        return await asyncio.open_connection("127.0.0.1", self._to)

    async def _carry(self, pair: "_Pair", way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = b" "
        while data:
            data = await reader.read(_PIECE)
            held = data
            while held:
                size = await self._may(pair, way, len(held))
                writer.write(held[:size])
                held = held[size:]
                await writer.drain()
        await self._may(pair, way, 1)
        writer.write_eof()

    async def _may(self, pair: "_Pair", way: Way, size: int) -> int:
        """Wait until something may pass; how much of `size` bytes."""
        waited = False
        while True:
            rate = 0.0 if pair.dead else self._rates[way]
            if rate is None:
                return size
            if rate and waited:
                return 1
            try:
                await asyncio.wait_for(self._changed.wait(), 1 / rate if rate else None)
            except TimeoutError:
                waited = True


class _Pair:
    """Both ends of one connection."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.dead = False
        self._ends = near, far

    def end(self, how: How) -> None:
        for writer in self._ends:
            _end(writer, how)


def _end(writer: asyncio.StreamWriter, how: How) -> None:
    if how == "reset":
        with contextlib.suppress(OSError):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
    else:
        writer.close()
