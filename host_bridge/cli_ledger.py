"""`scanlatch bridge init|migrate|check|backup|restore|archive`: the ledger, looked after by hand."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from host_bridge import due
from host_bridge.agreement import Agreements
from host_bridge.clock import SystemClock
from host_bridge.config import Config, load
from host_bridge.devices import Registry
from host_bridge.errors import BridgeError, LedgerBroken, PermanentError
from host_bridge.ledger import Ledger, backup, partitions
from host_bridge.ledger.open import connect, known_revisions, newest_revision
from host_bridge.texts import _, text, told

app = typer.Typer()

_Settings = Annotated[Path, typer.Option("--config", help="bridge.toml of the site")]


@app.command()
def init(config: _Settings) -> None:
    """Make the ledger that bridge.toml names. On PostgreSQL its database must be there, and be empty."""
    with _ledger(config) as (_settings, ledger):
        found = ledger.revision()
        if found is not None:
            raise PermanentError(text("ledger {url} is there already, version {found}", url=ledger.url, found=found))
        _bring_up_to_date(ledger)
        typer.echo(_("made ledger {url}, version {version}").format(url=ledger.url, version=newest_revision()))


@app.command()
def migrate(config: _Settings) -> None:
    """Bring the ledger's schema up to date, and make the months ahead on PostgreSQL. Make a backup before."""
    with _ledger(config) as (_settings, ledger):
        found = _revision(ledger)
        _bring_up_to_date(ledger)
        newest = newest_revision()
        same = _("ledger {url} is of version {newest} already")
        other = _("ledger {url} went from version {found} to {newest}")
        typer.echo((same if found == newest else other).format(url=ledger.url, found=found, newest=newest))


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
            raise PermanentError(
                text(
                    "ledger {url} is of version {found}, not {newest}: `scanlatch bridge migrate`",
                    url=ledger.url,
                    found=found,
                    newest=newest,
                )
            )
        if deep:
            backup.examine(ledger)
        count = len(Registry(ledger, agreement).listed())
        broker = f"{settings.mqtt.host}:{settings.mqtt.port}, MQTT {settings.mqtt.version}"
        typer.echo(
            _("settings are good: {broker}, {sites} sites, {devices} devices").format(
                broker=broker, sites=len(settings.sites), devices=count
            )
        )
        typer.echo(
            _("ledger {url}, version {found}").format(url=ledger.url, found=found)
            + (_(", read whole: nothing is damaged") if deep else "")
        )


@app.command(name="backup")
def back_up(
    config: _Settings,
    to: Annotated[Path, typer.Option(help="new file; on PostgreSQL one for pg_restore")],
) -> None:
    """Copy the ledger, as it is at one moment, while bridges run."""
    with _ledger(config) as (_settings, ledger):
        _revision(ledger)
        backup.back_up(ledger, to)
        typer.echo(_("ledger {url} is in {to}, {size:,} bytes").format(url=ledger.url, to=to, size=to.stat().st_size))


@app.command()
def restore(
    config: _Settings,
    source: Annotated[Path, typer.Option("--from", help="what `backup` wrote")],
) -> None:
    """Put a backup in the ledger's place. Every bridge must be stopped; what was there is kept beside."""
    with _ledger(config) as (_settings, ledger):
        now = SystemClock().now()
        kept = backup.restore(ledger, source, now)
        _bring_up_to_date(ledger)
        with ledger.write() as connection:
            asked = due.ask_all(connection, now)
        typer.echo(_("{asked} terminals will be asked for what the backup does not have").format(asked=asked))
        typer.echo(
            _("ledger {url} is that of {source}; what was there before: {kept}").format(
                url=ledger.url, source=source, kept=kept or _("nothing")
            )
        )


@app.command()
def archive(
    config: _Settings,
    before: Annotated[str, typer.Option(help="first month that stays, as yyyy-mm")],
) -> None:
    """Take old months of records out of the ledger, on PostgreSQL: into schema `archive`, to be dumped and dropped."""
    with _ledger(config) as (_settings, ledger):
        _revision(ledger)
        with ledger.write() as connection:
            moved = partitions.archive(connection, before, SystemClock().now())
        for table in moved:
            typer.echo(table)
        typer.echo(_("{count} months were taken out of the ledger").format(count=len(moved)))


def _revision(ledger: Ledger) -> str:
    """Version of the ledger. Raises PermanentError where there is none, LedgerBroken where it is a newer one."""
    found = ledger.revision()
    if found is None:
        raise PermanentError(text("there is no ledger in {url} yet: `scanlatch bridge init`", url=ledger.url))
    if found not in known_revisions():
        raise LedgerBroken(ledger.url, text("version {found}; was it written by a newer version?", found=found))
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
        typer.secho(told(error), err=True, fg=typer.colors.RED)
        raise typer.Exit(1) from error
