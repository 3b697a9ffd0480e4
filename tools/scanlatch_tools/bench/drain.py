"""`scanlatch bench drain`: full rings after an outage, and how soon a scan elsewhere is answered meanwhile."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import sqlalchemy as sa

from host_bridge.ledger import open_ledger
from scanlatch_tools import enrol
from scanlatch_tools.bench import fleet, ground
from scanlatch_tools.bench.figures import Figure, Report, percentile
from scanlatch_tools.bench.ground import Ground
from scanlatch_tools.bench.ledgers import Database
from scanlatch_tools.bench.load import Load
from scanlatch_tools.errors import ToolError
from scanlatch_tools.site import Site
from scanlatch_tools.texts import _
from scanlatch_tools.twin import ring
from scanlatch_tools.twin.device import Twin, twin_board
from scanlatch_tools.twin.engines import simulator

LIVE_MS = 1_000.0  # within which a scan at any other terminal is answered
WINDOW = 8  # records that a draining terminal is ahead of what the bridge has safe: firmware, send/resend.py
RING = 10_000  # more than it holds
OUTAGE_MS = 10 * 86_400_000
_AT = "clinic-7"
_ALONE, _AMONG = "d-twin-alone", "d-twin-among"  # terminals with the real firmware
_TWIN_CODES = 900_000_000  # numbers of their codes begin here
_WAIT_S = 300.0
_POLL_S = 0.2
_MS = 1_000
_ARRIVED = sa.text(
    "SELECT count(*), min(received_at), max(received_at) FROM scans WHERE device = :device AND outcome IS NOT NULL"
)
_ORDER = sa.text("SELECT device, received_at FROM scans ORDER BY device, seq")


@dataclass(frozen=True, slots=True)
class Plan:
    """Terminals that drain, how many records each; terminals in use meanwhile, scans a second of them together."""

    terminals: int = 20
    records: int = 3_000
    live: int = 5
    live_per_s: float = 10.0
    window: int = WINDOW
    ring: int = RING  # records in a twin's ring, or as many as it holds


@dataclass(frozen=True, slots=True)
class Drained:
    """A twin's ring: records, and the seconds from the first one's arrival in the ledger to the last one's."""

    records: int
    seconds: float

    @property
    def per_s(self) -> float:
        """Records a second."""
        return self.records / max(self.seconds, 1e-3)


@dataclass(slots=True)
class Run:
    """What was measured."""

    plan: Plan
    ledger: str
    version: str
    flood: Load
    live: Load
    alone: Drained
    among: Drained

    def as_dict(self) -> dict[str, object]:
        """For --json."""
        first, final = ([_MS * one for one in took] for took in (self.live.took, self.live.took_final))
        return {
            "ledger": self.ledger,
            "version": self.version,
            "terminals": self.plan.terminals,
            "records": self.plan.records,
            "window": self.plan.window,
            "ring_records": self.alone.records,
            "twin_per_s": round(self.alone.per_s, 1),
            "twin_s": round(self.alone.seconds, 1),
            "fleet_per_s": round(self.flood.per_s, 1),
            "fleet_s": round(self.flood.ended - self.flood.began, 1),
            "twin_among_per_s": round(self.among.per_s, 1),
            "live_terminals": self.plan.live,
            "live_scans": self.live.sent,
            "live_p50_ms": round(percentile(first, 50), 1),
            "live_p99_ms": round(percentile(first, 99), 1),
            "live_max_ms": round(max(first), 1),
            "live_final_p50_ms": round(percentile(final, 50), 1),
            "live_final_p99_ms": round(percentile(final, 99), 1),
            "live_final_max_ms": round(max(final), 1),
        }

    def tell(self, report: Report) -> None:
        """Put the figures into a report."""
        told = self.as_dict()

        def add(what: str, key: str, unit: str, budget: float | None = None) -> None:
            value = told[key]
            if isinstance(value, int | float):
                report.add(Figure(f"{self.ledger}: {what}", value, unit, budget))

        add("records in a terminal's full ring", "ring_records", "records")
        add("one terminal alone drains", "twin_per_s", "records/s")
        add(f"{self.plan.terminals} terminals drain", "fleet_per_s", "records/s")
        add("one more terminal among them", "twin_among_per_s", "records/s")
        add("scans elsewhere meanwhile", "live_scans", "scans")
        for which, name in (("p50", "p50"), ("p99", "p99"), ("max", "longest")):
            add(f"a live scan's first answer, {name}", f"live_{which}_ms", "ms", LIVE_MS)
        for which, name in (("p50", "p50"), ("p99", "p99"), ("max", "longest")):
            add(f"a live scan's final answer, {name}", f"live_final_{which}_ms", "ms")


