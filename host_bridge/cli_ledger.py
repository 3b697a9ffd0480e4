"""`scanlatch bridge init|migrate|check|backup|restore|archive`: the ledger, looked after by hand."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from host_bridge import due
from host_bridge.clock import SystemClock
from host_bridge.agreement import Agreements
from host_bridge.config import Config, load
from host_bridge.devices import Registry
from host_bridge.errors import BridgeError, LedgerBroken, PermanentError
from host_bridge.ledger import Ledger, backup, partitions
from host_bridge.ledger.open import connect, known_revisions, newest_revision

app = typer.Typer()

_Settings = Annotated[Path, typer.Option("--config", help="bridge.toml of the site")]


@app.command()
def init(config: _Settings) -> None:
    """Make the ledger that bridge.toml names. On PostgreSQL its database must be there, and be empty."""
    with _ledger(config) as (_, ledger):
        found = ledger.revision()
        if found is not None:
            raise PermanentError(f"ledger {ledger.url} is there already, version {found}")
        _bring_up_to_date(ledger)
        typer.echo(f"made ledger {ledger.url}, version {newest_revision()}")


@app.command()
def migrate(config: _Settings) -> None:
    """Bring the ledger's schema up to date, and make the months ahead on PostgreSQL. Make a backup before."""
    with _ledger(config) as (_, ledger):
        found = _revision(ledger)
        _bring_up_to_date(ledger)
        newest = newest_revision()
        told = f"is of version {newest} already" if found == newest else f"went from version {found} to {newest}"
        typer.echo(f"ledger {ledger.url} {told}")


@app.command()
def check(
    config: _Settings,
    deep: Annotated[bool, typer.Option("--deep", help="read the whole ledger, which takes its time")] = False,
) -> None:
    """Check bridge.toml, the keys it names and the ledger, and say what would be run. Changes nothing."""
    with _ledger(config) as (settings, ledger):
        agreement = Agreements.load(settings.bridge.agreement_key)
        found, newest = _revision(ledger), newest_revision()
        if found != newest:
            raise PermanentError(f"ledger {ledger.url} is of version {found}, not {newest}: `scanlatch bridge migrate`")
        if deep:
            backup.examine(ledger)
        count = len(Registry(ledger, agreement).listed())
        broker = f"{settings.mqtt.host}:{settings.mqtt.port}, MQTT {settings.mqtt.version}"
        typer.echo(f"settings are good: {broker}, {len(settings.sites)} sites, {count} devices")
        typer.echo(f"ledger {ledger.url}, version {found}" + (", read whole: nothing is damaged" if deep else ""))


@app.command(name="backup")
def back_up(
    config: _Settings,
    to: Annotated[Path, typer.Option(help="new file; on PostgreSQL one for pg_restore")],
) -> None:
    """Copy the ledger, as it is at one moment, while bridges run."""
    with _ledger(config) as (_, ledger):
        _revision(ledger)
        backup.back_up(ledger, to)
        typer.echo(f"ledger {ledger.url} is in {to}, {to.stat().st_size:,} bytes")


@app.command()
def restore(
    config: _Settings,
    source: Annotated[Path, typer.Option("--from", help="what `backup` wrote")],
) -> None:
    """Put a backup in the ledger's place. Every bridge must be stopped; what was there is kept beside."""
    with _ledger(config) as (_, ledger):
        now = SystemClock().now()
        kept = backup.restore(ledger, source, now)
        _bring_up_to_date(ledger)
        with ledger.write() as connection:
            asked = due.ask_all(connection, now)
        typer.echo(f"{asked} terminals will be asked for what the backup does not have")
        typer.echo(f"ledger {ledger.url} is that of {source}; what was there before: {kept or 'nothing'}")


@app.command()
def archive(
    config: _Settings,
    before: Annotated[str, typer.Option(help="first month that stays, as yyyy-mm")],
) -> None:
    """Take old months of records out of the ledger, on PostgreSQL: into schema `archive`, to be dumped and dropped."""
    with _ledger(config) as (_, ledger):
        _revision(ledger)
        with ledger.write() as connection:
            moved = partitions.archive(connection, before, SystemClock().now())
        for table in moved:
            typer.echo(table)
        typer.echo(f"{len(moved)} months were taken out of the ledger")


def _revision(ledger: Ledger) -> str:
    """Version of the ledger. Raises PermanentError where there is none, LedgerBroken where it is a newer one."""
    found = ledger.revision()
    if found is None:
        raise PermanentError(f"there is no ledger in {ledger.url} yet: `scanlatch bridge init`")
    if found not in known_revisions():
        raise LedgerBroken(ledger.url, f"version {found}; was it written by a newer version?")
    return found


def _bring_up_to_date(ledger: Ledger) -> None:
    if ledger.revision() != newest_revision():
        ledger.migrate()
    ledger.look_ahead(SystemClock().now())


@contextmanager
def _ledger(config: Path) -> Generator[tuple[Config, Ledger]]:
    """The settings and the ledger as it is. Our own errors are for people: their sentence, no traceback."""
    try:
        settings = load(config)
        ledger = connect(settings.ledger.url, settings.ledger.busy_timeout_ms)
        try:
            yield settings, ledger
        finally:
            ledger.close()
    except BridgeError as error:
        typer.secho(str(error), err=True, fg=typer.colors.RED)
        raise typer.Exit(1) from error
