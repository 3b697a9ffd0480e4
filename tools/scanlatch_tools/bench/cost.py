"""What a scan costs the bridge in CPU, against a bare echo in the same run; what a call of the platform costs."""

from dataclasses import dataclass
from pathlib import Path

from scanlatch_tools.bench import fleet, ground, run, spent
from scanlatch_tools.bench.child import Child
from scanlatch_tools.bench.figures import Figure, Report, middle
from scanlatch_tools.bench.load import Load
from scanlatch_tools.bench.spent import Spent
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _

BUDGET = run.RATIO
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
    sale: float  # a sale with its verdict, the platform's part apart
    settling: float  # the platform's part, a sale
    call: float  # the same, a call


def measure(folder: Path, report: Report, size: Size) -> None:
    """Run `size.rounds` rounds of echo, local scans and sales; medians are reported."""
    rounds: list[_Round] = []
    with ground.laid_out(folder, size.terminals) as place:
        for number in range(size.rounds):
            rounds.append(_one_round(place, size))
            one = rounds[-1]
            report.say(
                _("CPU, round {number}: echo {echo:.0f} µs, scan {local:.0f}, sale {sale:.0f}").format(
                    number=number + 1, echo=one.echo, local=one.local, sale=one.sale
                )
            )
    echo = middle(one.echo for one in rounds)
    report.add(
        Figure("CPU of a bare echo", echo, "µs"),
        Figure("bridge CPU a scan, decided here", middle(one.local for one in rounds), "µs"),
        Figure("scan decided here over the echo", middle(one.local / one.echo for one in rounds), "times", BUDGET),
        Figure("bridge CPU a sale, settlement apart", middle(one.sale for one in rounds), "µs"),
        Figure("sale, settlement apart, over the echo", middle(one.sale / one.echo for one in rounds), "times", BUDGET),
        Figure("settlement CPU a sale", middle(one.settling for one in rounds), "µs"),
        Figure("settlement CPU a platform call", middle(one.call for one in rounds), "µs"),
    )


def _one_round(place: ground.Ground, size: Size) -> _Round:
    sales = place.sealed(fleet.SALE, size.records)
    with place.echo() as echo:
        before = echo.cpu()["all"]
        place.terminals.run(Load(sales, size.window))  # the echo answers what it can't read
        bare = echo.cpu()["all"] - before
    locals_ = place.sealed(fleet.RECEIVE, size.records)
    with place.bridges() as bridges:
        sold = _driven(place, bridges, Load(sales, size.window))
        here = _driven(place, bridges, Load(locals_, size.window))
    each = _US / size.records
    call = sold.settlement * _US / max(1.0, sold.calls)
    return _Round(bare * each, here.scans * each, sold.scans * each, sold.settlement * each, call)


def _driven(place: ground.Ground, bridges: list[Child], load: Load) -> Spent:
    before = spent.by_now(place, bridges)
    place.terminals.run(load)
    if run.drained(place, run.EMPTY_S) is None:
        raise ToolError(_("not all submissions were settled within {empty_s:.0f} s").format(empty_s=run.EMPTY_S))
    return spent.by_now(place, bridges) - before
