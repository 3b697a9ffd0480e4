"""`scanlatch rescue`: a terminal's unsent records, over the cable, into a file for the bridge."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

_STAMP = "%Y%m%d-%H%M%S"


def app(
    port: Annotated[str | None, typer.Option(help="Where it is plugged in; without it the one that is found.")] = None,
    out: Annotated[Path | None, typer.Option(help="The file; default: named after the terminal and the time.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that the bridge has, too.")] = False,
) -> None:
    """Save the records of a terminal that its bridge may not have; the terminal keeps them, too."""
    from scanlatch_tools.cable import connected
    from scanlatch_tools.flash import ports
    from scanlatch_tools.rescue import work

    console = Console(highlight=False, soft_wrap=True)
    with (
        connected(ports.chosen(port, lambda _question, _among: None)) as cable,
        Progress(console=console, transient=True, disable=not console.is_terminal) as bars,
    ):
        bar = bars.add_task("records")
        found = work.read(cable, everything, lambda done, total: bars.update(bar, completed=done, total=total))
        cable.restart()
    if not found.last:
        console.print(f"{found.device}: nothing to rescue, the bridge has all", markup=False)
        return
    path = out or Path(f"{found.device}-{time.strftime(_STAMP)}.rescue")
    work.save(found, path)
    lost = f"; {len(found.lost)} more are lost in the flash" if found.lost else ""
    console.print(
        f"{found.device}: {len(found.records)} records, {found.first} to {found.last}, are in {path}{lost}\n"
        f"give them to the bridge: scanlatch bridge take {path} --config bridge.toml",
        markup=False,
    )
