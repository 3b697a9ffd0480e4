# MQTT packets onto the stream: one write a packet, never half of one.
import asyncio

from scanlatch.send.causes import FAILURES


class Outgoing:
    """Writes packets. stream: asyncio's; moved: Event set when the socket took all; on_failure(error).

    spoke: clock ms of the last packet; busy: task that brings out what the socket did not take at once, or None.
    A publisher may be cancelled meanwhile: its packet still goes out whole.
    """

    def __init__(self, stream, clock, moved, on_failure):
        self.spoke = clock.ms()
        self.busy = None
        self._stream = stream
        self._clock = clock
        self._moved = moved
        self._on_failure = on_failure

    def write(self, packet):
        """Only while not busy. A failure goes to `on_failure`."""
        try:
            self._stream.write(packet)
        except FAILURES as error:
            self._on_failure(error)
            return
        self.spoke = self._clock.ms()
        if self._stream.out_buf:
            self.busy = asyncio.create_task(self._flush())

    async def _flush(self):
        try:
            await self._stream.drain()
        except FAILURES as error:
            self._on_failure(error)
        self.busy = None
        self._moved.set()
