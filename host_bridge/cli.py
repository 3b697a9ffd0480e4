"""`scanlatch bridge`: run the bridge, keep its registry."""

import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from host_bridge import cli_ledger, cli_outbox, cli_settings, cli_take, log
from host_bridge.agreement import Agreements
from host_bridge.clock import SystemClock
from host_bridge.config import Config, load
from host_bridge.devices import Registry
from host_bridge.errors import BridgeError, PermanentError
from host_bridge.ledger import alerts, commands, open_existing
from host_bridge.ledger import devices as rows
from host_bridge.texts import _, text, told
from host_bridge.wire import COMMANDS

app = typer.Typer(help="The bridge between terminals and the settlement platform.", no_args_is_help=True)
devices = typer.Typer(help="The registry of terminals.", no_args_is_help=True)
app.add_typer(devices, name="devices")
app.add_typer(cli_outbox.app, name="outbox")
app.add_typer(cli_ledger.app)
app.command()(cli_take.take)
app.command()(cli_settings.settings)

_Settings = Annotated[Path, typer.Option("--config", help="bridge.toml of the site")]
_Device = Annotated[str, typer.Argument(help="device id, as on its label")]
_BRIDGES_OWN = frozenset({"session", "resend", "bridge-key"})  # made by the bridge itself, never by hand
_COMMAND_LIFE_MS = 60_000


@app.command()
def run(config: _Settings) -> None:
    """Run the bridge until SIGTERM or Ctrl-C. Prints one JSON line an event; "ready" once it is subscribed."""
    from host_bridge.service import Service  # paho and httpcore: half a second that other commands need not pay

    log.as_json()
    with _told():
        service = Service(load(config))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: service.stop())
        signal.signal(signal.SIGHUP, lambda _number, _frame: service.reconnect())
        service.run()


@app.command()
def command(device: _Device, name: str, config: _Settings) -> None:
    """Send a command (identify, health, acknowledge, ...) to a terminal through the running bridge."""
    with _told():
        if name not in COMMANDS - _BRIDGES_OWN:
            raise PermanentError(
                text(
                    "no command {name!r}; known: {commands}",
                    name=name,
                    commands=", ".join(sorted(COMMANDS - _BRIDGES_OWN)),
                )
            )
        settings, now = load(config), SystemClock().now()
        ledger = open_existing(settings.ledger.url, settings.ledger.busy_timeout_ms)
        with ledger.write() as connection:
            row = rows.lock(connection, [device]).get(device)
            if row is None:
                raise PermanentError(text("no device {device!r} in the registry", device=device))
            made = commands.add(connection, row, name, {}, now, now + _COMMAND_LIFE_MS)
        ledger.close()
        typer.echo(
            _("{name} number {counter} for {device} goes out with the bridge's next round").format(
                name=name, counter=made.counter, device=device
            )
        )


@app.command(name="alerts")
def show_alerts(config: _Settings) -> None:
    """What a person has to look into."""
    with _told():
        settings = load(config)
        ledger = open_existing(settings.ledger.url, settings.ledger.busy_timeout_ms)
        with ledger.read() as connection:
            found = alerts.listed(connection)
        ledger.close()
    table = Table(_("device"), _("kind"), _("seqs"), _("since (UTC)"), _("what"))
    for one in found:
        table.add_row(
            one.device,
            one.kind,
            _("{first} to {last}").format(first=one.first, last=one.last),
            _day(one.opened_at),
            one.detail,
        )
    Console().print(table)


@devices.command(name="list")
def list_devices(config: _Settings) -> None:
    """All terminals, with where their chains stand."""
    with _told(), _registry(load(config)) as registry:
        found = registry.listed()
    table = Table(_("device"), _("site"), _("status"), _("records to"), _("last record (UTC)"))
    for row in found:
        last = _day(row.last_record_at) if row.last_record_at else _("never")
        table.add_row(row.id, row.site, row.status, str(row.upto), last)
    Console().print(table)


@devices.command()
def suspend(device: _Device, config: _Settings) -> None:
    """Keep a terminal's records as evidence only; they claim no code."""
    with _told(), _registry(load(config)) as registry:
        registry.suspend(device)


@devices.command()
def reinstate(device: _Device, config: _Settings) -> None:
    """Take back a suspension or revocation."""
    with _told(), _registry(load(config)) as registry:
        registry.reinstate(device)


@devices.command()
def revoke(device: _Device, config: _Settings) -> None:
    """Nothing in, nothing out: the terminal was lost or is not trusted any more."""
    with _told(), _registry(load(config)) as registry:
        registry.revoke(device)


@contextmanager
def _registry(config: Config) -> Generator[Registry]:
    agreement = Agreements.load(config.bridge.agreement_key)
    ledger = open_existing(config.ledger.url, config.ledger.busy_timeout_ms)
    try:
        yield Registry(ledger, agreement)
    finally:
        ledger.close()


@contextmanager
def _told() -> Generator[None]:
    """Our own errors are for people: their sentence, no traceback."""
    try:
        yield
    except BridgeError as error:
        typer.secho(told(error), err=True, fg=typer.colors.RED)
        raise typer.Exit(1) from error


def _day(at_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at_ms / 1000))
