"""`scanlatch labels`: draws what is printed, as PDF."""

from pathlib import Path
from typing import Annotated

import typer

from scanlatch_tools import site as sites
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _, n_

app = typer.Typer(help="Draw control sheets, device labels and the calibration sheet as PDF.", no_args_is_help=True)

_Folder = Annotated[Path, typer.Option("--site", help="The site's folder.")]
_At = Annotated[str | None, typer.Option(help="Which of the folder's sites; its first by default.")]


@app.command("sheet")
def sheet_command(
    out: Annotated[Path, typer.Argument(help="The PDF to write.")],
    site: _Folder,
    at: _At = None,
    operator: Annotated[list[str] | None, typer.Option(help="Whose badge to add; repeat for more.")] = None,
) -> None:
    """The control codes of a site, and its operators' badges."""
    from scanlatch_tools.labels import sheet

    name, chosen = _chosen(site, at)
    if not chosen.control_token:
        raise ToolError(
            _(
                "{name} has no control sheet: give [sites.{name}] a control_token in bridge.toml, 6 of "
                "0-9 A-Z without I, L, O, U; then enrol its terminals"
            ).format(name=name)
        )
    count = sheet.draw(out, name, chosen.control_token, chosen.name, operator or ())
    typer.echo(
        n_("{out}: {count} page of A4, for {name} only", "{out}: {count} pages of A4, for {name} only", count).format(
            out=out, count=count, name=name
        )
    )


@app.command("device")
def device_command(
    out: Annotated[Path, typer.Argument(help="The PDF to write.")],
    device: Annotated[list[str], typer.Option(help="A terminal's id; repeat for more.")],
    site: _Folder,
    at: _At = None,
) -> None:
    """Labels for terminals, 62 by 29 mm, a page each."""
    from scanlatch_tools.labels import device as labels

    name, chosen = _chosen(site, at)
    labels.draw(out, name, device, chosen.name)
    typer.echo(
        n_("{out}: {count} label of 62 by 29 mm", "{out}: {count} labels of 62 by 29 mm", len(device)).format(
            out=out, count=len(device)
        )
    )


@app.command("calibration")
def calibration_command(out: Annotated[Path, typer.Argument(help="The PDF to write.")]) -> None:
    """The page that shows whether a scan engine is set as a terminal needs it."""
    from scanlatch_tools.labels import calibration

    calibration.draw(out)
    typer.echo(_("{out}: one page of A4").format(out=out))


def _chosen(folder: Path, at: str | None):
    from host_bridge import config

    found = config.load(sites.load(folder).config).sites
    name = at or next(iter(found))
    if name not in found:
        raise ToolError(
            _("no site {name!r} in {folder}: {found}").format(name=name, folder=folder, found=", ".join(found))
        )
    return name, found[name]
