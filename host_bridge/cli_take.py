"""`scanlatch bridge take`: records that were saved from a terminal over its cable go through intake as any other."""

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from host_bridge.agreement import Agreements
from host_bridge.cbor_strict import WireError, decode
from host_bridge.clock import SystemClock, system_chance
from host_bridge.config import load
from host_bridge.devices import Registry
from host_bridge.errors import BridgeError, PermanentError
from host_bridge.intake import Intake, Parts
from host_bridge.ledger import open_existing
from host_bridge.opening import Inbound
from host_bridge.replies import Done, Replies
from host_bridge.texts import _, text, told

FILE_MOST = 16 << 20  # bytes; a ring of 1 MiB holds less
_BATCH = 64

_File = Annotated[Path, typer.Argument(help="what `scanlatch rescue` wrote")]
_Settings = Annotated[Path, typer.Option("--config", help="bridge.toml of the site")]


class _Silent:
    """Publishes nothing: the running bridge sends what is due, and the terminal's receipt with its next head."""

    def publish(self, topic: str, payload: bytes, done: Done | None) -> bool:  # noqa: ARG002
        return False


def take(file: _File, config: _Settings) -> None:
    """Take the records of a file that `scanlatch rescue` wrote. Safe to repeat: what is known stays as it is."""
    try:
        device, site, records = _read(file)
        settings, clock = load(config), SystemClock()
        agreement = Agreements.load(settings.bridge.agreement_key)
        ledger = open_existing(settings.ledger.url, settings.ledger.busy_timeout_ms)
        try:
            registry = Registry(ledger, agreement)
            before = registry.find(device)
            replies = Replies(_Silent(), registry, clock)
            parts = Parts(
                ledger, registry, replies, clock, system_chance(), settings.platform.deadline_ms, lambda: None,
                sites=settings.sites, shared=True, rescued=True,
            )  # fmt: skip
            intake = Intake(parts)
            topic = f"scanlatch/v1/{site}/{device}/scan"
            inbound = [Inbound(topic, record, lambda: None) for record in records]
            for at in range(0, len(inbound), _BATCH):
                intake.process(inbound[at : at + _BATCH])
            after = registry.find(device)
        finally:
            ledger.close()
    except BridgeError as error:
        typer.secho(told(error), err=True, fg=typer.colors.RED)
        raise typer.Exit(1) from error
    refused = after.quarantined - before.quarantined
    more = _("; {count} claim nothing: see `scanlatch bridge alerts`").format(count=refused) if refused else ""
    if after.is_out:
        more += _("; {device} is {status}: they are evidence only, and marked so").format(
            device=device, status=after.status
        )
    typer.echo(
        _("{device}: {count} records given to intake, its records now reach to {upto}{more}").format(
            device=device, count=len(records), upto=after.upto, more=more
        )
    )


def _read(file: Path) -> tuple[str, str, list[bytes]]:
    try:
        if file.stat().st_size > FILE_MOST:
            raise PermanentError(
                text("{file} is larger than {most} bytes: no terminal has so much", file=file, most=FILE_MOST)
            )
        told: Any = decode(file.read_bytes())
        found = cast("dict[str, Any]", told)
        version, device, site, records = found["v"], found["device"], found["site"], found["records"]
    except (OSError, WireError, KeyError, TypeError) as error:
        raise PermanentError(
            text("{file} is not what `scanlatch rescue` wrote: {error}", file=file, error=error)
        ) from error
    named = isinstance(device, str) and isinstance(site, str)
    if version != 1 or not named or not isinstance(records, list):
        raise PermanentError(text("{file} is not what `scanlatch rescue` of this version wrote", file=file))
    items = cast("list[Any]", records)
    if not all(isinstance(one, bytes) for one in items):
        raise PermanentError(text("{file} has a record that is none", file=file))
    return str(device), str(site), items
