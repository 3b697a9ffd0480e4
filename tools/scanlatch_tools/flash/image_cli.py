"""`scanlatch image`: the list of MicroPython's images, and how one gets into it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from scanlatch_tools.flash import images
from scanlatch_tools.texts import _

app = typer.Typer(no_args_is_help=True, help="MicroPython's images: what is known, and how one is added.")


@app.command("list")
def show() -> None:
    """Show the images that are known, and whether their bytes are on this machine."""
    known = images.known()
    console = Console(highlight=False)
    if not known:
        console.print(_("no images: get one from micropython.org, then `scanlatch image add FILE`"), markup=False)
        return
    table = Table(_("build"), _("version"), _("chip"), _("flash"), _("SHA-256"), _("here"))
    for one in known:
        facts = one.facts
        mode = f"{facts['mode']} {facts['speed']}"
        table.add_row(
            one.build, facts["version"], facts["chip"], mode, one.sha256[:16], _("yes") if one.file else _("no")
        )
    console.print(table)


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="MicroPython's .bin for a board's first flash.")],
    build: Annotated[str | None, typer.Option(help="MicroPython's name of it; default: as the file is named.")] = None,
) -> None:
    """Check an image, record what it is, and keep its bytes on this machine."""
    known, new = images.add(file, build)
    facts = known.facts
    told = _("added: {build} {version} for {chip}") if new else _("was there: {build} {version} for {chip}")
    print(told.format(build=known.build, version=facts["version"], chip=facts["chip"]))
    print(_("SHA-256 {sha256}: compare it with the one that its maker names").format(sha256=known.sha256))
