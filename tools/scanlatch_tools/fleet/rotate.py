"""`scanlatch fleet rotate`: a new agreement key for the bridges, and how far the terminals are with it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from host_bridge.agreement import Agreements, files, next_file
from host_bridge.config import load
from host_bridge.ledger import devices
from host_bridge.ledger.open import open_existing
from scanlatch_tools import certificates, tables
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _, n_

_NAMED = 20  # terminals of an older key that are named


@dataclass(frozen=True, slots=True)
class Key:
    """One of the bridge's keys, and the terminals that use it."""

    file: Path | None  # None: it is not here
    kid: str
    newest: bool
    terminals: list[str]  # those that are neither revoked nor retired
    out: int  # the others


def rotate(
    config: Annotated[Path, typer.Option("--config", help="bridge.toml of the site.")],
    show: Annotated[bool, typer.Option("--show", help="Only say how far the terminals are.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Another new key, though terminals have not yet taken the last.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """A new key for the bridges: each terminal is told of it after its next head, and goes over by itself."""
    first = load(config).bridge.agreement_key
    if not show:
        _make(config, first, again)
    keys = state(config)
    if as_json:
        rows: list[dict[str, Any]] = [
            {"kid": one.kid, "newest": one.newest, "here": one.file is not None, "terminals": one.terminals}
            for one in keys
        ]
        typer.echo(json.dumps(rows))
    else:
        _tell(keys)
    if any(one.file is None for one in keys):
        raise typer.Exit(1)


def state(config: Path) -> list[Key]:
    """All keys, oldest first, and who uses which. Raises BridgeError."""
    settings = load(config)
    held = Agreements.load(settings.bridge.agreement_key)
    ledger = open_existing(settings.ledger.url, settings.ledger.busy_timeout_ms)
    try:
        with ledger.read() as connection:
            rows = devices.every(connection)
    finally:
        ledger.close()
    users: dict[str, list[devices.DeviceRow]] = {one.kid: [] for one in held.all}
    for row in rows:
        users.setdefault(row.bridge_kid or held.all[0].kid, []).append(row)
    paths = dict(zip((one.kid for one in held.all), files(settings.bridge.agreement_key), strict=True))
    newest = held.newest.kid
    return [
        Key(paths.get(kid), kid, kid == newest, [one.id for one in of if not one.is_out], sum(one.is_out for one in of))
        for kid, of in users.items()
    ]


def _make(config: Path, first: Path, again: bool) -> None:
    late = [device for one in state(config) if not one.newest for device in one.terminals]
    if late and not again:
        raise ToolError(
            n_(
                "{count} terminal has not taken the last new key yet ({devices}); wait for it, or say --again",
                "{count} terminals have not taken the last new key yet ({devices}); wait for them, or say --again",
                len(late),
            ).format(count=len(late), devices=", ".join(late[:_NAMED]))
        )
    path = next_file(first, len(files(first)) + 1)
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    certificates.write_key(new, certificates.new_key())
    owner = first.stat()
    if os.geteuid() == 0:  # the bridge's account is to read it
        os.chown(new, owner.st_uid, owner.st_gid)
    os.link(new, path)  # whole, and never over one that another has just made
    new.unlink()
    typer.echo(
        _(
            "made {path}: put it beside {name} on every machine that runs a bridge, and into the backup; each bridge "
            "finds it within 10 s. No key is ever deleted that a terminal uses"
        ).format(path=path, name=first.name),
        err=True,
    )


def _tell(keys: list[Key]) -> None:
    table = Table(_("key"), _("file"), _("terminals"), _("of them"))
    for one in keys:
        name = one.file.name if one.file else _("NOT HERE: put its file back")
        newest = _("newest") if one.newest else ""
        named = "" if one.newest else ", ".join(one.terminals[:_NAMED])
        more = _(" (+{count} shut out)").format(count=one.out) if one.out else ""
        table.add_row(f"{one.kid} {newest}".strip(), name, f"{len(one.terminals)}{more}", named)
    tables.show(table)
    late = sum(len(one.terminals) for one in keys if not one.newest)
    if late:
        typer.echo(
            n_(
                "{count} terminal is still to go over: with its next head, hourly or when it connects",
                "{count} terminals are still to go over: each with its next head, hourly or when it connects",
                late,
            ).format(count=late)
        )
    else:
        typer.echo(_("every terminal uses the newest key"))
