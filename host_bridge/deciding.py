"""Decides records in the order of their turn, inside the transaction that admits them."""

from collections.abc import Sequence

from host_bridge import metrics, voids
from host_bridge.effects import Effects
from host_bridge.ledger import scans
from host_bridge.ledger.scans import Record
from host_bridge.rules import decide
from host_bridge.view import View
from host_bridge.wire import Operation
from host_bridge.work import Work


class Deciding:
    """Decides a batch of records: all that they need is read at once, all that follows is written at once."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._view: View | None = None

    def decide(self, records: Sequence[Record]) -> None:
        """Give each record its first verdict, in the order given, and write down what follows from them.

        The records themselves are for the caller to store.
        """
        if not records:
            return
        work = self._work
        view = self._view = View(work, records)
        effects = Effects(view)
        for record in records:
            code = view.code(record)
            target = view.target(view.target_of(record, code))
            known = view.known(record, code, target)
            if target is not None and record.operation == Operation.VOID:
                known.moved_on = voids.moved_on(view, target)
            decision = decide(known)
            record.outcome, record.reason, record.decided_at = int(decision.outcome), decision.reason, work.now
            metrics.verdicts.labels(decision.outcome.name.lower(), record.reason).inc()
            effects.follow(record, decision, code, target)
        effects.write()

    def store_voided(self) -> None:
        """Mark what was taken back, once all records of the batch are stored."""
        if self._view is not None:
            for (device, seq), by in self._view.voided.items():
                scans.set_voided(self._work.connection, device, seq, by)
