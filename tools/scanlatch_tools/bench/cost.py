"""What a scan costs the bridge in CPU, against a bare echo in the same run; what a call of the platform costs."""

from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from host_bridge.ledger import open_ledger, outbox
from scanlatch_tools.bench import fleet, ground
from scanlatch_tools.bench.child import Child
from scanlatch_tools.bench.figures import Figure, Report, middle
from scanlatch_tools.bench.load import Load
from scanlatch_tools.errors import ToolError

BUDGET = 2.5  # times the echo's
_DRAIN_S = 60.0
_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: terminals, records in each part of a round, rounds."""

    terminals: int
    records: int
    rounds: int
    window: int = 16  # records that a terminal has in flight, as the firmware's


@dataclass(frozen=True, slots=True)
class _Round:
    """Microseconds of CPU."""

    echo: float
    local: float  # a scan decided without the platform
    sale: float  # a sale up to the outbox
    settling: float  # the outbox, a sale
    call: float  # the same, a call


def measure(folder: Path, report: Report, size: Size) -> None:
    """Run `size.rounds` rounds of echo, local scans and sales; medians are reported."""
    rounds: list[_Round] = []
    with ground.laid_out(folder, size.terminals) as place:
        for number in range(size.rounds):
            rounds.append(_one_round(place, size))
            one = rounds[-1]
            report.say(f"CPU, round {number + 1}: echo {one.echo:.0f} µs, scan {one.local:.0f}, sale {one.sale:.0f}")
    echo = middle(one.echo for one in rounds)
    report.add(
        Figure("CPU of a bare echo", echo, "µs"),
        Figure("bridge CPU a scan, decided here", middle(one.local for one in rounds), "µs"),
        Figure("scan decided here over the echo", middle(one.local / one.echo for one in rounds), "times", BUDGET),
        Figure("bridge CPU a sale, settlement apart", middle(one.sale for one in rounds), "µs"),
        Figure("sale, settlement apart, over the echo", middle(one.sale / one.echo for one in rounds), "times", BUDGET),
        Figure("settlement CPU a sale, its verdict included", middle(one.settling for one in rounds), "µs"),
        Figure("settlement CPU a platform call", middle(one.call for one in rounds), "µs"),
    )


def _one_round(place: ground.Ground, size: Size) -> _Round:
    sales = place.sealed(fleet.SALE, size.records)
    with place.echo() as echo:
        bare, _, _ = _driven(place, echo, Load(sales, size.window))  # the echo answers what it can't read
    locals_ = place.sealed(fleet.RECEIVE, size.records)
    with place.bridge() as bridge:
        sold, settling, calls = _driven(place, bridge, Load(sales, size.window))
        here, _, _ = _driven(place, bridge, Load(locals_, size.window))
    each = _US / size.records
    return _Round(bare * each, here * each, sold * each, settling * each, settling * _US / max(1.0, calls))


def _driven(place: ground.Ground, child: Child, load: Load) -> tuple[float, float, float]:
    """CPU seconds that a load took of a process without its outbox, and of its outbox; its calls of the platform."""
    before = child.cpu()
    place.terminals.run(load)
    drained(place, _DRAIN_S)
    after = child.cpu()
    took = {name: after[name] - before.get(name, 0.0) for name in after}
    settling = took.get("outbox", 0.0)
    return took["all"] - settling, settling, took.get("calls", 0.0)


def drained(place: ground.Ground, within_s: float) -> float:
    """Wait until no submission is open; the seconds it took. Raises ToolError."""
    began = monotonic()
    ledger = open_ledger(place.site.ledger_url)
    try:
        while True:
            with ledger.read() as connection:
                left = outbox.open_count(connection)
            if not left:
                return monotonic() - began
            if monotonic() - began > within_s:
                raise ToolError(f"{left} submissions were not settled within {within_s:.0f} s")
            sleep(0.05)
    finally:
        ledger.close()
