"""What was measured, beside what was promised."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import quantiles

from rich.console import Console
from rich.table import Table

from scanlatch_tools.texts import _


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. budget: the limit that it has, None where it is only told; at_least: the limit is a lower one."""

    name: str
    value: float
    unit: str
    budget: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the budget is kept; None where there is none."""
        if self.budget is None:
            return None
        return self.value >= self.budget if self.at_least else self.value <= self.budget


@dataclass(slots=True)
class Report:
    """All figures of one run, what was left out and why, and a line for whoever waits."""

    say: Callable[[str], None]
    figures: list[Figure] = field(default_factory=list[Figure])
    not_run: list[str] = field(default_factory=list[str])

    def add(self, *figures: Figure) -> None:
        """Take figures in."""
        self.figures += figures

    def percentiles(
        self, name: str, values: Sequence[float], unit: str, p50: float | None = None, p99: float | None = None
    ) -> None:
        """Take in median, 95th and 99th percentile of `values`, the budgets of the first and the last with them."""
        for which, budget in ((50, p50), (95, None), (99, p99)):
            self.add(Figure(f"{name}, p{which}", percentile(values, which), unit, budget))

    def as_dict(self) -> dict[str, object]:
        """For --json."""
        figures = [{**asdict(one), "met": one.met} for one in self.figures]
        return {"figures": figures, "not_run": self.not_run}

    def show(self, console: Console) -> None:
        """The table."""
        table = Table(title=_("Scanlatch: measured and promised"), title_justify="left")
        table.add_column(_("what"))
        for heading in (_("measured"), _("budget")):
            table.add_column(heading, justify="right")
        table.add_column("")
        for one in self.figures:
            sign = "≥" if one.at_least else "≤"
            limit = "" if one.budget is None else f"{sign} {one.budget:,g} {one.unit}"
            met = {None: "", True: _("[green]met[/]"), False: _("[bold red]not met[/]")}[one.met]
            table.add_row(one.name, f"{_short(one.value)} {one.unit}", limit, met)
        console.print(table)
        for left_out in self.not_run:
            console.print(_("not run: {left_out}").format(left_out=left_out))


def percentile(values: Sequence[float], which: int) -> float:
    """The `which`-th percentile, by linear interpolation between the two values around it."""
    if len(values) == 1:
        return values[0]
    return quantiles(values, n=100, method="inclusive")[which - 1]


def middle(values: Iterable[float]) -> float:
    """The median."""
    return percentile(list(values), 50)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
