"""Runs the scripted day with a bridge that dies at chosen points and is started again, on what was durable."""

from dataclasses import dataclass, field

from host_bridge.ledger.schema import metadata
from host_bridge.opening import Inbound
from host_bridge.wire import digest
from tests.bridge.dying import Died, Points
from tests.bridge.scripted_day import Answering, Day, Restart, Sending, Step, Turning, Waiting
from tests.bridge.strict import BrokerSide, StrictPlatform, Witness
from tests.bridge.world import CODES, NOW, World

BATCH = 4  # messages that the broker gives at once
# What hangs on when platform or terminal was asked, how often something was said, and what was begun in vain.
_LEFT_OUT = {
    "alerts": {"id"},
    "commands": {"made_at", "not_after"},  # a bridge asks for a gap once it has run for a minute
    "devices": {"resend_asked_at"},
    "outbox": {"attempts", "next_at", "claimed_by", "claimed_at", "pending_at", "trouble"},
    "verdicts": {"decided_at", "repeat", "sent", "text"},
    "codes": {"since"},
}


@dataclass
class Run:
    """One run of the day; `died` times."""

    day: Day
    url: str
    points: Points
    template: World
    slow: bool = False
    died: int = 0
    told: list[str] = field(default_factory=list[str])  # what must not be
    steps: list[Step] | None = None  # instead of the day's

    def __post_init__(self) -> None:
        self.now = NOW
        self.witness = Witness(self.url)
        self.platform = StrictPlatform(self.points, self.witness)
        self.platform.refuses = {CODES[15]: 13}
        self.outlet = BrokerSide(self.points, self.slow)
        self._waiting: list[tuple[str, bytes]] = []
        self._world: World | None = None

    def through(self) -> None:
        """The whole day, and its end in order."""
        with self.points:
            for step in self.day.steps if self.steps is None else self.steps:
                match step:
                    case Sending(messages):
                        self._waiting += messages
                    case Waiting(ms):
                        self.now += ms
                        if self._world is not None:
                            self._world.clock.ms = self.now
                    case Turning(reachable, loses_answers):
                        self.platform.reachable, self.platform.loses_answers = reachable, loses_answers
                    case Restart():
                        self._end()
                    case Answering():
                        self._waiting += self._asked_for()
                self._until_quiet()
        self._end()
        self.told += self.platform.told
        self.books, self.answers = self._books(), self._answers()
        self.records = sorted(self.witness.ask("SELECT device, seq, digest FROM scans"))
        undecided = "SELECT device, seq FROM scans WHERE outcome IS NULL"
        unsettled = "SELECT device, seq FROM outbox WHERE state NOT IN ('done', 'cancelled')"
        self.waiting = self.witness.ask(f"{undecided} UNION ALL {unsettled}")
        if unsaid := self.witness.ask("SELECT device, seq FROM verdicts WHERE sent = 0"):
            self.told.append(f"final verdicts that the broker was never given: {unsaid}")

    def close(self) -> None:
        self._end()
        self.witness.close()

    def _answers(self) -> dict[str, dict[int, tuple[int, int, bytes]]]:
        """The last final verdict that each terminal has on each record's bytes: (outcome, reason)."""
        found: dict[str, dict[int, tuple[int, int, bytes]]] = {}
        for terminal in self.day.terminals:
            topic = f"scanlatch/v1/{terminal.site}/{terminal.peer.device}/verdict"
            opened = [terminal.peer.open_verdict(one.payload) for one in self.outlet.sent if one.topic == topic]
            kept = {one.seq: (int(one.outcome), one.reason, one.digest) for one in opened if one.final and one.kept}
            found[terminal.peer.device] = kept
        return found

    def _books(self) -> dict[str, list[str]]:
        """Every row of the ledger, in no order."""
        found: dict[str, list[str]] = {}
        for table in metadata.sorted_tables:
            left_out = _LEFT_OUT.get(table.name, set())
            names = ", ".join(f'"{column.name}"' for column in table.columns if column.name not in left_out)
            rows = self.witness.ask(f"SELECT {names} FROM {table.name}")
            found[table.name] = sorted(str(row) for row in rows)
        return found

    def _asked_for(self) -> list[tuple[str, bytes]]:
        """What the terminals' rings have of what the bridge asked for."""
        found: dict[tuple[str, bytes], None] = {}
        for terminal in self.day.terminals:
            prefix = f"scanlatch/v1/{terminal.site}/{terminal.peer.device}"
            sent = [one.payload for one in self.outlet.sent if one.topic == f"{prefix}/command"]
            commands = [terminal.peer.open_command(one) for one in sent]
            asked = [int(str(one.arguments["from"])) for one in commands if one.name == "resend"]
            for seq, message in terminal.messages.items():
                if any(seq >= first for first in asked):
                    found[f"{prefix}/scan", message] = None
        return list(found)

    def _until_quiet(self) -> None:
        while True:
            try:
                self._round()
                return
            except Died:
                self.died += 1
                self.outlet.lose()
                self._forget()
                self.points.reborn()

    def _round(self) -> None:
        """All that is to be done now."""
        world = self._world or self._begun()
        while self._waiting:
            batch = self._waiting[:BATCH]
            world.intake.process(
                [Inbound(topic, one, lambda topic=topic, one=one: self._ack(topic, one)) for topic, one in batch]
            )
            self.outlet.flush()
        world.intake.tick()
        while world.outbox.step():
            pass
        self.outlet.flush()
        world.intake.tick()

    def _ack(self, topic: str, message: bytes) -> None:
        self.points.here("before acknowledgement")
        kind = topic.rpartition("/")[2]
        if not self.witness.has(message, kind):
            self.told.append(f"a {kind} is acknowledged before it is in the ledger: {digest(message).hex()}")
        self.outlet.give(lambda: self._waiting.remove((topic, message)))

    def _begun(self) -> World:
        """A new process on the ledger as it is."""
        made = object.__new__(World)
        made.__dict__.update(self.template.__dict__)
        made.url, made.platform, made.outlet = self.url, self.platform, self.outlet
        made.clock = type(self.template.clock)()
        made.clock.ms = self.now
        self._world = made
        made.start()
        made.intake.connected()
        return made

    def _end(self) -> None:
        """As the service ends: what the broker has acknowledged is written down."""
        if self._world is not None:
            self.outlet.flush()
            self._forget()

    def _forget(self) -> None:
        if self._world is not None and "ledger" in self._world.__dict__:
            self._world.ledger.close()
        self._world = None
