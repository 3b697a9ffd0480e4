"""`scanlatch demo`: sets a stage, goes through a day on it, and tells what happened."""

import contextlib
import importlib
import json
import tempfile
from contextlib import AbstractContextManager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Protocol, cast

import typer
from rich.console import Console

from scanlatch_tools.demo.view import View
from scanlatch_tools.stage import Stage
from scanlatch_tools.texts import _
from scanlatch_tools.twin.engines import Family


class Scenario(StrEnum):
    """A day that can be played; each is a module of this package."""

    BOX = "box"
    DOCK = "dock"
    FLEET = "fleet"


class _Play(Protocol):
    TITLE: str

    def stage(self, folder: Path) -> AbstractContextManager[Stage]:
        """Everything up but the terminals."""
        ...

    def play(self, stage: Stage, view: View) -> dict[str, Any]:
        """Go through the day; what was seen, with "ok" and "scans", "lost" and "doubled"."""
        ...


def app(
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON last on standard output.")] = False,
    stay: Annotated[bool, typer.Option(help="Leave everything running afterwards, to play with.")] = False,
    folder: Annotated[Path | None, typer.Option(help="Where its files go; default: a temporary folder.")] = None,
    scenario: Annotated[Scenario, typer.Option(help="Which day.")] = Scenario.BOX,
    engine: Annotated[Family, typer.Option(help="Family of the terminals' scan engines.")] = Family.GROW,
    detect: Annotated[bool, typer.Option(help="The terminals have to find out which family it is.")] = False,
) -> None:
    """The main job on this machine: from pictures of barcodes to the light on the terminal."""
    console = Console(stderr=as_json)
    day = cast(_Play, importlib.import_module(f"scanlatch_tools.demo.{scenario}"))
    with tempfile.TemporaryDirectory(prefix="scanlatch-demo-") as temporary:
        told = _run(day, folder or Path(temporary), console, stay, engine, detect)
    if as_json:
        print(json.dumps(told))
    raise typer.Exit(0 if told["ok"] else 1)


def _run(day: _Play, folder: Path, console: Console, stay: bool, engine: str, detect: bool) -> dict[str, Any]:
    with View(console, day.TITLE) as view, day.stage(folder) as stage:
        stage.engine, stage.detect = engine, detect
        told = day.play(stage, view)
        console.print(_summary(told))
        if stay:
            _stay(console, stage)
    return told


def _summary(told: dict[str, Any]) -> str:
    verdict = _("[bold green]all as it must be[/]") if told["ok"] else _("[bold red]not as it must be[/]")
    said = _("{verdict}: {scans} scans, lost {lost}, doubled {doubled}")
    return said.format(verdict=verdict, scans=told["scans"], lost=told["lost"], doubled=told["doubled"])


def _stay(console: Console, stage: Stage) -> None:
    console.print(
        _("everything runs on, in {folder}. Type a code, or a picture's path; Ctrl-C ends").format(folder=stage.folder)
    )
    twin = next(iter(stage.terminals.values()))
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        while True:
            said = console.input("scan> ").strip()
            if Path(said).is_file():
                twin.scan_picture(Path(said))
            elif said:
                twin.scan(said)
