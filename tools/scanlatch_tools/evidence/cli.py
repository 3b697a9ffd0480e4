"""`scanlatch audit`: holds a ledger against itself, and takes evidence out of it."""

import json
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from host_bridge.audit import bundle, choice
from host_bridge.audit.choice import Choice
from host_bridge.audit.run import audit
from host_bridge.clock import SystemClock
from host_bridge.config import Config, load
from host_bridge.errors import BridgeError
from host_bridge.ledger.audit import Books, opened
from scanlatch_tools.errors import ToolError
from scanlatch_tools.evidence import certify as signers
from scanlatch_tools.evidence import verify as verifier
from scanlatch_tools.texts import _, told
from scanlatch_tools.texts.foreign import why

CLEAN, FOUND, CANT = 0, 1, 2  # exit status

app = typer.Typer(help="Audit a ledger, and take evidence out of it.", invoke_without_command=True)

_Config = Annotated[Path, typer.Option(help="bridge.toml of the site")]


@app.callback()
def audit_command(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(help="bridge.toml of the site")] = None,
    device: Annotated[str | None, typer.Option(help="one terminal alone")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """Hold the ledger against itself, beside a running bridge. Ends with 0: nothing is wrong; 1: findings; 2: can't."""
    if context.invoked_subcommand is not None:
        return
    if config is None:
        raise typer.BadParameter(_("--config is missing"))
    with _told():
        settings = load(config)
        findings = audit(settings.ledger.url, settings.sites, SystemClock().now(), device)
    if as_json:
        typer.echo(json.dumps(findings.plain(), ensure_ascii=False))
    else:
        typer.echo("\n".join(findings.lines()))
    raise typer.Exit(CLEAN if findings.clean else FOUND)


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="new file")],
    config: _Config,
    code: Annotated[str | None, typer.Option(help="all records of one code")] = None,
    device: Annotated[str | None, typer.Option(help="the records of one terminal")] = None,
    first: Annotated[int | None, typer.Option("--from", help="with --device: first record")] = None,
    last: Annotated[int | None, typer.Option("--to", help="with --device: last record")] = None,
    day: Annotated[str | None, typer.Option(help="yyyy-mm-dd; with --site")] = None,
    site: Annotated[str | None, typer.Option(help="with --day: where the records were captured")] = None,
    utc_offset: Annotated[str, typer.Option(help="with --day: how far the site's clocks are ahead of UTC")] = "+08:00",
    certificates: Annotated[
        Path | None, typer.Option(help="what `certify` made, where it is not in ca/terminals beside the CA")
    ] = None,
) -> None:
    """Write an evidence bundle about a code, a terminal or a day: `docs/evidence.md`. Changes nothing in the ledger."""
    if [code is not None, device is not None, day is not None and site is not None].count(True) != 1:
        raise typer.BadParameter(_("one of --code, --device, or --day with --site"))
    with _told():
        settings = load(config)
        ca = _ca(settings)
        with opened(settings.ledger.url) as books:
            about = _choice(books, code, device, first, last, day or "", site or "", utc_offset)
            written = bundle.write(books, about, _der(ca), certificates or ca.parent / signers.FOLDER, out)
    typer.echo(
        _("{out}: {words}; {records} records of {devices} terminals").format(
            out=out, words=told(about.words), records=written.records, devices=written.devices
        )
    )
    typer.echo(_("SHA-256 {digest}").format(digest=written.digest))
    for absent in written.absent:
        typer.echo(
            _("records of {absent} are not in the ledger: `scanlatch audit` says more").format(absent=absent), err=True
        )
    raise typer.Exit(FOUND if written.absent else CLEAN)


@app.command()
def certify(site: Annotated[Path, typer.Argument(help="the site's folder, with the CA's key")]) -> None:
    """Let the CA certify every terminal's signing key, where it has not. Enrolment does so by itself."""
    with _told():
        done = signers.certify_all(site)
    for device, anew in done.items():
        typer.echo((_("{device}: certified") if anew else _("{device}: was certified")).format(device=device))


@app.command(name="verifier")
def write_verifier(out: Annotated[Path, typer.Argument(help="new file")]) -> None:
    """Write the verifier: one file that whoever gets a bundle can read and run, with Python and `cryptography`."""
    with _told():
        if out.exists():
            raise ToolError(_("{out} is there already").format(out=out))
        shutil.copyfile(verifier.__file__, out)
    typer.echo(f"python3 {out} BUNDLE --ca ca.pem")


def _choice(
    books: Books,
    code: str | None,
    device: str | None,
    first: int | None,
    last: int | None,
    day: str,
    site: str,
    utc_offset: str,
) -> Choice:
    if code is not None:
        return choice.of_code(books, code)
    if device is not None:
        return choice.of_device(books, device, first, last)
    return choice.of_day(books, day, site, utc_offset)


def _ca(settings: Config) -> Path:
    if settings.mqtt.ca is None:
        raise ToolError(_("bridge.toml names no CA (mqtt.ca): without one nobody vouches for a terminal's key"))
    return settings.mqtt.ca


def _der(path: Path) -> bytes:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)
    except ValueError as error:
        raise ToolError(_("{path} holds no certificate in PEM: {error}").format(path=path, error=why(error))) from error


@contextmanager
def _told() -> Generator[None]:
    """Our own errors are for people: their sentence, and status 2."""
    try:
        yield
    except (BridgeError, ToolError, OSError) as error:
        typer.secho(told(error), err=True, fg=typer.colors.RED)
        raise typer.Exit(CANT) from error
