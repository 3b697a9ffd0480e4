"""What the demo shows: a live table while it runs, and at the end the books and the times."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from scanlatch_tools.demo.scenario import Step
from scanlatch_tools.texts import N_, _

_COLOURS = {
    "accepted": "green",
    "duplicate": "dark_orange",
    "rejected": "red",
    "pending": "blue",
    "wrong_symbol": "yellow",
    "torn": "yellow",
    "kept": "deep_sky_blue1",
}
_TIMES = (
    (N_("read light"), "read_ms"),
    (N_("kept on flash"), "kept_ms"),
    (N_("answer of the bridge"), "answer_ms"),
)


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds from the last byte of the symbol: median and 95th percentile, and of how many."""

    name: str
    count: int
    p50: float
    p95: float


class View:
    """A live table on a terminal; plain lines where standard output is none."""

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._steps: list[Step] = []
        self._live = Live(self._table(), console=console, refresh_per_second=8) if console.is_terminal else None

    def __enter__(self) -> "View":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_about: object) -> None:
        if self._live:
            self._live.stop()

    def say(self, text: str) -> None:
        """A line about what is being set up."""
        self._console.print(text, style="dim")

    def add(self, step: Step) -> None:
        """A step is over."""
        self._steps.append(step)
        if self._live:
            self._live.update(self._table())
        else:
            self._console.print(_line(step), markup=False)

    def finish(self) -> None:
        """Leave the whole table on the screen."""
        if self._live:
            self._live.update(self._table(), refresh=True)
        else:
            self._console.print(self._table())

    def times(self, times: Sequence[Times]) -> None:
        """The table of latencies."""
        table = Table(title=_("milliseconds from the symbol's last byte"), title_justify="left")
        table.add_column(_("until"))
        for heading in (_("scans"), "p50", "p95"):
            table.add_column(heading, justify="right")
        for row in times:
            table.add_row(_(row.name), str(row.count), f"{row.p50:.1f}", f"{row.p95:.1f}")
        self._console.print(table)

    def _table(self) -> Table:
        table = Table(title=_(self._title), title_justify="left")
        for heading in (_("what happens"), _("terminal"), _("light")):
            table.add_column(heading)
        table.add_column(_("ms"), justify="right")
        table.add_column("")
        for step in self._steps:
            took = step.scan.answer_ms if step.scan else None
            ms = "" if took is None else f"{took:.0f}"
            table.add_row(step.title, step.desk, _light(step.seen), ms, _sign(step))
        return table


def times_of(steps: Sequence[Step]) -> list[Times]:
    """Latencies of the scans that ended with an answer of the bridge while all was up, and of all local lights."""
    scans = [step.scan for step in steps if step.scan]
    found: list[Times] = []
    for name, attribute in _TIMES:
        values = [
            value
            for scan in scans
            if (value := getattr(scan, attribute)) is not None
            and not (attribute == "answer_ms" and scan.answer in ("pending", "kept"))
        ]
        if values:
            found.append(Times(name, len(values), percentile(values, 50), percentile(values, 95)))
    return found


def percentile(values: Sequence[float], which: int) -> float:
    """The `which`-th percentile, by linear interpolation between the two values around it."""
    if len(values) == 1:
        return values[0]
    return quantiles(values, n=100, method="inclusive")[which - 1]


def _light(seen: str) -> Text:
    return Text(f"● {seen}", style=_COLOURS.get(seen.split(",")[0], "white"))


def _sign(step: Step) -> Text:
    if step.good:
        return Text(_("as it must be"), style="green")
    return Text(_("wanted {wanted}").format(wanted=step.wanted), style="bold red")


def _line(step: Step) -> str:
    return f"{_('ok  ') if step.good else _('FAIL')} {step.title} [{step.desk}]: {step.seen}"
