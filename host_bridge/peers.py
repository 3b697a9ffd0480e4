"""Bridges that share a ledger care for each other: verdicts that a dead one may have left unsaid are said again.

A verdict that is final at once is no row: it leaves with the commit. A bridge that dies in between takes it along, and
where another answers the device's next record meanwhile, that answer frees both, and the device asks for neither.
"""

import structlog

from host_bridge.admission import todays_verdict
from host_bridge.clock import Clock
from host_bridge.devices import Registry
from host_bridge.ledger import Ledger, bridges, devices, scans
from host_bridge.replies import Replies
from host_bridge.work import After

BEAT_S = 5.0
DEAD_MS = 15_000  # a bridge that was not at work for so long is dead, or hangs
_MARGIN_MS = 15_000  # what was decided so long before a bridge was last at work may not have left it

_log = structlog.get_logger("scanlatch.peers")


class Peers:
    """One bridge's care for the others, and for its own earlier run. Its bridge's main thread calls it."""

    def __init__(self, ledger: Ledger, registry: Registry, replies: Replies, clock: Clock, name: str) -> None:
        self._ledger = ledger
        self._registry = registry
        self._replies = replies
        self._clock = clock
        self._name = name
        self._next = 0.0  # ticks
        self._started = False  # an earlier run of this bridge is cared for
        registry.peers_hold = frozenset()  # until they were looked at: else a key would be told of that another lacks
        self._said: dict[str, int] = {}  # bridge cared for since the last look: when it was last at work

    def look(self) -> None:
        """Say that this bridge is at work, and speak for those that are not; cheap where it is not time yet.

        For a bridge that is connected. Raises LedgerBusy.
        """
        if self._clock.ticks() < self._next:
            return
        now = self._clock.now()
        with self._ledger.read() as connection:
            known = bridges.every(connection)
            kids = bridges.kids(connection, now - DEAD_MS)
        ours = frozenset(one.kid for one in self._registry.agreements.all)
        self._registry.peers_hold = ours.intersection(*(held for name, held in kids.items() if name != self._name))
        earlier = None if self._started else known.get(self._name)
        dead = {name: at for name, at in known.items() if self._falls_to_us(name, known, now)}
        if dead:
            self._speak_for(dead)
        with self._ledger.write() as connection:
            for name, at in self._said.items():  # by now the broker has what was said
                bridges.forget(connection, name, at)
            # Killed at once again, the next run speaks for both: the earlier one's time stands until it was heard, a
            # moment later than it was, or who speaks for that run meanwhile would forget this one.
            bridges.seen(connection, self._name, now if earlier is None else earlier + 1, ours)
        self._said = {name: at for name, at in dead.items() if name != self._name}
        self._started = True
        self._next = self._clock.ticks() + BEAT_S

    def leave(self) -> None:
        """This bridge ends in order and leaves nothing unsaid. Raises LedgerBusy."""
        with self._ledger.write() as connection:
            bridges.forget(connection, self._name, self._clock.now())

    def _falls_to_us(self, name: str, known: dict[str, int], now: int) -> bool:
        """Whether a bridge is dead and this one the first of the living; an earlier run falls to the next run."""
        if name == self._name:
            return not self._started
        alive = {self._name, *(one for one, at in known.items() if now - at <= DEAD_MS)}
        return name not in alive and name not in self._said and self._name == min(alive)

    def _speak_for(self, dead: dict[str, int]) -> None:
        with self._ledger.read() as connection:
            pairs = bridges.decided_since(connection, min(dead.values()) - _MARGIN_MS)
            todays = scans.today(connection, pairs) if pairs else {}
            rows = {device: devices.get(connection, device) for device in {device for device, _ in pairs}}
        after = After()
        for today in todays.values():
            if row := rows[today.device]:
                after.verdicts.append((row, todays_verdict(today)))
        self._replies.send(after)
        _log.warning("spoke for a bridge that died", bridges=sorted(dead), verdicts=len(after.verdicts))
