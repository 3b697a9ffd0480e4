"""A bridge's connection to the broker, as host_bridge/mqtt.py keeps it up; it ends with its process."""

from collections import deque
from typing import Any

from host_bridge.opening import KINDS, Inbound
from host_bridge.replies import Done
from tests.simulation.broker import Line

_COMPANY_MS = (1, 15)  # how long a batch gathers
_RECONNECT_MS = (100, 2_000)
_DETECT_MS = (100, 15_000)  # until a line that fell silent is found to be dead


class BridgeLine:
    """The connection of one life of a bridge.

    Attributes:
        inbox: what arrived and was not taken.
        fresh: it was made anew since somebody looked.
    """

    def __init__(self, bridge: Any) -> None:
        self.inbox: deque[Inbound] = deque()
        self.fresh = False
        self._bridge = bridge
        self._world = bridge.world
        self._line: Line | None = None
        self._ended = False
        self._unacked: dict[int, tuple[str, bytes, Done | None]] = {}
        self._published = 0
        self._again((1, 50))

    @property
    def up(self) -> bool:
        """Whether what is published now is taken."""
        return self._line is not None

    def publish(self, topic: str, payload: bytes, done: Done | None) -> None:
        """Give a message to the broker, again at each connection until it has it."""
        self._published += 1
        self._unacked[self._published] = topic, payload, done
        self._send(self._published)

    def end(self) -> None:
        """The process is gone."""
        self._ended = True
        self.hang_up()

    def hang_up(self) -> None:
        """The connection ends, at both ends."""
        if self._line is not None:
            self._line.end()

    def fall_silent(self) -> None:
        """It is cut somewhere, and both ends learn of it later."""
        line = self._line
        if line is not None and line.up:
            line.silent = True
            self._world.scheduler.after(self._bridge.chance.uniform(*_DETECT_MS), line.end)

    def _again(self, wait_ms: tuple[int, int]) -> None:
        self._world.scheduler.after(self._bridge.chance.uniform(*wait_ms), self._connect)

    def _connect(self) -> None:
        if self._ended:
            return
        shared, line = self._world.shared, None
        if self._bridge.reachable:
            broker = self._world.broker
            line = broker.connect(self._bridge.name, _is_for_bridges, self._arrives, share=shared, clean=shared)
        if line is None:
            self._again(_RECONNECT_MS)
            return
        self._line, self.fresh = line, True
        line.on_end = lambda: self._lost(line)
        for number in list(self._unacked):
            self._send(number)
        self._bridge.turn_in(0)

    def _lost(self, line: Line) -> None:
        if self._line is line:
            self._line = None
            self._again(_RECONNECT_MS)

    def _send(self, number: int) -> None:
        topic, payload, _ = self._unacked[number]
        if self._line is not None:
            self._line.publish(topic, payload, lambda: self._acked(number))

    def _acked(self, number: int) -> None:
        if not self._ended and number in self._unacked:
            done = self._unacked.pop(number)[2]
            if done is not None:
                done(True)

    def _arrives(self, packet: int, topic: str, payload: bytes) -> None:
        line = self._line

        def acknowledge() -> None:
            self._bridge.step("acknowledge")
            self._world.watch.acknowledged(topic, payload)
            if line is not None:
                line.acknowledge(packet)

        if not self._ended:
            self.inbox.append(Inbound(topic, payload, acknowledge))
            self._bridge.turn_in(self._bridge.chance.uniform(*_COMPANY_MS))


def _is_for_bridges(topic: str) -> bool:
    return topic.rpartition("/")[2] in KINDS
