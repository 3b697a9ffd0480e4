"""`scanlatch image`: the list of MicroPython's images, and how one gets into it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from scanlatch_tools.flash import images

app = typer.Typer(no_args_is_help=True, help="MicroPython's images: what is known, and how one is added.")


@app.command("list")
def show() -> None:
    """Show the images that are known, and whether their bytes are on this machine."""
    known = images.known()
    console = Console(highlight=False)
    if not known:
        console.print("no images: get one from micropython.org, then `scanlatch image add FILE`", markup=False)
        return
    table = Table("build", "version", "chip", "flash", "SHA-256", "here")
    for one in known:
        facts = one.facts
        mode = f"{facts['mode']} {facts['speed']}"
        table.add_row(one.build, facts["version"], facts["chip"], mode, one.sha256[:16], "yes" if one.file else "no")
    console.print(table)


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="MicroPython's .bin for a board's first flash.")],
    build: Annotated[str | None, typer.Option(help="MicroPython's name of it; default: as the file is named.")] = None,
) -> None:
    """Check an image, record what it is, and keep its bytes on this machine."""
    known, new = images.add(file, build)
    facts = known.facts
    print(f"{'added' if new else 'was there'}: {known.build} {facts['version']} for {facts['chip']}")
    print(f"SHA-256 {known.sha256}: compare it with the one that its maker names")
