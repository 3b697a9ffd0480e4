"""Says which certificates of a site end soon, for every command that has the site in hand."""

import time
from pathlib import Path

import typer
from rich.table import Table

from host_bridge import expiry
from host_bridge.clock import SystemClock
from host_bridge.expiry import Ending
from host_bridge.ledger import Ledger
from host_bridge.ledger.open import open_existing
from scanlatch_tools import site as sites
from scanlatch_tools import tables
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _, n_
from scanlatch_tools.texts.foreign import why


def listed(folder: Path, ledger: Ledger) -> list[Ending]:
    """All certificates of a site that are there, the first to end first. Raises ToolError."""
    try:
        found = [expiry.of_file(kind, path) for kind, path in _files(folder) if path.exists()]
    except (OSError, ValueError) as error:
        raise ToolError(_("a certificate of the site can't be read: {error}").format(error=why(error))) from error
    with ledger.read() as connection:
        found += expiry.of_terminals(connection)
    return sorted(found, key=lambda one: one.until)


def missing(folder: Path) -> list[Path]:
    """Files of certificates that a site should have in its folder, and has not. Raises ToolError."""
    return [path for _kind, path in _files(folder) if not path.exists()]


def _files(folder: Path) -> list[tuple[str, Path]]:
    files = [("ca", folder / "ca" / "ca.pem"), ("broker", folder / "broker" / "broker.pem")]
    return files + [("bridge", folder / "bridge" / f"{name}.pem") for name in sites.load(folder).bridges]


def warn(folder: Path, ledger: Ledger) -> None:
    """One line, on the error output, for each that ends soon."""
    now = SystemClock().now()
    for one in expiry.soon(listed(folder, ledger), now):
        days = max(0, one.days(now))
        line = n_(
            "the certificate of {name} ends in {count} day: {todo}",
            "the certificate of {name} ends in {count} days: {todo}",
            days,
        ).format(name=one.name, count=days, todo=_todo(one, folder))
        typer.secho(f"! {line}", fg=typer.colors.YELLOW, err=True)


def show(folder: Path) -> bool:
    """A table of all; True where none ends soon, and none is missing."""
    ledger = open_existing(sites.load(folder).ledger_url)
    try:
        found = listed(folder, ledger)
        now = SystemClock().now()
        table = Table(_("certificate"), _("of"), _("until (UTC)"), _("days left"))
        for one in found:
            until = time.strftime("%Y-%m-%d", time.gmtime(one.until / 1000))
            table.add_row(one.name, _kind(one.kind), until, str(one.days(now)))
        tables.show(table)
        warn(folder, ledger)
        gone = missing(folder)
        for path in gone:
            line = _("{path} is not there: {todo}").format(path=path, todo=_todo_missing(path))
            typer.secho(f"! {line}", fg=typer.colors.YELLOW, err=True)
        return not gone and not expiry.soon(found, now)
    finally:
        ledger.close()


def _kind(kind: str) -> str:
    names = {"ca": _("the CA"), "broker": _("the broker"), "bridge": _("the bridge"), "terminal": _("a terminal")}
    return names[kind]


def _todo_missing(path: Path) -> str:
    if path.name == "ca.pem":
        return _("put it back from a backup; without it nothing can be enrolled or renewed")
    return _("put it back from a backup; what is not there can't be renewed")


def _todo(one: Ending, folder: Path) -> str:
    if one.kind == "terminal":
        return f"scanlatch fleet renew {one.name} --config {folder}/bridge.toml"
    if one.kind == "ca":
        return _("make a new site in time; its terminals are to be enrolled into that")
    return f"scanlatch site renew {folder}"
