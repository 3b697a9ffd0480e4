"""Signed verdicts, receipts and commands out; what must arrive is followed until the broker has it."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from host_bridge import metrics
from host_bridge.clock import Clock
from host_bridge.devices import Registry
from host_bridge.ledger import Connection, commands, verdicts
from host_bridge.ledger.commands import CommandRow
from host_bridge.ledger.devices import DeviceRow
from host_bridge.ledger.verdicts import Final
from host_bridge.wire import (
    Command,
    Outcome,
    Reason,
    Receipt,
    UnsaidReason,
    Verdict,
    seal_command,
    seal_receipt,
    seal_verdict,
)
from host_bridge.work import After, ReceiptDue

MISSED_LIMIT = 10_000  # what could not be published is known of so many; the rest is published by its age
_FINAL, _COMMAND = "final", "command"
_Followed = tuple[str, str, int]  # what, device, seq or counter
Done = Callable[[bool], None]  # told whether the broker took the message
_Seal = Callable[[bytes, bytes], bytes]  # MAC key, kid


class Outlet(Protocol):
    """Where messages leave: the broker, or a simulation's."""

    def publish(self, topic: str, payload: bytes, done: Done | None) -> bool:
        """Hand over one message at QoS 1; `done` once the broker has answered. False: not taken, try later."""
        ...


class Replies:
    """Seals and publishes. Safe to use from several threads."""

    def __init__(self, outlet: Outlet, registry: Registry, clock: Clock) -> None:
        self._outlet = outlet
        self._registry = registry
        self._clock = clock
        self._followed: set[_Followed] = set()
        self._missed: set[_Followed] = set()
        self._acknowledged: deque[_Followed] = deque()

    def send(self, after: After, *, again: bool = False) -> None:
        """Publish all that a committed transaction left to be said; nothing is signed for one that is out.

        `again`: rows that were left over, whoever made them.
        """
        for row, verdict in after.verdicts:
            self._verdict(row, verdict, None)
        for row, final in after.finals:
            self._final(row, final, again)
        for row, receipt in after.receipts:
            self._receipt(row, receipt)
        for row, command in after.commands:
            self.command(row, command)
        for row, command, kid in after.under:
            self.command(row, command, kid)

    def _final(self, row: DeviceRow, final: Final, again: bool) -> None:
        """Publish a final verdict that is a row; it stays due until the broker has it."""
        followed = _FINAL, final.device, final.seq
        if followed in self._followed:
            return
        verdict = Verdict(
            final.seq,
            final.digest,
            Outcome(final.outcome),
            final.reason,
            final.decided_at,
            final=True,
            kept=True,
            text=final.text,
        )
        if self._verdict(row, verdict, followed):
            self._missed.discard(followed)
        elif not again and len(self._missed) < MISSED_LIMIT:
            self._missed.add(followed)

    def command(self, row: DeviceRow, command: CommandRow, kid: str | None = None) -> None:
        """Publish a command, under the bridge key `kid` where that is given; its counter is stored already."""
        followed = _COMMAND, command.device, command.counter
        if followed in self._followed:
            return
        value = Command(command.counter, command.name, command.arguments, command.not_after)
        self._publish(row, "command", partial(seal_command, value), followed, kid)

    def acknowledged(self, connection: Connection) -> None:
        """Write down, in the transaction at hand, what the broker has acknowledged since."""
        done: list[_Followed] = []
        while self._acknowledged:
            done.append(self._acknowledged.popleft())
        verdicts.acknowledged(connection, _of(done, _FINAL))
        commands.acknowledged(connection, _of(done, _COMMAND))
        self._followed.difference_update(done)

    def missed(self, final: Final) -> bool:
        """Whether this bridge made it and could not publish it."""
        return (_FINAL, final.device, final.seq) in self._missed

    @property
    def has_acknowledged(self) -> bool:
        """True where `acknowledged` has something to write."""
        return bool(self._acknowledged)

    def _verdict(self, row: DeviceRow, verdict: Verdict, followed: _Followed | None) -> bool:
        if verdict.reason == UnsaidReason.DEVICE_REVOKED:  # its terminal was let in again
            verdict = replace(verdict, reason=Reason.DEVICE_SUSPENDED)
        return self._publish(row, "verdict", partial(seal_verdict, verdict), followed)

    def _receipt(self, row: DeviceRow, due: ReceiptDue) -> None:
        receipt = Receipt(due.upto, due.digest, self._clock.now(), due.head)
        self._publish(row, "receipt", partial(seal_receipt, receipt), None)

    def _publish(
        self, row: DeviceRow, kind: str, sealed: _Seal, followed: _Followed | None, kid: str | None = None
    ) -> bool:
        """Under the bridge key that the device uses, or `kid`. False: not taken, or that key is not held here."""
        if row.is_out:
            return True
        keys = self._registry.keys_of(row)
        kid = kid or keys.kid
        if kid is None or kid not in keys.shared:
            metrics.not_published.labels(kind).inc()
            return False
        message = sealed(keys.shared[kid].mac, bytes.fromhex(kid))
        done = None if followed is None else self._follow(followed)
        taken = self._outlet.publish(f"scanlatch/v1/{row.speaks_at}/{row.id}/{kind}", message, done)
        if not taken and followed is not None:
            self._followed.discard(followed)
        (metrics.published if taken else metrics.not_published).labels(kind).inc()
        return taken

    def _follow(self, followed: _Followed) -> Done:
        self._followed.add(followed)

        def done(taken: bool) -> None:
            if taken:
                self._acknowledged.append(followed)
            else:  # a row that is due, as before it was tried
                self._followed.discard(followed)

        return done


def _of(followed: Sequence[_Followed], what: str) -> list[tuple[str, int]]:
    """In one order, that bridges which write down the same do not wait for each other in a circle."""
    return sorted((device, number) for kind, device, number in followed if kind == what)
