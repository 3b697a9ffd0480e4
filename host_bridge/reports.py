"""What happened at a site in a period, for those who account for it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from host_bridge.errors import BadInput
from host_bridge.ledger import Connection, Ledger, periods
from host_bridge.ledger import register as rows
from host_bridge.ledger import reports as read
from host_bridge.ledger.periods import Scanned
from host_bridge.ledger.register import RegisterSale, Release
from host_bridge.ledger.sessions import INSURED, SELF_PAY, WORK_INJURY
from host_bridge.ledger.times import GIVEN
from host_bridge.wire import Operation, Outcome

PERIOD_MAX_MS = 400 * 86_400_000  # a year, with some days to spare


@dataclass(frozen=True, slots=True)
class Report:
    """Counts of records by today's verdict; of the period are those that were first decided in it.

    sales: by payer, then by outcome; a sale that was taken back since counts under taken_back alone.
    operations: every other kind, by outcome, "voided" where it was taken back since. parts: accepted sales of parts
    of opened boxes, by payer, which are among the sales too. unannounced: codes received though no delivery was open.
    late: how many came long after they were captured (late.py). times: how it is known when the period's records were
    captured: given by the terminal, or worked out.
    """

    site: str
    start: int  # ms UTC
    end: int  # ms UTC, not included
    sales: dict[str, dict[str, int]]
    taken_back: dict[str, int]
    operations: dict[str, dict[str, int]]
    parts: dict[str, int]
    register_sales: tuple[RegisterSale, ...]
    releases: tuple[Release, ...]
    unannounced: tuple[str, ...]
    times: dict[str, int]
    late: int

    @property
    def self_pay(self) -> int:
        """Accepted sales that the buyers paid for."""
        return self.sales[SELF_PAY].get("accepted", 0)

    @property
    def work_injury(self) -> int:
        """Accepted sales that the work-injury insurance pays for."""
        return self.sales[WORK_INJURY].get("accepted", 0)


def period(ledger: Ledger, site: str, start: int, end: int) -> Report:
    """The report of a site for `start` <= ms UTC < `end`. Raises BadInput where that is no period."""
    if not 0 < end - start <= PERIOD_MAX_MS:
        raise BadInput("period", f"must be above 0 and at most {PERIOD_MAX_MS} ms, not {end - start}")
    sales: dict[str, Counter[str]] = {payer: Counter() for payer in (INSURED, SELF_PAY, WORK_INJURY)}
    taken_back, parts, times = Counter[str](), Counter[str](), Counter[str]()
    operations: dict[str, Counter[str]] = {}
    received: list[Scanned] = []
    late = 0
    with ledger.read() as connection:
        for one in periods.of_site(connection, site, start, end):
            times[one.timed or GIVEN] += 1
            late += one.late
            payer, outcome = one.payer or INSURED, Outcome(one.outcome).name.lower()
            if one.operation == Operation.SALE:
                if one.voided:
                    taken_back[payer] += 1
                else:
                    sales[payer][outcome] += 1
                    parts[payer] += one.split and one.outcome == Outcome.ACCEPTED
                continue
            if one.operation:
                counter = operations.setdefault(Operation(one.operation).name.lower(), Counter())
                counter["voided" if one.voided else outcome] += 1
            if one.operation == Operation.RECEIVE and one.outcome == Outcome.ACCEPTED and not one.voided:
                received.append(one)
        return Report(
            site=site,
            start=start,
            end=end,
            sales={payer: dict(count) for payer, count in sales.items()},
            taken_back=dict(taken_back),
            operations={name: dict(count) for name, count in operations.items()},
            parts=dict(+parts),
            register_sales=tuple(rows.sales(connection, site, start, end)),
            releases=tuple(rows.released(connection, site, start, end)),
            unannounced=_unannounced(connection, site, received, start, end),
            times=dict(times),
            late=late,
        )


def _unannounced(
    connection: Connection, site: str, received: Iterable[Scanned], start: int, end: int
) -> tuple[str, ...]:
    """Codes whose receipt stands on no delivery that was open when it was decided."""
    scanned = [(one.code, one.decided_at) for one in received if one.code]
    times: dict[str, list[tuple[int, int | None]]] = {}
    for code, opened, closed in read.on_deliveries(connection, site, [code for code, _ in scanned], start, end):
        times.setdefault(code, []).append((opened, closed))
    return tuple(
        dict.fromkeys(
            code
            for code, at in scanned
            if not any(opened <= at and (closed is None or at <= closed) for opened, closed in times.get(code, ()))
        )
    )
