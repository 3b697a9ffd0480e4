"""`scanlatch doctor`: what is wrong with a terminal, and what to do about it."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.text import Text

from scanlatch_tools.errors import ToolError
from scanlatch_tools.talk import Machine, People
from scanlatch_tools.texts import _

_SIGNS = {"ok": ("✓", "green"), "note": ("-", "dim"), "warn": ("!", "yellow"), "bad": ("✗", "red")}
_WIDE = 12  # columns


def app(
    port: Annotated[str | None, typer.Option(help="Where it is plugged in; without it the one that is found.")] = None,
    device: Annotated[str | None, typer.Option(help="Its id, to ask it through the bridge; needs --site.")] = None,
    site: Annotated[
        Path | None, typer.Option(help="The site's folder: what the bridge knows is looked at, too.")
    ] = None,
    board: Annotated[str | None, typer.Option(help="Its board file; default: the one that its settings name.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Tell it to a program: one JSON line a finding.")] = False,
) -> None:
    """Say what is wrong with a terminal: each line a sign, what was found, and what to do."""
    from scanlatch_tools.doctor.finding import Finding, status

    found: list[Finding] = []
    talk = Machine() if as_json else People(said)

    def tell(one: Finding) -> None:
        found.append(one)
        talk.event("finding", about=one.about, key=one.key, level=one.level, text=one.text, advice=one.advice,
                   values=one.values)  # fmt: skip

    try:
        _looked(port, device, site, board, talk, tell)
    except ToolError as error:
        talk.quiet()
        if not as_json:
            raise
        talk.event("error", status=error.status, text=str(error))
        raise typer.Exit(error.status) from error
    ends = status(found)
    talk.event("done", status=ends, warnings=_count(found, "warn"), faults=_count(found, "bad"))
    raise typer.Exit(ends)


def _looked(port: str | None, device: str | None, site: Path | None, board: str | None, talk: Any, tell: Any) -> None:
    if device is not None and port is not None:
        raise ToolError(_("either --port or --device: over the cable, or through the bridge"))
    if device is not None:
        from scanlatch_tools.doctor import over_bridge

        if site is None:
            raise ToolError(_("--device goes through the bridge: name the site's folder with --site"))
        over_bridge.look(site, device, tell)
        return
    from scanlatch_tools.doctor import over_cable
    from scanlatch_tools.flash import ports

    def ask(question: str) -> bool | None:
        answer = talk.ask(f"{question} (y/n)", ("y", "n")) if sys.stdin.isatty() else None
        return None if answer is None else answer == "y"

    over_cable.look(ports.chosen(port, talk.ask), over_cable.Wish(site, board), ask, tell)


def said(name: str, facts: dict[str, Any]) -> Text | str | None:
    """An event as a person reads it."""
    if name == "finding":
        sign, style = _SIGNS[facts["level"]]
        line = Text.assemble((f"{sign} ", style), _padded(_(facts["about"])) + facts["text"])
        if facts["advice"]:
            line.append(
                f"\n  {'':<{_WIDE}}→ {facts['advice']}", style="bold" if facts["level"] in ("warn", "bad") else "dim"
            )
        return line
    if name == "done":
        if not facts["warnings"] and not facts["faults"]:
            return _("nothing is wrong")
        return _("{faults} faults, {warnings} warnings").format(**facts)
    return None


def _padded(word: str) -> str:
    """A word with spaces behind it up to a column: characters of Chinese are two wide."""
    return word + " " * max(1, _WIDE - cell_len(word))


def _count(found: list[Any], level: str) -> int:
    return sum(one.level == level for one in found)
