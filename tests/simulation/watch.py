"""Holds everything that passes against the promises, the moment it passes."""

import sqlite3
from collections.abc import Callable
from typing import Any

import cbor2

from host_bridge.wire import WireError, bridge_kid, digest
from tests.simulation.stage import Stage
from tests.simulation.terminal import Terminal
from tests.wire_peer import WirePeer

_SHOWS = ("accepted", "rejected", "duplicate", "pending", "exempt", "error")
_REFUSALS = frozenset(("full", "busy", "fault_refused", "bounce"))
_PERSON = b"opcAQ"  # begins what a person's credential holds
_POINT = 65  # bytes of a public point
_CLOCK_MS = 1_200  # by which a receipt may set a clock wrong: half of 2 s, by drifting ticks


Peers = tuple[WirePeer, ...]  # one terminal under each of the bridge keys


class Broken(AssertionError):  # noqa: N818  # it is no fault of the caller's
    """A promise is broken."""


class Watch:
    """Who watches. Each promise that is broken is an alarm; the first ends the world.

    Attributes:
        kept: terminal -> seq -> digest, of what its light said it had kept.
        sent: the same of all that it ever published.
    """

    def __init__(self, world: Any, books: sqlite3.Connection, peers: dict[str, Peers], stage: Stage) -> None:
        self._world = world
        self._books = books
        self._peers = peers
        self._private = stage.private
        self._publics = frozenset(stage.publics)
        self.alarms: list[str] = []
        self.kept: dict[str, dict[int, bytes]] = {name: {} for name in peers}
        self.sent: dict[str, dict[int, bytes]] = {name: {} for name in peers}
        self.finals: dict[tuple[str, int, bytes], tuple[int, int]] = {}
        self.delivered: set[tuple[str, int]] = set()  # records whose final verdict some broker took
        self.outlaws: set[str] = set()  # revoked, or never enrolled
        self.counted: dict[str, int] = {}
        self._patterns: list[str] = []  # of the light, since the last symbol
        self._freed = dict.fromkeys(peers, 0)
        self._told_at: dict[bytes, int] = {}  # receipt -> when it left its bridge

    def alarm(self, text: str) -> None:
        """A promise is broken."""
        self._world.log("ALARM", text)
        self.alarms.append(text)

    def count(self, what: str) -> None:
        self.counted[what] = self.counted.get(what, 0) + 1

    # What the terminals do

    def shown(self, terminal: Terminal, pattern: str) -> None:
        """The light. Promise 1 begins with "kept", promise 5 is that a refusal is seen."""
        self._world.log(terminal.name, pattern)
        self.count(pattern.split(":")[0])
        self._patterns.append(pattern)
        if pattern == "kept" and terminal.box is not None:
            journal = terminal.box.journal
            if journal.newest in self.kept[terminal.name]:
                self.alarm(f"{terminal.name} kept record {journal.newest} twice")
            self.kept[terminal.name][journal.newest] = journal.newest_digest

    def started(self, terminal: Terminal) -> None:
        """After every start all that was kept is there, as it was (promise 1); no bridge's key is a foreign one."""
        self._keys_are_ours(terminal)
        journal, kept = terminal.box.journal, self.kept[terminal.name]
        if journal.fault is not None:
            self.alarm(f"{terminal.name} starts with a fault: {journal.fault}")
            return
        newest = max(kept, default=0)
        if journal.newest < newest:
            self.alarm(f"{terminal.name} has lost records {journal.newest + 1} to {newest}")
        # What was freed is safe elsewhere: where the last place was needed it may be gone before a mark says so.
        for seq in range(max(journal.freed, self._freed[terminal.name]) + 1, newest + 1):
            if seq in kept and journal.digest(seq) != kept[seq]:
                self.alarm(f"{terminal.name} has other bytes in record {seq} than it kept")

    def published(self, terminal: Terminal, topic: str, payload: bytes) -> None:
        """No number is ever given to other bytes (promise 2), and no secret leaves (promise 6)."""
        if any(secret in payload for secret in self._private) or _PERSON in payload:
            self.alarm(f"{terminal.name} sends what is secret under {topic}")
        if topic.endswith("/scan"):
            seq, named = seq_of(payload), digest(payload)
            if self.sent[terminal.name].setdefault(seq, named) != named:
                self.alarm(f"{terminal.name} sends other bytes under seq {seq} than before")

    def receives(self, terminal: Terminal, kind: str, message: bytes, handle: Callable[[], Any]) -> Any:
        """A terminal believes only its bridge, only about its own records, and frees only what is durable."""
        box = terminal.box
        journal, health, name = box.journal, box.health, terminal.name
        freed, fault, counts = journal.freed, box.scanner.fault, list(health.counts)
        opened, last = box.session.opened, terminal.commanded
        time = box.clock.now()
        keys, under = _keys(terminal), _kids(terminal)
        verdict = self._opened(name, kind, message, under)
        ours = verdict is not None and (kind != "verdict" or journal.digest(verdict.seq) == verdict.digest)
        answer = handle()
        self.looks(terminal)
        if box.clock.now() != time:
            self._set(name, box.clock.now()[0], verdict, message)
        if kind == "command" and verdict and verdict.counter <= last and _result(answer) == "ok":
            self.alarm(f"{name} carried command {verdict.counter} out again")
        if box.session.opened != opened and not (kind == "command" and verdict and verdict.counter > last):
            self.alarm(f"{name} changed its session by a {kind} that is none, or came again")
        if _keys(terminal) != keys:
            self.count("bridge key")
            self._keys_are_ours(terminal)
            if _keys(terminal)[1]:
                self._world.at_desk.key_waits(terminal)
            if verdict is None:
                self.alarm(f"{name} took or dropped a bridge key by a {kind} that no bridge sent it")
        if box.scanner.fault != fault:
            self.alarm(f"{name} refuses to scan after a {kind}: {box.scanner.fault}")
        if not ours:
            names = health.counted.split()
            moved = [one for one, before, now in zip(names, counts, health.counts, strict=True) if before != now]
            if journal.freed != freed or set(moved) & set(_SHOWS):
                self.alarm(f"{name} believed a {kind} that is not about its record: {moved}")
        elif kind == "verdict" and verdict.final:
            self._final(name, verdict)
        return answer

    def _keys_are_ours(self, terminal: Terminal) -> None:
        used, waits = _keys(terminal)
        if used not in self._publics or (waits and waits[:_POINT] not in self._publics):
            self.alarm(f"{terminal.name} holds a bridge key that no bridge has")

    def _opened(self, name: str, kind: str, message: bytes, under: frozenset[bytes] | None = None) -> Any:
        """What a message says that a bridge sealed for this terminal, under one of the keys `under` where given."""
        for peer in self._peers[name]:
            if under is None or peer.bridge_kid in under:
                try:
                    return getattr(peer, f"open_{kind}")(message)
                except (WireError, ValueError):
                    pass
        return None

    def scanned(self, terminal: Terminal, data: bytes, newest: int) -> None:
        """A code was read: it is kept, or refused where one can see it and no number is used (promise 5)."""
        said, self._patterns = self._patterns, []
        if terminal.box is None or not data.isdigit():
            return
        kept = terminal.box.journal.newest - newest
        if kept != ("kept" in said) or not (kept or _REFUSALS & set(said)):
            self.alarm(f"{terminal.name} read a code, made {kept} records of it and said {said}")

    def looks(self, terminal: Terminal) -> None:
        """Nothing is free on a terminal that the ledger does not hold (promise 2)."""
        if terminal.box is None:
            return
        journal, records = terminal.box.journal, terminal.box.uplink.records
        unheard = set(range(journal.freed + 1, records._acked + 1)) - terminal.acknowledged
        if unheard:
            self.alarm(f"{terminal.name} takes {sorted(unheard)} to be with the broker, which has not said so")
        if journal.freed > self._freed[terminal.name]:
            self._freed[terminal.name] = journal.freed
            if not self.durable(terminal.name, journal.freed, journal.digest(journal.freed)):
                self.alarm(f"{terminal.name} freed up to {journal.freed}, which the ledger does not hold")

    def _set(self, name: str, now: int, receipt: Any, message: bytes) -> None:
        """A terminal's clock was set: by a receipt, and to about what its bridge's clock is."""
        left = self._told_at.get(digest(message))
        if receipt is None or left is None:
            self.alarm(f"{name} had its clock set by what no bridge said")
        elif abs(receipt.sent_at + self._world.scheduler.now - left - now) > _CLOCK_MS:
            late = self._world.scheduler.now - left
            self.alarm(f"{name} set its clock by a receipt that was {late} ms on its way, to {now}")

    def _final(self, name: str, verdict: Any) -> None:
        place = name, verdict.seq, verdict.digest
        said = int(verdict.outcome), verdict.reason
        if self.finals.setdefault(place, said) != said:
            self.alarm(f"{name}/{verdict.seq}: final {self.finals[place]}, then final {said}")

    # What the bridges do

    def said(self, topic: str, payload: bytes) -> None:
        """A bridge speaks: to who may listen (promise 7), and of what is safe only when it is (promise 2)."""
        _, _, _, name, kind = topic.split("/")
        self.count(f"said {kind}")
        if name in self.outlaws or name not in self._peers:
            self.alarm(f"a bridge sent a {kind} to {name}")
            return
        told = self._opened(name, kind, payload)
        if told is None:
            self.alarm(f"a bridge sent {name} a {kind} that can't be opened")
        elif kind == "receipt":
            self._told_at[digest(payload)] = self._world.scheduler.now
            if told.upto and not self.durable(name, told.upto, told.digest):
                self.alarm(f"{name} is told that all up to {told.upto} are safe, and they are not")
        elif kind == "verdict":
            if told.kept and not self.durable(name, told.seq, self._first(name, told.seq, told.digest)):
                self.alarm(f"{name} is told that record {told.seq} is safe, and it is not")
            if told.final and told.kept:
                self._final(name, told)

    def acknowledged(self, topic: str, payload: bytes) -> None:
        """A bridge tells the broker that it may forget a message: the ledger must have it (promise 2)."""
        _, _, _, name, kind = topic.split("/")
        if kind != "scan" or name not in self._peers or name in self.outlaws:
            return
        for table in ("scans", "quarantine", "conflicts"):
            if self._books.execute(f"SELECT 1 FROM {table} WHERE digest = ?", (digest(payload),)).fetchone():
                return
        self.alarm(f"a scan of {name} was acknowledged and is not in the ledger")

    def passed(self, topic: str, payload: bytes) -> None:
        """A message passes the broker: an attacker there has it from now on."""
        self._world.log("passes", topic, payload)
        self._world.hostile.overhears(topic, payload)
        _, _, _, name, kind = topic.split("/")
        if kind == "verdict":
            told = self._opened(name, kind, payload)
            if told is not None and told.final:
                self.delivered.add((name, told.seq))

    def held(self, name: str) -> int:
        """How many records the ledger has of a terminal."""
        return self._books.execute("SELECT count(*) FROM scans WHERE device = ?", (name,)).fetchone()[0]

    def records(self, name: str) -> int:
        """How many records the ledger has of a terminal, from the first on."""
        found = self._books.execute("SELECT upto FROM devices WHERE id = ?", (name,)).fetchone()
        return found[0] if found else 0

    def _first(self, name: str, seq: int, named: bytes) -> bytes:
        """What stands under a number of which these are the bytes, or others that are kept beside them."""
        found = self._books.execute(
            "SELECT scans.digest FROM conflicts JOIN scans USING (device, seq)"
            " WHERE device = ? AND seq = ? AND conflicts.digest = ?",
            (name, seq, named),
        ).fetchone()
        return found[0] if found else named

    def durable(self, name: str, upto: int, named: bytes | None) -> bool:
        """Whether the ledger holds every record up to `upto`, and that one as `named`: what is committed, no more."""
        found = self._books.execute(
            "SELECT count(*), max(CASE WHEN seq = ?2 THEN digest END) FROM scans WHERE device = ?1 AND seq <= ?2",
            (name, upto),
        ).fetchone()
        return found == (upto, named)


def _keys(terminal: Terminal) -> tuple[bytes, bytes]:
    """The bridge key that a terminal uses, and what it holds of one that is to come."""
    stored = terminal.raw_nvs.values
    return stored["bridge"], stored.get("bridge_next", b"")


def _kids(terminal: Terminal) -> frozenset[bytes]:
    """Of the bridge keys under which it may believe what it is told."""
    return frozenset(bridge_kid(key[:_POINT]) for key in _keys(terminal) if key)


def _result(reply: bytes | None) -> str | None:
    """What a reply says came of a command."""
    return None if reply is None else cbor2.loads(cbor2.loads(reply).value[2])[3]


def seq_of(message: bytes) -> int:
    """The number of a record."""
    return cbor2.loads(cbor2.loads(message).value[2])[2]
