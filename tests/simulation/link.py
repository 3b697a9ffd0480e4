"""A terminal's link to the broker, in place of the firmware's MQTT client: the seam between its logic and the world."""

from collections.abc import Callable
from typing import Any

from tests.simulation.broker import Line
from tests.simulation.firmware import Sleep, troubles

NAP_MS = 50  # shorter waits of the firmware are looks round: they end when something happens
IN_FLIGHT = 16


class Link:
    """What the uplink holds of its connection, in place of send/mqtt.Client."""

    def __init__(self, terminal: Any, on_message: Callable[..., None], on_ack: Callable[[int], None]) -> None:
        self.why: BaseException | None = None
        self.until_ms = 0
        self.answer: Any = b""
        self.line: Line | None = None
        self._terminal = terminal
        self._on_message = on_message
        self._on_ack = on_ack
        self._in_flight = 0

    async def publish(self, topic: str, payload: bytes, qos: int, retain: bool = False, mark: int = 0) -> None:
        """See send/mqtt.Client."""
        while self.why is None and qos and self._in_flight >= IN_FLIGHT:
            await Sleep(NAP_MS)
        if self.why is None and self.line is not None:
            self._in_flight += 1
            self._terminal.watcher.published(self._terminal, topic, payload)
            self.line.publish(topic, payload, lambda: self._acked(mark))
            await Sleep(0)
        if self.why is not None:
            raise self.why

    async def clear(self, places: int) -> None:
        """See send/mqtt.Client."""

    def write(self, whole: bytes) -> None:
        """A SUBSCRIBE: `Terminal.dial` has done that, and all of it is granted."""
        self.answer = b"\x00\x11\x01\x01\x01"

    def fail(self, error: BaseException) -> None:
        """See send/mqtt.Client."""
        if self.why is None:
            self.why = error
            if self.line is not None:
                self.line.end()
            self._terminal.poke()

    def received(self, packet: int, topic: str, payload: bytes) -> None:
        """A message arrives; PUBACK goes out when it was handled."""
        with self._terminal.power():
            if self.why is not None:
                return
            try:
                self._on_message(topic, payload)
            except Exception as error:  # noqa: BLE001  # as the client does: what a handler raises ends the link
                troubles.append(repr(error))
                self.fail(error)
                return
            if self.line is not None:
                self.line.acknowledge(packet)
        self._terminal.poke()

    def _acked(self, mark: int) -> None:
        with self._terminal.power():
            self._in_flight -= 1
            if mark > 0 and self.why is None:
                self._terminal.acknowledged.add(mark)
                self._on_ack(mark)
                self._terminal.watcher.looks(self._terminal)
        self._terminal.poke()
