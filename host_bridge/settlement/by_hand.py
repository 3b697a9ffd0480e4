"""Submissions taken in hand: what is open, what is stuck, kept back and put in again by a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from host_bridge.errors import PermanentError
from host_bridge.ledger import Connection, Ledger, devices, outbox
from host_bridge.ledger.outbox import CANCELLED, DONE, HELD, PARKED, SENDING, UNKNOWN, WAITING, OutboxRow
from host_bridge.settlement.outbox import LEASE_MS, ROUND_S, STUCK_FROM
from host_bridge.texts import text

REASON_LENGTH = 200  # characters of a reason
_TAKEN_UP_S = LEASE_MS / 1000 + ROUND_S


class NotInHand(PermanentError):  # noqa: N818
    """A submission cannot be held or retried as it is now."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(text("{where}: {detail}", where=key, detail=why))
        self.key = key
        self.why = why


@dataclass(frozen=True, slots=True)
class Entry:
    """One submission without an answer, as a person wants to see it."""

    row: OutboxRow
    age_s: int
    stuck: bool  # tried STUCK_FROM times or more
    after: str | None  # key of the submission that has to be answered first


def listed(ledger: Ledger, now: int, limit: int, *, only_stuck: bool = False) -> tuple[int, list[Entry]]:
    """How many submissions have no answer, and the oldest of them; or those that are stuck or held by hand."""
    with ledger.read() as connection:
        count = outbox.open_count(connection)
        rows = outbox.unsettled(connection, limit, STUCK_FROM if only_stuck else 0)
        after = _awaited(connection, rows)
    return count, [
        Entry(row, max(0, now - row.made_at) // 1000, row.attempts >= STUCK_FROM, after.get(row.key)) for row in rows
    ]


def hold(ledger: Ledger, keys: Sequence[str], reason: str) -> None:
    """Keep submissions out of the queue until `retry`; what comes after them for the same code waits too.

    Raises NotInHand where one has an answer, is being sent, or waits for another; then none is held.
    """
    if not reason.strip() or len(reason) > REASON_LENGTH or not reason.isprintable():
        raise PermanentError(
            text("a reason is needed, one line of 1 to {reason_length} characters", reason_length=REASON_LENGTH)
        )
    with ledger.write() as connection:
        rows, roots = _in_hand(connection, keys)
        for key in keys:
            if roots[key] is not rows[key]:
                raise NotInHand(
                    key,
                    text("waits for the answer to {key}: hold that one, and this waits with it", key=roots[key].key),
                )
            rows[key].state, rows[key].detail = PARKED, reason.strip()
        outbox.settle(connection, [rows[key] for key in keys])


def retry(ledger: Ledger, keys: Sequence[str]) -> dict[str, str]:
    """Put submissions first in the queue. What the platform may have taken is asked about before it is sent.

    For one that waits for another's answer, that other is put first. Gives what still waits, by key: the key of the
    submission whose turn it is.

    Raises NotInHand where one has an answer, or it or what it waits for is being sent; then none is changed.
    """
    with ledger.write() as connection:
        rows, roots = _in_hand(connection, keys)
        for key in keys:
            root = roots[key]
            if root.state == PARKED and root is not rows[key]:
                raise NotInHand(
                    key, text("waits for the answer to {key}, which is held by hand: retry that one", key=root.key)
                )
            if root.state in (PARKED, HELD):
                root.state, root.detail = (UNKNOWN if root.attempts else WAITING), None
            root.next_at = 0
        outbox.settle(connection, list(roots.values()))
        return _awaited(connection, [rows[key] for key in keys])


def _in_hand(connection: Connection, keys: Sequence[str]) -> tuple[dict[str, OutboxRow], dict[str, OutboxRow]]:
    """Rows by key, locked, and for each of `keys` the row that can be driven: itself, or what it waits for."""
    found = _with_awaited(connection, keys)
    devices.lock(connection, {row.device for row in found})  # first, as everywhere
    rows = outbox.lock(connection, [row.key for row in found])
    roots: dict[str, OutboxRow] = {}
    for key in keys:
        if key not in rows:
            raise NotInHand(key, text("no such submission; `scanlatch bridge outbox list` shows all without an answer"))
        if rows[key].state in (DONE, CANCELLED):
            raise NotInHand(key, text("is settled"))
        root = roots[key] = _root(rows, rows[key])
        if root.state == SENDING:
            why = text(
                "is being sent by {bridge}; try again in a moment. Where that bridge died, another takes it up within "
                "{seconds:.0f} s, or it does itself when it is started again",
                bridge=root.claimed_by, seconds=_TAKEN_UP_S,
            )  # fmt: skip
            if root is not rows[key]:
                why = text("waits for the answer to {key}, which {why}", key=root.key, why=why)
            raise NotInHand(key, why)
    return rows, roots


def _root(rows: Mapping[str, OutboxRow], row: OutboxRow) -> OutboxRow:
    """What has to be answered before a held row can go; itself where nothing is left to wait for."""
    while row.state == HELD:
        awaited = rows.get(row.reverses or "")
        if awaited is None or awaited.state in (DONE, CANCELLED):
            break
        row = awaited
    return row


def _with_awaited(connection: Connection, keys: Sequence[str]) -> list[OutboxRow]:
    """These rows, and all that they wait for; unlocked."""
    wanted: dict[str, OutboxRow] = {}
    front = list(keys)
    while front:
        found = outbox.some(connection, front)
        wanted.update({one.key: one for one in found})
        front = [one.reverses for one in found if one.state == HELD and one.reverses and one.reverses not in wanted]
    return list(wanted.values())


def _awaited(connection: Connection, rows: Sequence[OutboxRow]) -> dict[str, str]:
    """By key, what each of these waits for that is not its code's next."""
    after = outbox.ahead_of(connection, [row.key for row in rows]) if rows else {}
    return after | {row.key: row.reverses for row in rows if row.state == HELD and row.reverses}
