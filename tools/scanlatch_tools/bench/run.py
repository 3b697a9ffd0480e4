"""One run of `scanlatch bench bridge`: echo, sales as fast as they go, sales at half that rate, the echo again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import sqlalchemy as sa

from host_bridge.ledger import open_ledger, outbox
from host_bridge.wire import Outcome
from scanlatch_tools.bench import fleet, ground, spent
from scanlatch_tools.bench.child import Child
from scanlatch_tools.bench.figures import Figure, Report, percentile
from scanlatch_tools.bench.ground import Ground
from scanlatch_tools.bench.ledgers import Database
from scanlatch_tools.bench.load import Load
from scanlatch_tools.bench.spent import Spent
from scanlatch_tools.texts import _

RATIO, BUDGET, EMPTY_S = 2.5, 3_600, 60.0  # times the echo's CPU; sales a second; after the last scan
P50_MS, P99_MS = 25.0, 100.0
# Records that a terminal has in flight. As the firmware drains after an outage: 16. Then 200 of them stand 3,200 deep
# before a bridge, later than its deadline, and each scan is told twice: "pending" and final. Sustained is what goes on
# without such a queue.
WINDOW = 4
_GUESS = 4_000  # sales with which the rate is guessed, and all parts get warm
_ROOM = 1.8  # records sealed over what the guess asks for
_LEAD_S = 2.0  # before rates are counted
_ECHO_PART = 0.25  # of the time, before and after
_HALF_PART = 0.5
_POLL_S = 0.05
_US, _MS = 1_000_000, 1_000
_DONE = sa.text("SELECT count(*) FROM outbox WHERE state = 'done'")
_SOLD = sa.text(
    "SELECT count(*) FROM scans LEFT JOIN verdicts ON verdicts.device = scans.device AND verdicts.seq = scans.seq"
    " WHERE coalesce(verdicts.outcome, scans.outcome) = :accepted"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run: terminals, how long sales are sustained, bridges that share them, where a profile goes."""

    devices: int
    seconds: float
    bridges: int = 1
    profile: Path | None = None
    window: int = WINDOW


@dataclass(frozen=True, slots=True)
class Echoed:
    """Messages that an echo gave back, the seconds they took, and those of its CPU."""

    sent: int
    seconds: float
    cpu: float


