"""`scanlatch site`: makes a site, and renews its certificates."""

from pathlib import Path
from typing import Annotated

import typer

from scanlatch_tools import site as sites
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _

app = typer.Typer(help="Make a site and its certificates.", no_args_is_help=True)


@app.command("init")
def init_command(
    folder: Annotated[Path, typer.Argument(help="Folder to make.")],
    site: Annotated[list[str], typer.Option(help="A site's name; repeat for more.")],
    host: Annotated[list[str] | None, typer.Option(help="Name or address of the broker; repeat for more.")] = None,
    port: Annotated[int, typer.Option(help="The broker's port.")] = 8883,
    platform_url: Annotated[str, typer.Option(help="Address of the platform.")] = "http://127.0.0.1:8810",
    institution: Annotated[str, typer.Option(help="Number at the platform.")] = "H00000000001",
    broker: Annotated[str, typer.Option(help="mosquitto, or amqtt for a trial.")] = "mosquitto",
    broker_user: Annotated[str | None, typer.Option(help="Account that runs the broker.")] = None,
    bridges: Annotated[int, typer.Option(help="How many bridges share the load; several need PostgreSQL.")] = 1,
    ledger: Annotated[str | None, typer.Option(help="The ledger's URL; default: SQLite in the folder.")] = None,
) -> None:
    """Make CA, certificates, keys, ledger, mosquitto.conf, and bridge.toml (several: bridge-1.toml, ...)."""
    if broker not in ("mosquitto", "amqtt"):
        raise ToolError(_("broker {broker!r}: mosquitto or amqtt").format(broker=broker))
    made = sites.create(
        folder,
        site,
        hosts=host or ["127.0.0.1"],
        port=port,
        platform_url=platform_url,
        institution=institution,
        broker=broker,
        broker_user=broker_user,
        bridges=bridges,
        ledger=ledger,
    )
    typer.echo(_("made {folder} for {sites}").format(folder=made.folder, sites=", ".join(made.sites)))
    typer.echo(_("broker:  mosquitto -c {folder}/mosquitto.conf").format(folder=made.folder))
    for config in made.configs:
        typer.echo(_("bridge:  scanlatch bridge run --config {config}").format(config=config))
    typer.echo(
        _("keep {folder}/ca/ca.key apart from the rest; it is needed to enrol and to renew, not to run").format(
            folder=made.folder
        )
    )
    typer.echo(
        _(
            "keep {folder}/release/release.key apart, too; it signs what terminals run, and nothing else needs it"
        ).format(folder=made.folder)
    )


@app.command("renew")
def renew_command(folder: Annotated[Path, typer.Argument(help="The site's folder.")]) -> None:
    """Issue the broker's and the bridges' certificates anew."""
    from scanlatch_tools import renew

    sites.renew(folder)
    typer.echo(_("renewed, with the names and keys that they had; the old ones go on being taken until they end"))
    taken = renew.reload(folder)
    if taken:
        typer.echo(_("the broker has read its new one, and kept its connections"))
    else:
        typer.echo(_("the broker reads its new one at SIGHUP, where it runs, and keeps its connections"))
    typer.echo(_("each bridge takes its new one when it connects next; at SIGHUP it connects anew at once"))


@app.command("certificates")
def certificates_command(folder: Annotated[Path, typer.Argument(help="The site's folder.")]) -> None:
    """All certificates of a site with the days left. Exit status 1 where one ends within 60, or is missing."""
    from scanlatch_tools import expiry

    if not expiry.show(folder):
        raise typer.Exit(1)


@app.command("sign")
def sign_command(
    folder: Annotated[Path, typer.Argument(help="The site's folder, with its CA's key.")],
    request: Annotated[Path, typer.Argument(help="What `scanlatch provision --request` wrote.")],
    answer: Annotated[Path, typer.Argument(help="File for what `scanlatch provision --answer` takes.")],
    at: Annotated[str | None, typer.Option(help="Which of the folder's sites, in place of the request's.")] = None,
) -> None:
    """Grant what a terminal elsewhere asks: its certificate, its place in the registry, its settings."""
    from scanlatch_tools.provision import apart

    device, site, anew = apart.sign(folder, request, answer, at)
    again = "" if anew else _(", again")
    typer.echo(
        _("{device} is granted for {site}{again}: {answer}").format(
            device=device, site=site, again=again, answer=answer
        )
    )
