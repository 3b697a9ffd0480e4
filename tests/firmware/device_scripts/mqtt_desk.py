# One terminal's link to a broker, opened again and again as the uplink does it.
import asyncio
import time

from scanlatch.send import failure, greeting, opening
from scanlatch.send.mqtt import FAILURES, MqttError


class Clock:
    def ms(self):
        return time.ticks_ms()


def nothing(*_):
    pass


class Link:
    def __init__(self, device, port, host="127.0.0.1", tls=None, name="", keepalive=30, will=None, timeout_ms=10_000):
        self.on_message = self.on_ack = self.feed = nothing
        self.client = None
        self._device = device
        self._broker = {"host": host, "port": port, "name": name}
        self._more = (tls, will)
        self._keepalive = keepalive
        self._timeout_ms = timeout_ms
        self._known = [None, False]

    async def connect(self):
        """Whether the broker had kept our session."""
        parts = (Clock(), self.on_message, self.on_ack, self.feed, self._keepalive, self._timeout_ms)
        try:
            self.client = await opening.connect(self._device, self._broker, self._known, *self._more, *parts)
        except Exception as error:
            raise _told(error)
        return self.client.answer[0] == 1

    async def subscribe(self, *topics):
        try:
            await greeting.subscribe(self.client, topics, Clock(), self._timeout_ms)
        except Exception as error:
            raise _told(error)

    async def publish(self, *arguments, **more):
        try:
            await self.client.publish(*arguments, **more)
        except Exception as error:
            raise _told(error)

    async def run(self):
        """Until it ends; raises why."""
        while self.client.why is None:
            await asyncio.sleep_ms(5)
        raise _told(self.client.why)

    def close(self):
        self.client.fail(MqttError("network", "closed here"))


def _told(error):
    return failure.told(error) if isinstance(error, FAILURES) and type(error) is not ValueError else error
