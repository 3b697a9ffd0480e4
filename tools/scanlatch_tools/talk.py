"""Tells a person, or a program, what happens to a board, and asks where there is a person."""

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from scanlatch_tools.texts import _

_STEPS = 10  # progress events a step, for machines


class People:
    """Tells a person. said(name, facts): an event as a person reads it, or None."""

    def __init__(self, said: Callable[[str, dict[str, Any]], Text | str | None]) -> None:
        self._said = said
        self._console = Console(highlight=False, soft_wrap=True)
        self._bars = Progress(
            TextColumn("{task.description:<16}"), BarColumn(), DownloadColumn(), TimeElapsedColumn(),
            console=self._console, transient=True, disable=not self._console.is_terminal,
        )  # fmt: skip
        self._bar: TaskID | None = None
        self._step = ""

    def event(self, name: str, **facts: Any) -> None:
        self.quiet()
        text = self._said(name, facts)
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
        """One of `among`; None where nobody is there."""
        self.quiet()
        if not sys.stdin.isatty():
            return None
        while True:
            answer = typer.prompt(question)
            if answer in among:
                return str(answer)
            self._console.print(_("one of {among}").format(among=", ".join(among)), markup=False)

    def secret(self, question: str) -> str | None:
        """What is typed unseen; None where nobody is there."""
        self.quiet()
        if not sys.stdin.isatty():
            return None
        return str(typer.prompt(question, hide_input=True, default="", show_default=False))

    def typed(self, question: str, phrase: str) -> bool:
        """Whether the person types the whole phrase: what can't be undone is not done by a key hit in haste."""
        self.quiet()
        if not sys.stdin.isatty():
            return False
        return typer.prompt(f'{question} "{phrase}"', default="", show_default=False) == phrase


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

    def typed(self, question: str, phrase: str) -> bool:  # noqa: ARG002
        return False
