"""`scanlatch flash`: from a board out of its bag to one that runs MicroPython with our partition table."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from scanlatch_tools.errors import ToolError

_BAUD = 460_800
_KEPT = {"nvs": "keys", "vfs": "files", "scanlog": "journal"}
_STEPS = 10  # progress events a step, for machines


class _People:
    """Tells a person, and asks where there is one."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._bars = Progress(
            TextColumn("{task.description:<16}"), BarColumn(), DownloadColumn(), TimeElapsedColumn(),
            console=self._console, transient=True,
        )  # fmt: skip
        self._bar: TaskID | None = None
        self._step = ""

    def event(self, name: str, **facts: Any) -> None:
        self.quiet()
        text = _text(name, facts)
        if text:
            self._console.print(text, markup=False)

    def progress(self, step: str, done: int, total: int) -> None:
        if self._bar is None or self._step != step:
            self.quiet()
            self._step = step
            self._bars.start()
            self._bar = self._bars.add_task(step, total=total)
        self._bars.update(self._bar, completed=done, total=total)

    def quiet(self) -> None:
        """No bar moves any more."""
        if self._bar is not None:
            self._bars.stop()
            self._bars.remove_task(self._bar)
            self._bar = None

    def ask(self, question: str, among: Sequence[str]) -> str | None:
        self.quiet()
        if not sys.stdin.isatty():
            return None
        while True:
            answer = typer.prompt(question)
            if answer in among:
                return str(answer)
            self._console.print(f"one of {', '.join(among)}", markup=False)

    def typed(self, question: str, phrase: str) -> bool:
        self.quiet()
        if not sys.stdin.isatty():
            return False
        self._console.print(f"{question}. Save them with `scanlatch rescue`: press Enter, and do that.", markup=False)
        return typer.prompt(f'to lose them for ever type "{phrase}"', default="", show_default=False) == phrase


class _Machine:
    """Tells a program: one JSON line an event, and asks nobody."""

    def __init__(self) -> None:
        self._told = ("", 0)

    def event(self, name: str, **facts: Any) -> None:
        print(json.dumps({"event": name, **facts}), flush=True)

    def progress(self, step: str, done: int, total: int) -> None:
        now = (step, done * _STEPS // max(total, 1))
        if now != self._told:
            self._told = now
            self.event("progress", step=step, done=done, of=total)

    def quiet(self) -> None:
        """Nothing moves here."""

    def ask(self, question: str, among: Sequence[str]) -> str | None:  # noqa: ARG002
        return None

    def typed(self, question: str, phrase: str) -> bool:  # noqa: ARG002
        return False


def app(
    board: Annotated[str | None, typer.Option(help="Its board file; without it those that fit are proposed.")] = None,
    port: Annotated[str | None, typer.Option(help="Where it is plugged in; without it the one that is found.")] = None,
    image: Annotated[
        Path | None, typer.Option(help="MicroPython's .bin; without it the newest that was added for this board.")
    ] = None,
    baud: Annotated[int, typer.Option(help="Speed of the cable, bit/s.")] = _BAUD,
    stub: Annotated[bool, typer.Option(help="Load esptool's stub into the chip: faster.")] = True,
    read_all: Annotated[bool, typer.Option(help="Read every byte back, besides the loader's MD5.")] = False,
    erase_journal: Annotated[
        str | None, typer.Option(help="Give up records that were not sent: the sentence that the refusal tells.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Tell it to a program: one JSON line an event.")] = False,
) -> None:
    """Write MicroPython and our partition table into a board, and verify it."""
    from scanlatch_tools.flash.work import Wish, flash  # brings esptool along

    talk = _Machine() if as_json else _People()
    try:
        flash(Wish(port, board, image, stub, baud, read_all, erase_journal), talk)
    except ToolError as error:
        talk.quiet()
        if not as_json:
            raise
        talk.event("error", status=error.status, text=str(error))
        raise typer.Exit(error.status) from error


def _text(name: str, facts: dict[str, Any]) -> str | None:
    """An event as a person reads it."""
    if name == "chip":
        return f"{facts['text']}, {facts['flash_mb']} MiB of flash, {facts['mac']}"
    if name == "board":
        return f"board: {facts['board']} ({facts['title']})"
    if name == "image":
        listed = "" if facts["listed"] else ", not in the list of known images"
        return f"image: MicroPython {facts['version']} of {facts['date']}{listed}"
    if name == "journal" and facts["sectors"] and not facts["unsent"]:
        return "journal: nothing in it that the bridge does not have"
    if name == "plan" and facts["keeps"]:
        return f"kept: {', '.join(_KEPT[label] for label in facts['keeps'])}"
    if name == "written":
        part = facts["area"].removeprefix("blank ")
        done = "written" if part == facts["area"] else "blanked"
        return f"{done}: {part}, {facts['bytes']:,} bytes at {facts['at']:#x}"
    if name == "verified":
        return f"verified: {facts['md5']:,} bytes by their MD5s, {facts['read_back']:,} read back"
    if name == "done":
        told = f"flashed {facts['board']} in {facts['seconds']} s"
        return told if facts["reset"] else f"{told}: this port can't reset it, so take its power off and put it back"
    return {"port": f"port: {facts.get('port')}", "erased": "the journal is given up"}.get(name)
