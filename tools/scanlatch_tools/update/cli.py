"""`scanlatch update`: makes bundles, and brings them to terminals by the bridge or over the cable."""

import re
import time
import unicodedata
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from host_bridge import bundle as bundles
from host_bridge.ledger.open import open_existing
from scanlatch_tools import outfile, tables
from scanlatch_tools import site as sites
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import why
from scanlatch_tools.update import build as builder
from scanlatch_tools.update import key as keys

if TYPE_CHECKING:
    from host_bridge.ledger import Ledger
    from host_bridge.rollout_plan import Status

_PERCENT = re.compile(r"([0-9]{1,3})%?\Z")
_FILE_MOST = len(bundles.MAGIC) + 4 + bundles.MANIFEST_MAX + bundles.CONTENT_MAX

app = typer.Typer(help="Bring new firmware to terminals.", invoke_without_command=True)

_Site = Annotated[Path, typer.Option("--site", help="The site's folder; default: where you are.")]
_File = Annotated[Path, typer.Argument(help="The bundle.")]
_HERE = Path()


@app.callback()
def update(
    context: typer.Context,
    bundle: Annotated[Path | None, typer.Option(help="The bundle, as `scanlatch update build` made it.")] = None,
    group: Annotated[str | None, typer.Option(help="Who is next: 5%, 3, or ids with commas between.")] = None,
    success: Annotated[str, typer.Option(help="How many of a group must succeed.")] = "90%",
    errors: Annotated[int, typer.Option(help="How many failures of a group are borne.")] = 2,
    pause: Annotated[bool, typer.Option("--pause", help="Wait for the same command again behind each group.")] = False,
    port: Annotated[str | None, typer.Option(help="Bring it over this cable, to the one terminal there.")] = None,
    site: _Site = _HERE,
) -> None:
    """Bring a bundle to terminals: group by group through the bridge, or over a cable."""
    if context.invoked_subcommand is not None:
        return
    if bundle is None or (group is None) == (port is None):
        raise ToolError(
            _("say which bundle, and either --group (5%, 3, or ids) or --port; `scanlatch update --help` tells more")
        )
    if port is not None:
        _by_cable(bundle, port, site)
    elif group is not None:
        _roll_out(bundle, group, _percent(success), errors, pause, site)


@app.command("build")
def build_command(
    out: Annotated[Path | None, typer.Option(help="The file; default: named after version and family.")] = None,
    family: Annotated[str, typer.Option(help="Which terminals it is for, as they say it.")] = builder.FAMILY,
    firmware: Annotated[Path | None, typer.Option(help="Folder of the firmware; default: this one's.")] = None,
    site: _Site = _HERE,
) -> None:
    """Make a bundle of the firmware, signed by the site's release key."""
    place = sites.load(site)
    if out:
        outfile.must_fit(out, bundles.MAGIC)
    data = builder.build(keys.private(place.folder), family, firmware)
    made = bundles.read(data, keys.needed(place.folder))
    path = out or Path(f"scanlatch-{made.manifest.version}-{family}.slb")
    outfile.write(path, data, bundles.MAGIC)
    _show(made)
    typer.echo(_("made {path}").format(path=path))


@app.command("show")
def show_command(
    file: _File,
    public: Annotated[Path | None, typer.Option(help="Public release key (PEM); default: the site's.")] = None,
    files: Annotated[bool, typer.Option("--files", help="Each file, too.")] = False,
    site: _Site = _HERE,
) -> None:
    """Say what is in a bundle, once its signature and all its bytes are verified."""
    from scanlatch_tools.update import shown

    point = keys.needed(sites.load(site).folder) if public is None else keys.point_of(public)
    found = bundles.read(_read(file), point)
    _show(found)
    if files:
        tables.show(shown.files(found))


@app.command("key")
def key_command(site: _Site = _HERE) -> None:
    """Make a release key for a site that has none."""
    place = sites.load(site)
    keys.make(place.folder)
    typer.echo(
        _(
            "made {path}: keep it apart from the rest, with the CA's key. Terminals learn it when they are "
            "provisioned; provision again those that were before"
        ).format(path=place.folder / keys.PRIVATE)
    )


@app.command("status")
def status_command(site: _Site = _HERE) -> None:
    """Say how far the last rollout is."""
    from host_bridge import rollout_plan

    with _ledger(site) as ledger:
        found = rollout_plan.status(ledger)
    if found is None:
        typer.echo(_("no update was begun at this site"))
    else:
        _tell(found)


@app.command("stop")
def stop_command(site: _Site = _HERE) -> None:
    """Stop the rollout; terminals that have it whole already go on by themselves."""
    from host_bridge import rollout_plan

    with _ledger(site) as ledger:
        _tell(rollout_plan.stop(ledger, _now()))


def _roll_out(path: Path, group: str, success: int, errors: int, pause: bool, site: Path) -> None:
    from host_bridge import rollout_plan

    place = sites.load(site)
    found = bundles.read(_read(path), keys.needed(place.folder))
    terms = rollout_plan.Terms(success, errors, pause)
    with _ledger(site) as ledger:
        _tell(rollout_plan.start(ledger, found, rollout_plan.group_of(_narrow(group)), terms, _now()))
    typer.echo(
        _("the running bridge brings it; how far it is: scanlatch update status --site {site}").format(site=site)
    )


def _by_cable(path: Path, port: str, site: Path) -> None:
    from scanlatch_tools.cable import connected
    from scanlatch_tools.update import by_cable

    data = _read(path)
    public = keys.public((site if site == _HERE else sites.load(site).folder).resolve())
    if public is not None:  # else the terminal alone verifies it
        bundles.read(data, public)
    signed, content = bundles.parts(data)
    console = Console(highlight=False, soft_wrap=True)
    with (
        connected(port) as cable,
        Progress(console=console, transient=True, disable=not console.is_terminal) as bars,
    ):
        before = by_cable.facts(cable).get("version")
        bar = bars.add_task(_("update"))
        by_cable.deliver(cable, signed, content, lambda done, total: bars.update(bar, completed=done, total=total))
        cable.restart()
    console.print(
        _(
            "it ran {version} and starts with the new firmware, on trial until it has reached its broker; it goes "
            "back by itself where it does not within three starts"
        ).format(version=before),
        markup=False,
    )


def _tell(status: "Status") -> None:
    from scanlatch_tools.update import shown

    line, table, bad = shown.rollout(status)
    console = Console(highlight=False, soft_wrap=True)
    console.print(line, markup=False)
    console.print(table)
    for one in bad:
        console.print(one, markup=False)


def _show(found: bundles.Bundle) -> None:
    from scanlatch_tools.update import shown

    Console(highlight=False, soft_wrap=True).print(shown.bundle(found))


@contextmanager
def _ledger(site: Path) -> Generator["Ledger"]:

    ledger = open_existing(sites.load(site).ledger_url)
    try:
        yield ledger
    finally:
        ledger.close()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_FILE_MOST + 1)  # one more than it may have: then it is refused as such
    except OSError as error:
        raise ToolError(_("{path} can't be read: {error}").format(path=path, error=why(error))) from error


def _percent(said: str) -> int:
    found = _PERCENT.match(_narrow(said))
    if not found:
        raise ToolError(_("--success {said}: a percentage such as 90%").format(said=repr(said)))
    return int(found[1])


def _narrow(said: str) -> str:
    """Digits, commas and signs of percent as wide as a Chinese keyboard types them, as ours."""
    return unicodedata.normalize("NFKC", said).replace("、", ",")


def _now() -> int:
    return time.time_ns() // 1_000_000
