"""`scanlatch bench`: measures each budget that this machine can, in one run; two of them at full size by themselves."""

import json
import tempfile
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from scanlatch_tools.bench import cost, drain, growth, latency, ledgers, machine, run, sustained
from scanlatch_tools.bench.cost import Size
from scanlatch_tools.bench.figures import Report
from scanlatch_tools.bench.run import Plan, Run
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _

_LEDGER = (100_000,)
_LEDGER_FULL = (100_000, 1_000_000)
_LEDGER_QUICK = (1_000, 10_000)
_SMALLEST = 100_000
_PROMISED = 100_000_000  # codes that the ledger's budget is about
_SALES = 20_000  # measured in a ledger of each size

app = typer.Typer(invoke_without_command=True)


class Only(Enum):
    """The parts."""

    LATENCY = "latency"
    CPU = "cpu"
    SUSTAINED = "sustained"
    LEDGER = "ledger"


class Kept(Enum):
    """Where the ledger is."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
    BOTH = "both"


Json = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]


@app.callback()
def all_parts(
    context: typer.Context,
    only: Annotated[Only | None, typer.Option(help="One part alone.")] = None,
    quick: Annotated[bool, typer.Option(help="A few scans each: shows that it runs, proves no budget.")] = False,
    full: Annotated[bool, typer.Option(help="A ledger of a million codes too; some minutes.")] = False,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long sales are sustained.")] = 10.0,
    as_json: Json = False,
) -> None:
    """Measure what is promised, on this machine, each figure beside its budget."""
    if context.invoked_subcommand is not None:
        return
    console = Console(stderr=as_json)
    report = _report(console)
    with tempfile.TemporaryDirectory(prefix="scanlatch-bench-") as temporary:
        for part, measure in _parts(quick, full, seconds).items():
            if only not in (None, part):
                continue
            if part in (Only.CPU, Only.SUSTAINED) and not latency.has_mosquitto():
                report.not_run.append(f"{part.value}: needs mosquitto, which is not installed")
                continue
            report.say(part.value)
            measure(Path(temporary) / part.value, report)
    if only in (None, Only.LEDGER):
        report.not_run.append(f"a ledger of {_PROMISED:,} codes, which the budget is about: too large for a bench")
        if not full and not quick:
            report.not_run.append(f"a ledger of {_LEDGER_FULL[-1]:,} codes, and so the cost's growth: --full")
    if quick:
        report.not_run.append("anything long enough to judge a budget by: run without --quick")
    if as_json:
        print(json.dumps(report.as_dict()))
    else:
        report.show(console)


@app.command("bridge")
def bridge_command(
    as_json: Json = False,
    ledger: Annotated[
        Kept, typer.Option(help="Where the ledger is; the first of both is told at the top.")
    ] = Kept.BOTH,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long sales are sustained.")] = 30.0,
    devices: Annotated[int, typer.Option(min=1, max=999, help="Terminals.")] = 200,
    bridges: Annotated[int, typer.Option(min=1, max=16, help="Bridges that share the load; for PostgreSQL.")] = 1,
    window: Annotated[int, typer.Option(min=1, help="Records that a terminal has in flight.")] = run.WINDOW,
    profile: Annotated[Path | None, typer.Option(help="Folder for a profile; such a run is slower.")] = None,
) -> None:
    """Sales of many terminals through broker, bridge, ledger and platform, beside a bare echo."""
    console = Console(stderr=as_json)
    report = _report(console)
    names = _ledgers(ledger, report)
    if bridges > 1 and ledgers.SQLITE in names:
        raise ToolError(_("several bridges need one ledger in PostgreSQL: --ledger postgresql"))
    if profile and profile.exists() and not profile.is_dir():
        raise ToolError(_("{folder} is no folder that takes a file from you").format(folder=profile))
    about = machine.described()
    runs: list[Run] = []
    for name in names:
        plan = Plan(devices, seconds, bridges, profile / name if profile else None, window)
        with tempfile.TemporaryDirectory(prefix="scanlatch-bench-") as folder, ledgers.opened(name) as database:
            runs.append(run.run(Path(folder), database, plan, report))
    report.show(console)
    if as_json:
        told = [one.as_dict() for one in runs]
        print(json.dumps({**told[0], "runs": told, "not_run": report.not_run, "machine": about}))
    broken = [f"{one.ledger}: of {one.sold} sales {one.accepted} accepted, {one.settled} settled" for one in runs
              if not one.whole]  # fmt: skip
    if broken:
        raise ToolError("; ".join(broken))


@app.command("ledger")
def ledger_command(
    as_json: Json = False,
    to: Annotated[
        int, typer.Option(min=_SMALLEST, help="Codes in the largest; fewer are filled in sooner.")
    ] = 10_000_000,
    ledger: Annotated[
        Kept, typer.Option(help="Where the ledger is; the first of both is told at the top.")
    ] = Kept.SQLITE,
    sales: Annotated[int, typer.Option(min=250, help="Sales measured in each.")] = _SALES,
) -> None:
    """What a sale costs in ledgers of 100,000 codes, of ten times as many, and so on."""
    console = Console(stderr=as_json)
    report = _report(console)
    about = machine.described()
    sizes = [to] if to == _SMALLEST else [*_decades(to), to]
    runs: list[dict[str, object]] = []
    for name in _ledgers(ledger, report):
        with tempfile.TemporaryDirectory(prefix="scanlatch-bench-") as folder, ledgers.opened(name) as database:
            grown = growth.measure(Path(folder), report, sizes, sales, database)
            runs.append(growth.as_dict(database, grown))
    if to < _PROMISED:
        report.not_run.append(f"a ledger of {_PROMISED:,} codes, which the budget is about")
    report.show(console)
    if as_json:
        print(json.dumps({**runs[0], "runs": runs, "not_run": report.not_run, "machine": about}))


@app.command("drain")
def drain_command(
    as_json: Json = False,
    ledger: Annotated[
        Kept, typer.Option(help="Where the ledger is; the first of both is told at the top.")
    ] = Kept.SQLITE,
    terminals: Annotated[int, typer.Option(min=1, max=990, help="Terminals that drain.")] = 20,
    records: Annotated[int, typer.Option(min=1, max=10_000, help="Records of each.")] = 3_000,
    ring: Annotated[int, typer.Option(min=1, help="Records of each twin, or as many as it holds.")] = drain.RING,
    window: Annotated[int, typer.Option(min=1, help="Records that each is ahead of its answers.")] = drain.WINDOW,
) -> None:
    """Full rings after ten days without a link, and how soon a scan at another terminal is answered meanwhile."""
    console = Console(stderr=as_json)
    report = _report(console)
    about = machine.described()
    runs: list[dict[str, object]] = []
    for name in _ledgers(ledger, report):
        plan = drain.Plan(terminals, records, window=window, ring=ring)
        with tempfile.TemporaryDirectory(prefix="scanlatch-bench-") as folder, ledgers.opened(name) as database:
            runs.append(drain.run(Path(folder), database, plan, report).as_dict())
    report.show(console)
    if as_json:
        print(json.dumps({**runs[0], "runs": runs, "not_run": report.not_run, "machine": about}))


def _report(console: Console) -> Report:
    return Report(lambda text: console.print(text, style="dim"))


def _ledgers(wanted: Kept, report: Report) -> list[str]:
    if wanted is not Kept.BOTH:
        return [wanted.value]
    if ledgers.has_postgresql():
        return [ledgers.SQLITE, ledgers.POSTGRESQL]
    report.not_run.append("a ledger in PostgreSQL, which is not installed")
    return [ledgers.SQLITE]


def _decades(to: int) -> list[int]:
    sizes: list[int] = []
    size = _SMALLEST
    while size < to:
        sizes.append(size)
        size *= 10
    return sizes


def _parts(quick: bool, full: bool, seconds: float) -> dict[Only, Callable[[Path, Report], None]]:
    scans = 3 if quick else 100
    size = Size(4, 100, 1) if quick else Size(64, 6_000, 3)
    sizes = _LEDGER_QUICK if quick else _LEDGER_FULL if full else _LEDGER

    def grow(folder: Path, report: Report) -> None:
        with ledgers.opened(ledgers.SQLITE) as database:
            growth.measure(folder, report, sizes, 500 if quick else 5_000, database)

    return {
        Only.LATENCY: lambda folder, report: latency.measure(folder, report, scans),
        Only.CPU: lambda folder, report: cost.measure(folder, report, size),
        Only.SUSTAINED: lambda folder, report: sustained.measure(
            folder, report, size.terminals, 0.3 if quick else seconds
        ),
        Only.LEDGER: grow,
    }
