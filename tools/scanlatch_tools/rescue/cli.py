"""`scanlatch rescue`: a terminal's unsent records, over the cable, into a file for the bridge."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from scanlatch_tools.texts import _

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
        bar = bars.add_task(_("records"))
        found = work.read(cable, everything, lambda done, total: bars.update(bar, completed=done, total=total))
        cable.restart()
    if not found.last:
        console.print(_("{device}: nothing to rescue, the bridge has all").format(device=found.device), markup=False)
        return
    path = out or Path(f"{found.device}-{time.strftime(_STAMP)}.rescue")
    work.save(found, path)
    lost = _("; {count} more are lost in the flash").format(count=len(found.lost)) if found.lost else ""
    console.print(
        _(
            "{device}: {count} records, {first} to {last}, are in {path}{lost}\ngive them to the "
            "bridge: scanlatch bridge take {path} --config bridge.toml"
        ).format(
            device=found.device, count=len(found.records), first=found.first, last=found.last, path=path, lost=lost
        ),
        markup=False,
    )