def run(folder: Path, database: Database, plan: Plan, report: Report) -> Run:
    """Measure. Raises ToolError where answers stop coming, or a record came out of its order."""
    with ground.laid_out(folder, plan.terminals + plan.live, database) as place, place.bridges():
        report.say(_("{database}: filling the rings of two twins").format(database=database.name))
        (lone, many), (other, more) = _filled(place, plan)
        with lone:
            report.say(_("{database}: one terminal alone").format(database=database.name))
            lone.start()
            alone = _drained(place.site, _ALONE, many)
        report.say(
            _("{database}: sealing {terminals:,} records").format(
                database=database.name, terminals=plan.terminals * plan.records
            )
        )
        flood, live = _loads(place, plan)
        with other:
            report.say(
                _("{database}: {terminals} terminals at once, and one more").format(
                    database=database.name, terminals=plan.terminals
                )
            )
            other.start()
            place.terminals.run_beside(flood, live)
            among = _drained(place.site, _AMONG, more)
        _in_order(place.site)
        found = Run(plan, database.name, database.version(), flood, live, alone, among)
    found.tell(report)
    return found


def _filled(place: Ground, plan: Plan) -> list[tuple[Twin, int]]:
    """Two twins without power, and how many records each has in its ring."""
    found: list[tuple[Twin, int]] = []
    for number, device in enumerate((_ALONE, _AMONG)):
        engine = simulator("grow")
        twin = Twin(place.folder / device, simulator=engine)
        enrol.enrol(place.site.folder, twin, device, _AT, twin_board(engine))
        first = _TWIN_CODES + number * plan.ring
        codes = [fleet.code(one) for one in range(first, first + plan.ring)]
        found.append((twin, ring.fill(twin, codes, _now() - OUTAGE_MS, OUTAGE_MS // plan.ring)))
    return found


def _loads(place: Ground, plan: Plan) -> tuple[Load, Load]:
    """What drains, and what is scanned meanwhile: more than will be."""
    step = OUTAGE_MS // plan.records
    draining, people = place.devices[: plan.terminals], place.devices[plan.terminals :]

    def sealed(devices: Sequence[fleet.Device], count: int, ago: int, every: int) -> dict[str, list[bytes]]:
        return {
            one.name: [one.seal(fleet.SALE, fleet.code(next(place.codes)), ago - at * every) for at in range(count)]
            for one in devices
        }

    flood = Load(sealed(draining, plan.records, OUTAGE_MS, step), plan.window)
    more = int(plan.live_per_s * _WAIT_S / plan.live)
    turn = int(_MS * plan.live / plan.live_per_s)  # each says that it was read about when it will be sent
    live = Load(sealed(people, more, 0, turn), 1, rate=plan.live_per_s)
    return flood, live


def _drained(made: Site, device: str, records: int) -> Drained:
    """Wait until all of a twin's ring is in the ledger, and decided."""
    ledger = open_ledger(made.ledger_url)
    over = time.monotonic() + _WAIT_S
    try:
        while time.monotonic() < over:
            with ledger.read() as connection:
                count, first, last = connection.execute(_ARRIVED, {"device": device}).one()
            if count == records:
                return Drained(records, (last - first) / _MS)
            time.sleep(_POLL_S)
    finally:
        ledger.close()
    raise ToolError(_("{device} has not drained its ring within {wait_s:.0f} s").format(device=device, wait_s=_WAIT_S))


def _in_order(made: Site) -> None:
    ledger = open_ledger(made.ledger_url)
    with ledger.read() as connection:
        rows = connection.execute(_ORDER).all()
    ledger.close()
    for (device, at), (following, later) in pairwise(rows):
        if device == following and later < at:
            raise ToolError(_("a record of {device} came after a later one").format(device=device))


def _now() -> int:
    return time.time_ns() // 1_000_000
