"""A broker as MQTT 3.1.1 allows it to be: QoS 1, kept sessions, shares, bounded queues, and what may go wrong there."""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tests.simulation.scheduler import Scheduler

IN_FLIGHT = 20  # given to one subscriber and not acknowledged

Message = tuple[str, bytes]


class Taps(Protocol):
    """Who watches everything that passes."""

    def passed(self, topic: str, payload: bytes) -> None: ...


@dataclass
class Weather:
    """How bad the lines are; a world changes it as it goes on."""

    delay: tuple[float, float] = (1.0, 20.0)  # ms on a line, one way
    doubles: float = 0.0  # chance that a message is given twice
    disorder: float = 0.0  # chance that one is given late, or acknowledged late, others overtaking it
    queue: int = 1_000  # messages kept for one subscriber; more are dropped, though acknowledged
    acks_lost: float = 0.0  # chance that the line breaks instead of a PUBACK


class Line:
    """One connection of a client. What it is given arrives in order, or not at all."""

    def __init__(self, broker: "Broker", client: str, on_message: Callable[[int, str, bytes], None]) -> None:
        self.broker = broker
        self.client = client
        self.on_message = on_message  # packet id, topic, payload
        self.on_end: Callable[[], None] = _nothing
        self.up = True
        self.silent = False  # nothing passes, and nobody knows yet
        self._arrivals = [0.0, 0.0]

    def publish(self, topic: str, payload: bytes, on_ack: Callable[[], None]) -> None:
        """At QoS 1; `on_ack` where PUBACK comes."""
        self._pass(0, lambda: self.broker.take(self, topic, payload, on_ack))

    def acknowledge(self, packet: int) -> None:
        """The client has done with what it was given."""
        self._pass(0, lambda: self.broker.acknowledged(self, packet))

    def to_client(self, job: Callable[[], None], late_ms: float = 0.0) -> None:
        """Do `job` at the client's end when it has arrived there."""
        self._pass(1, job, late_ms)

    def end(self) -> None:
        """The connection is over, at both ends."""
        if self.up:
            self.up = False
            self.broker.left(self)
            self.on_end()

    def _pass(self, way: int, job: Callable[[], None], late_ms: float = 0.0) -> None:
        broker = self.broker
        delay = broker.chance.uniform(*broker.weather.delay)
        at = max(self._arrivals[way], broker.scheduler.now + delay)
        if late_ms:
            at += late_ms  # a message of its own: those behind it overtake
        else:
            self._arrivals[way] = at
        broker.scheduler.at(round(at), lambda: job() if self.up and not self.silent else None)


@dataclass
class Session:
    """What the broker knows of one client."""

    client: str
    wants: Callable[[str], bool]
    share: bool
    clean: bool
    line: Line | None = None
    queue: deque[Message] = field(default_factory=deque)
    in_flight: dict[int, Message] = field(default_factory=dict)
    packet: int = 0


class Broker:
    """One broker, by the device's and the bridge's view of it."""

    def __init__(self, scheduler: Scheduler, chance: random.Random, weather: Weather, taps: Taps) -> None:
        self.scheduler = scheduler
        self.chance = chance
        self.weather = weather
        self.taps = taps
        self.up = True
        self.sessions: dict[str, Session] = {}
        self.retained: dict[str, bytes] = {}
        self.dropped = 0

    def connect(
        self,
        client: str,
        wants: Callable[[str], bool],
        on_message: Callable[[int, str, bytes], None],
        *,
        share: bool = False,
        clean: bool = False,
    ) -> Line | None:
        """A line for `client`, subscribed to the topics that it `wants`; None where the broker is down."""
        if not self.up:
            return None
        session = self.sessions.get(client)
        if session is not None and session.line is not None:
            session.line.end()  # 3.1.4: the same client again ends the connection that was
            session = self.sessions.get(client)
        if session is None or clean:
            session = self.sessions[client] = Session(client, wants, share, clean)
        session.line = line = Line(self, client, on_message)
        again = list(session.in_flight.values())
        session.in_flight.clear()
        session.queue.extendleft(reversed(again))
        for topic, payload in self.retained.items():
            if wants(topic):
                session.queue.append((topic, payload))
        self._pump(session)
        return line

    def left(self, line: Line) -> None:
        session = self.sessions.get(line.client)
        if session is not None and session.line is line:
            session.line = None
            if session.clean:
                del self.sessions[line.client]

    def take(self, line: Line, topic: str, payload: bytes, on_ack: Callable[[], None]) -> None:
        """A client publishes: it is stored, and only then acknowledged."""
        self.taps.passed(topic, payload)
        self.route(topic, payload)
        if topic.endswith("/status"):
            self.retained[topic] = payload
        if self.chance.random() < self.weather.acks_lost:
            line.end()
        else:
            line.to_client(on_ack, self._late())

    def route(self, topic: str, payload: bytes) -> None:
        """Give a message to who wants it: to each, and to one of those that share."""
        sharing: list[Session] = []
        for session in self.sessions.values():
            if not session.wants(topic):
                continue
            if session.share:
                sharing.append(session)
            else:
                self._put(session, topic, payload)
        if sharing:
            self._put(self.chance.choice(sharing), topic, payload)

    def acknowledged(self, line: Line, packet: int) -> None:
        session = self.sessions.get(line.client)
        if session is not None and session.line is line:
            session.in_flight.pop(packet, None)
            self._pump(session)

    def restart(self, *, forgets: bool) -> None:
        """The broker stops, and starts with or without what it had stored."""
        for session in list(self.sessions.values()):
            if session.line is not None:
                session.line.end()
        if forgets:
            self.sessions.clear()
            self.retained.clear()

    def _put(self, session: Session, topic: str, payload: bytes) -> None:
        if len(session.queue) >= self.weather.queue:
            self.dropped += 1
            return
        session.queue.append((topic, payload))
        if self.chance.random() < self.weather.doubles:
            session.queue.append((topic, payload))
        self._pump(session)

    def _pump(self, session: Session) -> None:
        line = session.line
        while line is not None and session.queue and len(session.in_flight) < IN_FLIGHT:
            session.packet += 1
            packet = session.packet
            topic, payload = session.in_flight[packet] = session.queue.popleft()
            line.to_client(lambda p=packet, t=topic, m=payload, at=line: at.on_message(p, t, m), self._late())

    def _late(self) -> float:
        disorder = self.weather.disorder
        return self.chance.uniform(1, 3_000) if disorder and self.chance.random() < disorder else 0.0


def _nothing() -> None:
    """Nobody waits for this."""
