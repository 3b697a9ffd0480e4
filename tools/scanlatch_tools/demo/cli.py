"""`scanlatch demo`: sets the stage, goes through the day, and tells what happened."""

import contextlib
import json
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from scanlatch_tools.books import Books
from scanlatch_tools.demo import scenario
from scanlatch_tools.demo.desk import LOCAL, Desk
from scanlatch_tools.demo.view import View, times_of
from scanlatch_tools.stage import Stage

_CODES = [scenario.FIRST, scenario.GS1_CODE, *scenario.OFFLINE, scenario.LATE, scenario.CUT]


def app(
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON last on standard output.")] = False,
    stay: Annotated[bool, typer.Option(help="Leave everything running afterwards, to play with.")] = False,
    folder: Annotated[Path | None, typer.Option(help="Where its files go; default: a temporary folder.")] = None,
) -> None:
    """The main job on this machine: from pictures of barcodes to the light on the terminal."""
    console = Console(stderr=as_json)
    with tempfile.TemporaryDirectory(prefix="scanlatch-demo-") as temporary:
        place = folder or Path(temporary)
        told = _run(place, console, stay)
    if as_json:
        print(json.dumps(told))
    raise typer.Exit(0 if told["ok"] else 1)


def _run(folder: Path, console: Console, stay: bool) -> dict[str, object]:
    stage = Stage(folder, [scenario.WINDOW_SITE, scenario.OTHER_SITE])
    with View(console) as view, stage:
        view.say(
            "up: broker (amqtt, in this process), platform, bridge. Topic rights are proven with mosquitto, in tests"
        )
        stage.platform.know(_CODES)
        desks = [
            Desk(device, at, stage.terminal(device, at))
            for device, at in (("d-window-01", scenario.WINDOW_SITE), ("d-window-02", scenario.OTHER_SITE))
        ]
        for desk in desks:
            desk.wait_ready()
            view.say(f"up: terminal {desk.device} at {desk.at}, with keys that it made itself")
        day = scenario.Day(stage, desks[0], desks[1], time.sleep)
        for step in day.run():
            view.add(step)
        view.finish()
        view.times(times_of(day.steps))
        told = _count(stage, desks, day)
        console.print(_summary(told))
        if stay:
            _stay(console, stage)
    return told


def _count(stage: Stage, desks: list[Desk], day: scenario.Day) -> dict[str, object]:
    """Everything as it was seen on the lights and found in the books, nothing as it was planned."""
    scans = [step.scan for step in day.steps if step.scan]
    answers = [scan.answer for scan in scans]
    lost = doubled = 0
    with Books(stage.site) as books:
        for desk in desks:
            entries = books.entries(desk.device)
            lost += max(0, desk.kept - len(entries)) + (0 if books.unbroken(desk.device) else 1)
            doubled += max(0, len(entries) - desk.kept)
    doubled += sum(max(0, len(stage.platform.sales(code)) - 1) for code in _CODES)
    violations = sum(len(desk.twin.violations()) for desk in desks)
    answer = next((times for times in times_of(day.steps) if times.name.startswith("answer")), None)
    return {
        "scans": len(scans),
        "accepted": answers.count("accepted"),
        "rejected": answers.count("rejected"),
        "duplicate": answers.count("duplicate"),
        "pending_then_final": day.pending_then_final,
        "local_refusals": sum(seen in LOCAL for seen in answers),
        "lost": lost,
        "doubled": doubled,
        "p50_ms": round(answer.p50, 1) if answer else None,
        "p95_ms": round(answer.p95, 1) if answer else None,
        "ok": not lost and not doubled and not violations and all(step.good for step in day.steps),
    }


def _summary(told: dict[str, object]) -> str:
    verdict = "[bold green]all as it must be[/]" if told["ok"] else "[bold red]not as it must be[/]"
    return f"{verdict}: {told['scans']} scans, lost {told['lost']}, doubled {told['doubled']}"


def _stay(console: Console, stage: Stage) -> None:
    console.print(f"everything runs on, in {stage.folder}. Type a code, or a picture's path; Ctrl-C ends")
    twin = next(iter(stage.terminals.values()))
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        while True:
            said = console.input("scan> ").strip()
            if Path(said).is_file():
                twin.scan_picture(Path(said))
            elif said:
                twin.scan(said)
