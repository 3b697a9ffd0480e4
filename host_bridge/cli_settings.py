"""`scanlatch bridge settings`: other settings for a terminal at work, over the air."""

import time
from pathlib import Path
from typing import Annotated

import typer

from host_bridge import over_the_air
from host_bridge.clock import SystemClock
from host_bridge.config import load
from host_bridge.errors import BridgeError
from host_bridge.ledger import Ledger, open_existing
from host_bridge.texts import _, told

_POLL_S = 0.5
_LONGEST_WAIT_S = 3_600


def settings(
    device: Annotated[str, typer.Argument(help="device id, as on its label")],
    values: Annotated[list[str], typer.Argument(help="rescan_ms=1500, operation=receive, ...")],
    config: Annotated[Path, typer.Option("--config", help="bridge.toml of the site")],
    wait: Annotated[float, typer.Option(min=0, max=_LONGEST_WAIT_S, help="seconds to wait for its answer")] = 0,
) -> None:
    """Give a terminal other settings through the running bridge; it starts anew with them in a quiet moment."""
    try:
        wanted, found = over_the_air.values_of(values), load(config)
        ledger = open_existing(found.ledger.url, found.ledger.busy_timeout_ms)
        try:
            life_ms = max(over_the_air.LIFE_MS, int(wait * 1000))
            counter = over_the_air.change(ledger, device, wanted, SystemClock().now(), life_ms)
            said = _waited(ledger, device, counter, wait)
        finally:
            ledger.close()
    except BridgeError as error:
        typer.secho(told(error), err=True, fg=typer.colors.RED)
        raise typer.Exit(1) from error
    if said is None:
        told_all = _("{name} number {counter} for {device} goes out with the bridge's next round")
        typer.echo(told_all.format(name="settings", counter=counter, device=device))
    elif said == "ok":
        typer.echo(_("{device} took it, and starts anew in a quiet moment").format(device=device))
    else:
        typer.secho(_("{device} refused it: {said}").format(device=device, said=said), err=True, fg=typer.colors.RED)
    if wait and said != "ok":
        raise typer.Exit(1)


def _waited(ledger: Ledger, device: str, counter: int, wait: float) -> str | None:
    end = time.monotonic() + wait
    while (said := over_the_air.answered(ledger, device, counter)) is None and time.monotonic() < end:
        time.sleep(_POLL_S)
    return said
