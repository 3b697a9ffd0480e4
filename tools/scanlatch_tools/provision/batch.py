"""Many boards, one after the other: a line each, and a report as CSV."""

import csv
import io
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

from host_bridge.errors import BridgeError
from scanlatch_tools import outfile
from scanlatch_tools.errors import ToolError
from scanlatch_tools.flash import ports
from scanlatch_tools.provision.errors import SomeFailedError
from scanlatch_tools.provision.facts import Facts
from scanlatch_tools.provision.work import Talk, Wish, provision
from scanlatch_tools.site_plan import check_name
from scanlatch_tools.texts import _, told
from scanlatch_tools.texts.foreign import why

_NUMBERED = re.compile(r"(.*?)([0-9]+)")
_LOOK_S = 1.0
BOARDS_MOST = 10_000
_MARK = "\ufeff"  # by which spreadsheets know a CSV file's characters
_REPORT_MOST = 16 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Row:
    """A board's line in the report. ok: it is a terminal and passed its self-test; text: why not."""

    port: str
    device: str
    site: str
    board: str
    ok: bool
    seconds: float
    text: str


_COLUMNS = [field.name for field in fields(Row)]
_BEGINS = ((_MARK + ",".join(_COLUMNS)).encode(), ",".join(_COLUMNS).encode())  # the latter of older ones


class Report:
    """A batch's report: the lines that the file has of batches before stay, and this batch's come behind them.

    Raises:
        ToolError: it can't be written there, or the file holds something else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        outfile.must_fit(path, _BEGINS)
        self._lines = _before(path)

    def __str__(self) -> str:
        return str(self._path)

    def add(self, row: Row) -> None:
        """Write the file anew, with one more line. Raises ToolError."""
        self._lines.append([str(getattr(row, name)) for name in _COLUMNS])
        text = io.StringIO(newline="")
        csv.writer(text).writerows([_COLUMNS, *self._lines])
        outfile.write(self._path, (_MARK + text.getvalue()).encode(), _BEGINS)


def _before(path: Path) -> list[list[str]]:
    try:
        with path.open("rb") as file:
            raw = file.read(_REPORT_MOST + 1)
        if len(raw) > _REPORT_MOST:
            raise ToolError(_("the report {report} is full: begin another one").format(report=path))
        return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))[1:]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, csv.Error) as error:
        raise ToolError(
            _("the report {report} can't be read: {error}").format(report=path, error=why(error))
        ) from error


class Once:
    """A talk that asks a secret once for all boards, and again behind a board that failed: it may have been wrong."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._known: dict[str, str | None] = {}
        self.event, self.progress, self.ask = talk.event, talk.progress, talk.ask

    def secret(self, question: str) -> str | None:
        """What was typed, now or for a board before."""
        if self._known.get(question) is None:
            self._known[question] = self._talk.secret(question)
        return self._known[question]

    def forget(self) -> None:
        """Ask again."""
        self._known.clear()


class Names:
    """Ids for boards that have none: `first`, and then its number goes up; None: the boards make their own.

    taken: ids that were ever given.
    """

    def __init__(self, first: str | None, taken: Callable[[], set[str]]) -> None:
        if first is not None and not _NUMBERED.fullmatch(first):
            raise ToolError(
                _("--name {first!r}: in a batch it ends with the first board's number, such as window-01").format(
                    first=first
                )
            )
        if first is not None:
            check_name(first, _("device id"))
        self._next = first
        self._taken = taken

    def of(self, told: Facts) -> str | None:
        """The id of a board."""
        if told.device or self._next is None:
            return told.device or None
        taken = self._taken()
        while self._next in taken:
            self._next = following(self._next)
        return self._next


def following(name: str) -> str:
    """The name with the next number, as wide as before."""
    found = _NUMBERED.fullmatch(name)
    if found is None:
        raise ToolError(_("{name!r} ends with no number").format(name=name))
    return f"{found[1]}{int(found[2]) + 1:0{len(found[2])}}"


def run(wish: Wish, names: Names, at: Iterator[str], report: Report | None, talk: Talk) -> list[Row]:
    """Provision the boards at the ports that `at` gives. A board that fails does not stop the next.

    Raises:
        SomeFailedError: at the end, where one did; the others are done.
        ToolError: the report can't be written.
    """
    rows: list[Row] = []
    once = Once(talk)
    for port in at:
        rows.append(_one(wish, names, port, once))
        last = rows[-1]
        if not last.ok:
            once.forget()
        talk.event("row", **{name: getattr(last, name) for name in _COLUMNS})
        if report is not None:
            report.add(last)
        if len(rows) >= BOARDS_MOST:
            break
    failed = [row for row in rows if not row.ok]
    where = _(", see {report}").format(report=report) if report else ""
    talk.event(
        "report",
        boards=len(rows),
        failed=len(failed),
        text=_("{ready} of {count} boards are ready{where}").format(
            ready=len(rows) - len(failed), count=len(rows), where=where
        ),
    )
    if failed:
        raise SomeFailedError(
            _("{failed} of {count} boards are not ready: run the same command again for them").format(
                failed=len(failed), count=len(rows)
            )
        )
    return rows


def waiting(ask_next: Callable[[], None]) -> Iterator[str]:
    """Ports as boards are plugged in, until Ctrl-C; each once while it is there."""
    seen: set[str] = set()
    try:
        while True:
            there = {port.name for port in ports.found()}
            new = sorted(there - seen)
            seen &= there
            if new:
                seen.add(new[0])
                yield new[0]
                ask_next()
            else:
                time.sleep(_LOOK_S)
    except KeyboardInterrupt:
        return


def _one(wish: Wish, names: Names, port: str, talk: Talk) -> Row:
    began = time.monotonic()
    device = ""

    def name(told: Facts) -> str | None:
        nonlocal device
        device = names.of(told) or told.own_name
        return device

    try:
        done = provision(replace(wish, label=None), port, talk, name)
        return Row(port, done.device, done.site, done.board, True, done.seconds, _("new") if done.anew else _("again"))
    except (ToolError, BridgeError) as error:
        seconds = round(time.monotonic() - began, 1)
        return Row(port, device, wish.at or "", wish.board or "", False, seconds, " ".join(told(error).split()))
