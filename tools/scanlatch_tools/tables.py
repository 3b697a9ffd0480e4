"""Shows a table to a person: what does not fit into the window is wrapped by it, and never left out."""

from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

_WIDEST = 1_000  # columns


def show(table: Table) -> None:
    """Print it, as wide as the window, at least as wide as its longest words; whole where it goes to a program."""
    console = Console(highlight=False)
    for column in table.columns:  # else rich shrinks it to nothing
        words = [word for cell in (column.header, *column.cells) for word in str(cell).split()]
        column.min_width = max(column.min_width or 0, *map(cell_len, words), 0)
    needed = Measurement.get(console, console.options.update(max_width=_WIDEST), table)
    console.width = max(console.width, needed.minimum) if console.is_terminal else needed.maximum
    console.print(table, crop=False)