@dataclass(slots=True)
class Run:
    """What was measured. `spent` is that of the sustained sales until the outbox was empty."""

    plan: Plan
    ledger: str
    version: str
    sustained: Load
    half: Load
    spent: Spent
    echoes: list[Echoed]
    empty_s: float | None  # None: not within EMPTY_S
    settled: int  # submissions that the platform answered, of `sold`
    accepted: int
    sold: int  # all sales sent, the first ones included

    @property
    def scan_us(self) -> float:
        """CPU of the bridges a scan: intake, ledger, rules, verdicts, MQTT."""
        return _US * self.spent.scans / self.sustained.sent

    @property
    def echo_us(self) -> float:
        """CPU of the echo a message, before and after."""
        return _US * sum(one.cpu for one in self.echoes) / sum(one.sent for one in self.echoes)

    @property
    def echo_per_s(self) -> float:
        """Messages that the echo gave back a second."""
        return sum(one.sent for one in self.echoes) / sum(one.seconds for one in self.echoes)

    @property
    def whole(self) -> bool:
        """Whether every sale that was sent is settled, and accepted in the ledger."""
        return self.settled == self.accepted == self.sold

    def as_dict(self) -> dict[str, object]:
        """For --json. Times ending in _us are microseconds of CPU a scan where nothing else is said."""
        each = _US / self.sustained.sent
        took = [_MS * one for one in self.half.took_final]
        return {
            "ledger": self.ledger,
            "scans_per_s": round(self.sustained.per_s, 1),
            "cpu_us_per_scan": round(self.scan_us, 1),
            "echo_cpu_us": round(self.echo_us, 1),
            "cpu_ratio_to_echo": round(self.scan_us / self.echo_us, 2),
            "cpu_us_per_platform_call": round(_US * self.spent.settlement / max(1.0, self.spent.calls), 1),
            "settled": self.settled,
            "generator_cpu_us": round(each * self.sustained.cpu, 1),
            "p50_ms": round(percentile(took, 50), 1),
            "p99_ms": round(percentile(took, 99), 1),
            "sold": self.sold,
            "accepted": self.accepted,
            "outbox_empty_s": None if self.empty_s is None else round(self.empty_s, 2),
            "seconds": self.plan.seconds,
            "devices": self.plan.devices,
            "window": self.plan.window,
            "bridges": self.plan.bridges,
            "half_rate_per_s": round(self.half.rate or 0.0, 1),
            "half_scans": self.half.sent,
            "half_pending": self.half.pending,
            "sustained_pending": self.sustained.pending,
            "verdict_cpu_us": round(each * self.spent.verdicts, 1),
            "settlement_cpu_us": round(each * self.spent.settlement, 1),
            "scans_per_platform_call": round(self.sustained.sent / max(1.0, self.spent.calls), 1),
            "broker_cpu_us": round(each * self.spent.broker, 1),
            "platform_cpu_us": round(each * self.spent.platform, 1),
            "ledger_server_cpu_us": round(each * self.spent.server, 1),
            "echo_per_s": round(self.echo_per_s, 1),
            "version": self.version,
            "profiled": self.plan.profile is not None,
        }

    def tell(self, report: Report) -> None:
        """Put the figures that have budgets, and those that explain them, into a report."""
        told, name = (
            self.as_dict(),
            self.ledger if self.plan.bridges == 1 else f"{self.ledger}, {self.plan.bridges} bridges",
        )

        def add(what: str, key: str, unit: str, budget: float | None = None, at_least: bool = False) -> None:
            value = told[key]
            if isinstance(value, int | float):
                report.add(Figure(f"{name}: {what}", value, unit, budget, at_least))

        add(f"sales a second over {self.plan.seconds:g} s", "scans_per_s", "1/s", BUDGET, at_least=True)
        add("bridge CPU a scan, verdict included", "cpu_us_per_scan", "µs")
        add("CPU of a bare echo", "echo_cpu_us", "µs")
        add("bridge CPU a scan over the echo", "cpu_ratio_to_echo", "times", RATIO)
        add("settlement CPU a platform call", "cpu_us_per_platform_call", "µs")
        add(f"settled of {self.sold}", "settled", "sales", self.sold, at_least=True)
        add("outbox empty after the last answer", "outbox_empty_s", "s", EMPTY_S)
        add("scan to verdict at half that rate, p50", "p50_ms", "ms", P50_MS)
        add("scan to verdict at half that rate, p99", "p99_ms", "ms", P99_MS)
        add("CPU of the broker a scan", "broker_cpu_us", "µs")
        add("CPU of the ledger's server a scan", "ledger_server_cpu_us", "µs")
        add("CPU of the platform's stand-in a scan, not counted", "platform_cpu_us", "µs")
        add("CPU of the load generator a scan, not counted", "generator_cpu_us", "µs")
        if self.empty_s is None:
            report.not_run.append(f"{name}: the outbox was not empty within {EMPTY_S:g} s")


def run(folder: Path, database: Database, plan: Plan, report: Report) -> Run:
    """Measure one kind of ledger; its figures go into `report` too. Raises ToolError where answers stop coming."""
    with ground.laid_out(folder, plan.devices, database, plan.bridges) as place:
        cold, warm = (place.sealed(fleet.SALE, _guess_size(plan)) for _ in range(2))
        report.say(_("{database}: a bare echo").format(database=database.name))
        echoes = [_echoed(place, cold, plan)]
        with place.bridges(plan.profile) as bridges:
            guess = _guessed(place, cold, warm, plan.window)
            sustained, took, empty_s = _sustained(place, bridges, guess, plan, report)
            half = _at_half(place, sustained, plan, report)
            drained(place, EMPTY_S)
        report.say(_("{database}: the echo again").format(database=database.name))
        echoes.append(_echoed(place, cold, plan))
        settled, accepted = _counted(place)
        version = database.version()
    sold = sum(len(records) for load in (cold, warm) for records in load.values()) + sustained.sent + half.sent
    found = Run(plan, database.name, version, sustained, half, took, echoes, empty_s, settled, accepted, sold)
    found.tell(report)
    return found


