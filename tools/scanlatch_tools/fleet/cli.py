"""`scanlatch fleet`: the terminals of a site, as a table, and what is done when one is lost, doubtful or taken out."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from host_bridge.agreement import Agreements
from host_bridge.config import load
from host_bridge.devices import Registry, check_name
from host_bridge.ledger import Ledger
from host_bridge.ledger.open import open_existing
from scanlatch_tools import expiry, tables
from scanlatch_tools.errors import ToolError
from scanlatch_tools.fleet import renew, rotate, shut, view
from scanlatch_tools.fleet import retire as retiring
from scanlatch_tools.fleet.shut import Told
from scanlatch_tools.texts import _

LEFT = 3  # exit status: the registry is as asked, something is left to do at the broker

app = typer.Typer(help="The terminals of a site: see them, shut one out, retire one.", no_args_is_help=True)
app.command()(rotate.rotate)
app.command()(renew.renew)

_Device = Annotated[str, typer.Argument(help="Device id, as on its label.")]
_Config = Annotated[Path, typer.Option("--config", help="bridge.toml of the site.")]
_Json = Annotated[bool, typer.Option("--json", help="For programs.")]


class _Place(NamedTuple):
    """A site's registry and the folder that its broker's files are in."""

    folder: Path
    ledger: Ledger
    registry: Registry

    def out(self) -> list[str]:
        """Who is revoked or retired."""
        return [row.id for row in self.registry.listed() if row.is_out]


@app.command(name="list")
def list_devices(config: _Config, as_json: _Json = False) -> None:
    """All terminals: status, how far their records are, what their last health message said."""
    with _place(config) as place:
        rows = view.rows(place.ledger, place.registry, shut.shut_out(place.folder))
        expiry.warn(place.folder, place.ledger)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    else:
        tables.show(view.table(rows))


@app.command()
def show(device: _Device, config: _Config, as_json: _Json = False) -> None:
    """All that is known of one terminal."""
    with _place(config) as place:
        row = view.row(place.ledger, place.registry, shut.shut_out(place.folder), device)
    if as_json:
        typer.echo(json.dumps(row, ensure_ascii=False))
    else:
        tables.show(view.sheet(row))


@app.command()
def suspend(device: _Device, config: _Config, as_json: _Json = False) -> None:
    """In doubt: its records are kept as evidence, and claim no code."""
    with _place(config) as place:
        _must_be_in(place, device)
        place.registry.suspend(device)
        _tell(device, "suspended", Told(), as_json)


@app.command()
def reinstate(device: _Device, config: _Config, as_json: _Json = False) -> None:
    """Take back a suspension or a revocation."""
    with _place(config) as place:
        was_out = place.registry.find(device).is_out
        place.registry.reinstate(device)
        told = shut.admit(place.folder, place.out()) if was_out or _is_shut(place, device) else Told()
    _tell(device, "enrolled", told, as_json)


@app.command()
def revoke(device: _Device, config: _Config, as_json: _Json = False) -> None:
    """Lost, stolen or not to be trusted: nothing in, nothing out, at the bridges and at the broker."""
    with _place(config) as place:
        if place.registry.find(device).status != "retired":
            place.registry.revoke(device)
        status = place.registry.find(device).status
        told = shut.shut(place.folder, place.out(), device)
    _tell(device, status, told, as_json)


@app.command()
def retire(
    device: _Device,
    config: _Config,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the terminal.")] = retiring.WAIT_S,
    as_json: _Json = False,
) -> None:
    """Take one out of use for good: it wipes its keys, and its board can become another terminal."""
    with _place(config) as place:
        found = retiring.retire(place.ledger, place.registry, device, wait)
        if not found.done:
            raise ToolError(_why(device, found.said, wait))
        told = shut.shut(place.folder, place.out(), device)
    _tell(device, "retired", told, as_json)


@app.command()
def cut(
    device: _Device,
    site: Annotated[Path, typer.Option(help="The site's folder on the broker's machine.")],
    admit: Annotated[bool, typer.Option("--admit", help="Let it in again.")] = False,
    as_json: _Json = False,
) -> None:
    """At the broker alone, where registry and broker are on different machines."""
    check_name(device)
    now = shut.shut_out(site)
    told = shut.admit(site, now - {device}) if admit else shut.shut(site, now | {device}, device)
    _tell(device, None, told, as_json)


def _is_shut(place: _Place, device: str) -> bool:
    return device in shut.shut_out(place.folder)


def _must_be_in(place: _Place, device: str) -> None:
    status = place.registry.find(device).status
    if status in ("revoked", "retired"):
        raise ToolError(
            _("{device} is {status}, which is more than suspended").format(device=device, status=view.status(status))
        )


def _why(device: str, said: str | None, wait: float) -> str:
    if said is None:
        return _(
            "{device} did not answer within {wait:.0f} s, and keeps its keys. Is it switched on, and does the bridge "
            "run? Otherwise revoke it (`scanlatch fleet revoke {device}`); they go when its board is blanked "
            "(`esptool erase-flash`)"
        ).format(device=device, wait=wait)
    return _("{device} refused, and keeps its keys: {said}").format(device=device, said=said)


def _tell(device: str, status: str | None, told: Told, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"device": device, "status": status, "broker": told.plain()}, ensure_ascii=False))
    else:
        for line in _lines(device, status, told):
            typer.echo(line)
        for todo in told.todo:
            typer.secho(f"! {todo}", fg=typer.colors.YELLOW)
    if not told.done:
        raise typer.Exit(LEFT)


def _lines(device: str, status: str | None, told: Told) -> list[str]:
    said: list[tuple[bool | None, str]] = [
        (status is not None, _("{device} is {status}").format(device=device, status=view.status(status or ""))),
        (told.publish, _("the broker refuses what it publishes, and gives it nothing")),
        (told.connect, _("the broker refuses its next connect")),
        (told.ended, _("its connection to the broker has ended")),
    ]
    return [f"✓ {line}" for holds, line in said if holds]


@contextmanager
def _place(config: Path) -> Generator[_Place]:
    settings = load(config)
    ledger = open_existing(settings.ledger.url, settings.ledger.busy_timeout_ms)
    try:
        yield _Place(config.resolve().parent, ledger, Registry(ledger, Agreements.load(settings.bridge.agreement_key)))
    finally:
        ledger.close()
