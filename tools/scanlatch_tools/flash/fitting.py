"""Which board it is: those whose file fits the chip that answers and its flash."""

from collections.abc import Callable, Sequence

from scanlatch_tools import boards
from scanlatch_tools.boards import Board
from scanlatch_tools.boards.chips import FAMILIES
from scanlatch_tools.errors import ToolError
from scanlatch_tools.flash.errors import NoFitError
from scanlatch_tools.flash.session import Chip
from scanlatch_tools.texts import _

Ask = Callable[[str, Sequence[str]], str | None]


def fit(board: Board, chip: Chip) -> bool:
    """Whether a board's file fits the chip and its flash."""
    return FAMILIES.get(board.board.chip) == chip.kind and board.flash.size_mb <= chip.flash_mb


def chosen(name: str | None, chip: Chip, ask: Ask) -> Board:
    """The board that was named, the only one that fits, or the one that a person chooses.

    Raises:
        NoFitError: the named one doesn't fit, or none does.
        ToolError: several fit and nobody chose.
    """
    if name:
        board = boards.load(name)
        _refuse(board, chip)
        return board
    fitting = {found: board for found in boards.names() if fit(board := boards.load(found), chip)}
    if not fitting:
        raise NoFitError(
            _("no board file fits an {kind} with {flash_mb} MiB of flash: make one with `scanlatch board new`").format(
                kind=chip.kind, flash_mb=chip.flash_mb
            )
        )
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    listed = "\n".join(f"  {found}  {board.board.title}" for found, board in fitting.items())
    answer = ask(_("boards with this chip:\n{listed}\nwhich").format(listed=listed), list(fitting))
    if answer is None:
        raise ToolError(_("several boards have this chip: name yours with --board\n{listed}").format(listed=listed))
    return fitting[answer]


def _refuse(board: Board, chip: Chip) -> None:
    family = FAMILIES.get(board.board.chip)
    if family is None:
        raise NoFitError(_("{name} is no board that can be flashed").format(name=board.board.name))
    others = [found for found in boards.names() if fit(boards.load(found), chip)]
    instead = _("; boards that fit: {others}").format(others=", ".join(others)) if others else ""
    if family != chip.kind:
        raise NoFitError(
            _("{name} has an {family}, this is an {kind} ({text}){instead}").format(
                name=board.board.name, family=family, kind=chip.kind, text=chip.text, instead=instead
            )
        )
    if board.flash.size_mb > chip.flash_mb:
        raise NoFitError(
            _("{name} has {size_mb} MiB of flash, this has {flash_mb} MiB only{instead}").format(
                name=board.board.name, size_mb=board.flash.size_mb, flash_mb=chip.flash_mb, instead=instead
            )
        )