def drained(place: Ground, within_s: float) -> float | None:
    """Wait until no submission is open; the seconds it took, None where that was too long."""
    began = monotonic()
    ledger = open_ledger(place.site.ledger_url)
    try:
        while True:
            with ledger.read() as connection:
                left = outbox.open_count(connection)
            if not left:
                return monotonic() - began
            if monotonic() - began > within_s:
                return None
            sleep(_POLL_S)
    finally:
        ledger.close()


def _echoed(place: Ground, records: dict[str, list[bytes]], plan: Plan) -> Echoed:
    """A load on the echo: the same records again and again, for it reads none."""
    with place.echo() as echo:
        place.terminals.run(Load(records, plan.window))  # and until it is warm
        before, began, sent, took = echo.cpu()["all"], monotonic(), 0, 0.0
        while not sent or monotonic() - began < plan.seconds * _ECHO_PART:
            load = Load(records, plan.window)
            place.terminals.run(load)
            sent, took = sent + load.sent, took + load.ended - load.began
        return Echoed(sent, took, echo.cpu()["all"] - before)


def _guess_size(plan: Plan) -> int:
    return max(plan.devices, min(_GUESS, int(1_000 * plan.seconds)))


def _guessed(place: Ground, cold: dict[str, list[bytes]], warm: dict[str, list[bytes]], window: int) -> float:
    """Sales a second, by a few."""
    place.terminals.run(Load(cold, window))
    drained(place, EMPTY_S)
    load = Load(warm, window)
    place.terminals.run(load)
    drained(place, EMPTY_S)
    return load.per_s


def _sustained(
    place: Ground, bridges: Sequence[Child], guess: float, plan: Plan, report: Report
) -> tuple[Load, Spent, float | None]:
    lead_s = min(_LEAD_S, plan.seconds)
    count = max(plan.devices, int(guess * _ROOM * (lead_s + plan.seconds)))
    report.say(_("{name}: sealing {count:,} sales").format(name=place.database.name, count=count))
    load = Load(place.sealed(fleet.SALE, count), plan.window, plan.seconds, lead_s)
    report.say(
        _("{name}: selling for {lead_s:.1f} s, as fast as it goes").format(
            name=place.database.name, lead_s=lead_s + plan.seconds
        )
    )
    before = spent.by_now(place, bridges)
    place.terminals.run(load)
    empty_s = drained(place, EMPTY_S)
    return load, spent.by_now(place, bridges) - before, empty_s


def half(per_s: float) -> float:
    """Half a rate; one a second where a busy machine answered nothing in a short time."""
    return per_s / 2 or 1.0


def _at_half(place: Ground, sustained: Load, plan: Plan, report: Report) -> Load:
    """Sales at half the rate: those first that were sealed and never sent, for each follows the one before it."""
    rate = half(sustained.per_s)
    each = max(1, int(rate * plan.seconds * _HALF_PART / plan.devices))
    fresh = place.sealed(fleet.SALE, each * plan.devices, sustained.left)
    load = Load(fresh, plan.window, rate=rate)
    report.say(
        _("{name}: selling {each:,} at {rate:,.0f} a second").format(
            name=place.database.name, each=each * plan.devices, rate=rate
        )
    )
    place.terminals.run(load, final=True)
    return load


def _counted(place: Ground) -> tuple[int, int]:
    """Submissions that are settled, and scans that are accepted, by the ledger."""
    ledger = open_ledger(place.site.ledger_url)
    with ledger.read() as connection:
        settled = connection.scalar(_DONE) or 0
        accepted = connection.scalar(_SOLD, {"accepted": int(Outcome.ACCEPTED)}) or 0
    ledger.close()
    return settled, accepted
