"""`scanlatch provision`: from a board with MicroPython to an enrolled terminal."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scanlatch_tools.errors import ToolError
from scanlatch_tools.provision import texts
from scanlatch_tools.talk import Machine, People
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import why

if TYPE_CHECKING:
    from scanlatch_tools.provision.work import Wish

_PASSWORD_FILE_MOST = 256  # bytes


def app(
    site: Annotated[Path | None, typer.Option(help="The site's folder; else --request, and then --answer.")] = None,
    name: Annotated[
        str | None, typer.Option(help="Its id; default: the one that it has, or one made of its chip's number.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="Which of the folder's sites; default: the one that it has, or the first.")
    ] = None,
    port: Annotated[
        list[str] | None, typer.Option(help="Where it is plugged in; without it the one that is found.")
    ] = None,
    board: Annotated[
        str | None, typer.Option(help="Its board file; default: the one for which it was provisioned.")
    ] = None,
    operation: Annotated[
        str | None,
        typer.Option(help="What it does: sale (a new one), return, receive, stock-take, query or dispatch."),
    ] = None,
    wifi: Annotated[str | None, typer.Option(help="Name of the Wi-Fi to join; its password is asked for.")] = None,
    wifi_password_file: Annotated[
        Path | None, typer.Option(help="File with that password, in place of asking.")
    ] = None,
    ntp: Annotated[str | None, typer.Option(help="Time server, where the site has one.")] = None,
    link: Annotated[
        bool, typer.Option(help="Wait for the broker and the bridge; not where they are elsewhere.")
    ] = True,
    label: Annotated[Path | None, typer.Option(help="Its label's PDF; default: in the site's folder.")] = None,
    batch: Annotated[bool, typer.Option("--batch", help="One board after the other, a line each.")] = False,
    report: Annotated[Path | None, typer.Option(help="A batch's report, CSV.")] = None,
    request: Annotated[
        Path | None, typer.Option(help="The site is elsewhere: write what the terminal asks of it into this file.")
    ] = None,
    answer: Annotated[
        Path | None, typer.Option(help="The site is elsewhere: go on with the file of `scanlatch site sign`.")
    ] = None,
    leave_site: Annotated[
        str | None, typer.Option(help="It is another site's terminal, and is to leave it: that site's name.")
    ] = None,
    leave_records: Annotated[
        str | None, typer.Option(help="Give up what it holds for that site: the sentence that the refusal tells.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Tell it to a program: one JSON line an event.")] = False,
) -> None:
    """Make a board a terminal of a site: firmware, its own keys, certificate, settings, self-test, label."""
    from scanlatch_tools.flash import ports
    from scanlatch_tools.provision.leaving import Told
    from scanlatch_tools.provision.work import Wish, provision  # brings the bridge's registry along

    if [site, request, answer].count(None) != 2 or (batch and site is None):
        raise ToolError(_("one of --site, --request and --answer; a batch goes with --site"))
    if (label is not None and batch) or (report is not None and not batch):
        raise ToolError(_("--report goes with --batch, and --label with one board"))
    talk = Machine() if as_json else People(texts.brief if batch else texts.text)
    password = None if wifi_password_file is None else _password(wifi_password_file)
    leave = Told(leave_site, leave_records)
    name, first = (None, name) if batch else (name, None)
    wish = Wish(site, at, name, board, operation, ntp, wifi, password, link, label, request, answer, leave)
    try:
        if batch and site:
            _batch(wish, site, first, port, report, talk)
        else:
            provision(wish, ports.chosen(_only(port), talk.ask), talk)
    except ToolError as error:
        talk.quiet()
        if not as_json:
            raise
        talk.event("error", status=error.status, text=str(error))
        raise typer.Exit(error.status) from error


def _only(port: list[str] | None) -> str | None:
    if port and len(port) > 1:
        raise ToolError(_("several ports: --batch does one board after the other"))
    return port[0] if port else None


def _batch(
    wish: "Wish", site: Path, name: str | None, given: list[str] | None, report: Path | None, talk: People | Machine
) -> None:
    from scanlatch_tools import enrol
    from scanlatch_tools import site as sites
    from scanlatch_tools.flash import ports
    from scanlatch_tools.provision import batch
    from scanlatch_tools.provision.work import may_begin

    def taken() -> set[str]:
        with enrol.registry(sites.load(site)) as registry:
            return {row.id for row in registry.listed()}

    def ask_next() -> None:
        talk.event("next", text=_("plug in the next board; Ctrl-C ends"))

    may_begin(wish)
    names, lines = batch.Names(name, taken), None if report is None else batch.Report(report)
    at: Iterator[str]
    if given:
        at = iter(given)
    elif sys.stdin.isatty():
        ask_next()
        at = batch.waiting(ask_next)
    else:
        at = iter([found.name for found in ports.found()] or [ports.chosen(None, talk.ask)])  # or says that none is
    batch.run(wish, names, at, lines, talk)


def _password(path: Path) -> str:
    try:
        raw = path.read_bytes()[: _PASSWORD_FILE_MOST + 1]
        text = raw.decode("utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise ToolError(
            _("{path} can't be read as the Wi-Fi's password: {error}").format(path=path, error=why(error))
        ) from error
    if "\n" in text or len(raw) > _PASSWORD_FILE_MOST:
        raise ToolError(_("{path} holds more than a Wi-Fi's password: one line is wanted").format(path=path))
    return text
