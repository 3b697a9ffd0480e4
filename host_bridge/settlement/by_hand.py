"""Submissions taken in hand: what is open, what is stuck, kept back and put in again by a person."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from host_bridge.errors import PermanentError
from host_bridge.ledger import Connection, Ledger, outbox
from host_bridge.ledger.outbox import CANCELLED, DONE, HELD, PARKED, SENDING, UNKNOWN, WAITING, OutboxRow
from host_bridge.settlement.outbox import STUCK_FROM

REASON_LENGTH = 200  # characters of a reason


class NotInHand(PermanentError):  # noqa: N818
    """A submission cannot be held or retried as it is now."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"{key}: {why}")
        self.key = key
        self.why = why


@dataclass(frozen=True, slots=True)
class Entry:
    """One submission without an answer, as a person wants to see it."""

    row: OutboxRow
    age_s: int
    stuck: bool  # tried STUCK_FROM times or more


def listed(ledger: Ledger, now: int, limit: int, *, only_stuck: bool = False) -> tuple[int, list[Entry]]:
    """How many submissions have no answer, and the oldest of them; or those that are stuck or held by hand."""
    with ledger.read() as connection:
        count = outbox.open_count(connection)
        rows = outbox.unsettled(connection, limit, STUCK_FROM if only_stuck else 0)
    return count, [Entry(row, max(0, now - row.made_at) // 1000, row.attempts >= STUCK_FROM) for row in rows]


def hold(ledger: Ledger, keys: Sequence[str], reason: str) -> None:
    """Keep submissions out of the queue until `retry`; what comes after them for the same code waits too.

    Raises NotInHand where one has an answer, is being sent, or waits for another; then none is held.
    """
    if not reason.strip() or len(reason) > REASON_LENGTH or not reason.isprintable():
        raise PermanentError(f"a reason is needed, one line of 1 to {REASON_LENGTH} characters")

    def park(row: OutboxRow) -> None:
        row.state, row.detail = PARKED, reason.strip()

    _change(ledger, keys, park)


def retry(ledger: Ledger, keys: Sequence[str]) -> None:
    """Put submissions first in the queue. What the platform may have taken is asked about before it is sent.

    Raises NotInHand as `hold` does; then none is changed.
    """

    def put_back(row: OutboxRow) -> None:
        if row.state == PARKED:
            row.state, row.detail = (UNKNOWN if row.attempts else WAITING), None
        row.next_at = 0

    _change(ledger, keys, put_back)


def _change(ledger: Ledger, keys: Sequence[str], change: Callable[[OutboxRow], None]) -> None:
    with ledger.write() as connection:
        rows = _movable(connection, keys)
        for row in rows:
            change(row)
        outbox.settle(connection, rows)


def _movable(connection: Connection, keys: Sequence[str]) -> list[OutboxRow]:
    found = outbox.lock(connection, keys)
    for key in keys:
        if key not in found:
            raise NotInHand(key, "no such submission; `scanlatch bridge outbox list` shows all without an answer")
        row = found[key]
        if row.state in (DONE, CANCELLED):
            raise NotInHand(key, "is settled")
        if row.state == SENDING:
            raise NotInHand(key, f"is being sent by {row.claimed_by}; try again in a moment")
        if row.state == HELD:
            raise NotInHand(key, f"waits for the answer to its sale {row.reverses}: take that one in hand")
    return list(found.values())
