"""`scanlatch bench`: measures each budget that this machine can, in one run."""

import json
import tempfile
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from scanlatch_tools.bench import cost, growth, latency, sustained
from scanlatch_tools.bench.cost import Size
from scanlatch_tools.bench.figures import Report

_LEDGER = (100_000,)
_LEDGER_FULL = (100_000, 1_000_000)
_LEDGER_QUICK = (1_000, 10_000)
_PROMISED = 100_000_000  # codes that the ledger's budget is about


class Only(Enum):
    """The parts."""

    LATENCY = "latency"
    CPU = "cpu"
    SUSTAINED = "sustained"
    LEDGER = "ledger"


def app(
    only: Annotated[Only | None, typer.Option(help="One part alone.")] = None,
    quick: Annotated[bool, typer.Option(help="A few scans each: shows that it runs, proves no budget.")] = False,
    full: Annotated[bool, typer.Option(help="A ledger of a million codes too; some minutes.")] = False,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long sales are sustained.")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Measure what is promised, on this machine, each figure beside its budget."""
    console = Console(stderr=as_json)
    report = Report(lambda text: console.print(text, style="dim"))
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


def _parts(quick: bool, full: bool, seconds: float) -> dict[Only, Callable[[Path, Report], None]]:
    scans = 3 if quick else 100
    size = Size(4, 100, 1) if quick else Size(64, 6_000, 3)
    ledgers = _LEDGER_QUICK if quick else _LEDGER_FULL if full else _LEDGER
    return {
        Only.LATENCY: lambda folder, report: latency.measure(folder, report, scans),
        Only.CPU: lambda folder, report: cost.measure(folder, report, size),
        Only.SUSTAINED: lambda folder, report: sustained.measure(
            folder, report, size.terminals, 0.3 if quick else seconds
        ),
        Only.LEDGER: lambda folder, report: growth.measure(folder, report, ledgers, 500 if quick else 5_000),
    }
