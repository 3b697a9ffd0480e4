"""Tells a person, or a program, what happens to a board, and asks where there is a person."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

_SIGNS = {True: ("✓", "green"), False: ("✗", "red"), None: ("-", "dim")}
_STEPS = 10  # progress events a step, for machines


class People:
    """Tells a person. brief: a line a board only, for a batch."""

    def __init__(self, *, brief: bool = False) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._brief = brief
        self._bars = Progress(
            TextColumn("  {task.description:<12}"), BarColumn(), DownloadColumn(), TimeElapsedColumn(),
            console=self._console, transient=True, disable=not self._console.is_terminal,
        )  # fmt: skip
        self._bar: TaskID | None = None

    def event(self, name: str, **facts: Any) -> None:
        self.quiet()
        text = _text(name, facts)
        if text is not None and (not self._brief or name in ("row", "report", "next")):
            self._console.print(text)

    def progress(self, step: str, done: int, total: int) -> None:
        if self._bar is None:
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

    def secret(self, question: str) -> str | None:
        self.quiet()
        if not sys.stdin.isatty():
            return None
        return str(typer.prompt(question, hide_input=True, default="", show_default=False))


class Machine:
    """Tells a program: one JSON line an event, and asks nobody."""

    def __init__(self) -> None:
        self._told = ("", 0)

    def event(self, name: str, **facts: Any) -> None:
        print(json.dumps({"event": name, **facts}, ensure_ascii=False), flush=True)

    def progress(self, step: str, done: int, total: int) -> None:
        now = (step, done * _STEPS // max(total, 1))
        if now != self._told:
            self._told = now
            self.event("progress", step=step, done=done, of=total)

    def quiet(self) -> None:
        """Nothing moves here."""

    def ask(self, question: str, among: Sequence[str]) -> str | None:  # noqa: ARG002
        return None

    def secret(self, question: str) -> str | None:  # noqa: ARG002
        return None


def _text(name: str, facts: dict[str, Any]) -> Text | None:
    """An event as a person reads it."""
    if name == "check":
        sign, style = _SIGNS[facts["ok"]]
        return Text.assemble((f"  {sign} ", style), f"{facts['what']:<9}{facts['text']}")
    if name == "row":
        sign, style = _SIGNS[facts["ok"]]
        return Text.assemble(
            (f"{sign} ", style), f"{facts['device'] or facts['port']}  {facts['seconds']} s  ", facts["text"]
        )
    if name == "board":
        again = ", again" if facts["before"] else ""
        return Text(f"{facts['device']} for {facts['site']}{again}: {facts['board']} at {facts['port']}")
    if name == "step":
        return Text.assemble(("  ✓ ", "green"), _step(facts), (f"  {facts['seconds']} s", "dim"))
    if name == "done":
        return Text(f"{facts['device']} is ready after {facts['seconds']} s; print its label: {facts['label']}")
    return Text(str(facts["text"])) if name in ("report", "next") else None


def _step(facts: dict[str, Any]) -> str:
    if facts["step"] == "firmware":
        removed = f", {facts['removed']} removed" if facts["removed"] else ""
        return f"its files: {facts['written']} written, {facts['kept']} were there{removed}"
    if facts["step"] == "label":
        return "its label is drawn"
    return str(facts.get("text") or f"{facts['step']} passed")
