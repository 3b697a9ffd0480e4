"""The parts of opened boxes that are dispensed: sales of their own, all of one code."""

from collections.abc import Iterable

import sqlalchemy as sa

from host_bridge.ledger.bulk import many
from host_bridge.ledger.chunks import select_many
from host_bridge.ledger.outbox import CANCELLED, HELD, SALE
from host_bridge.ledger.scans import Pair
from host_bridge.ledger.schema import IS_PART, outbox, scans, verdicts
from host_bridge.wire import Outcome

_STANDS = sa.func.coalesce(verdicts.c.outcome, scans.c.outcome).in_([int(Outcome.ACCEPTED), int(Outcome.PENDING)])
_PARTS = (
    sa.select(outbox.c.code, outbox.c.device, outbox.c.seq)
    .join(scans, sa.and_(scans.c.device == outbox.c.device, scans.c.seq == outbox.c.seq))
    .outerjoin(verdicts, sa.and_(verdicts.c.device == outbox.c.device, verdicts.c.seq == outbox.c.seq))
    .where(
        sa.text(IS_PART),
        outbox.c.code.in_(many("these")),
        outbox.c.kind == SALE,
        outbox.c.state.not_in([CANCELLED, HELD]),
    )
    .where(scans.c.voided_by.is_(None), _STANDS)
    .order_by(outbox.c.made_at, outbox.c.seq)
)


def dispensed(connection: sa.Connection, codes: Iterable[str]) -> dict[str, list[Pair]]:
    """By code, the sales of its parts that stand and that nothing is taking back, oldest first."""
    found: dict[str, list[Pair]] = {}
    for code, device, seq in select_many(connection, _PARTS, codes):
        found.setdefault(code, []).append((device, seq))
    return found
