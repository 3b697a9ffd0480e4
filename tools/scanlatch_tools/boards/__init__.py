"""Board files: read, held against their schema and their chip, and made small for the terminal."""

import tomllib
from pathlib import Path
from typing import Any

from scanlatch_tools import places
from scanlatch_tools.boards.checks import Tables, clashes, uses
from scanlatch_tools.boards.compact import compiled
from scanlatch_tools.boards.schema import Board, EngineKind
from scanlatch_tools.boards.words import nearest, wrong_keys
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import why

__all__ = ["Board", "BoardFileError", "compiled", "load", "names", "pins", "problems", "tables", "with_engine"]


class BoardFileError(ToolError):
    """A board file is not as it must be; says which file, which key, and what to write instead."""


def names() -> list[str]:
    """Names of the boards that come with this package."""
    return sorted(path.stem for path in places.board_configs().glob("*.toml"))


def load(name_or_path: str | Path) -> Board:
    """A board, checked, from a name (`m5-atom-lite`) or the path of a file (`mine.toml`).

    Raises:
        BoardFileError: there is no such board, or its file is wrong.
    """
    path, found = tables(name_or_path)
    wrong = problems(found)
    if not wrong and found["board"]["name"] != path.stem:
        wrong = [
            _("board.name is {name!r}: the file is called {stem}").format(name=found["board"]["name"], stem=path.stem)
        ]
    if wrong:
        raise BoardFileError("\n".join(f"{path.name}: {trouble}" for trouble in wrong))
    return Board.model_validate(found)


def tables(name_or_path: str | Path) -> tuple[Path, Tables]:
    """Path and tables of a board file, unchecked.

    Raises:
        BoardFileError: there is no such board, or its file can't be read.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = places.board_configs() / f"{name_or_path}.toml"
        if not path.is_file():
            raise BoardFileError(
                _("no board {name!r}{nearest}").format(
                    name=str(name_or_path), nearest=nearest(str(name_or_path), names())
                )
            )
    try:
        return path, tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BoardFileError(_("{path} can't be read: {error}").format(path=path, error=why(error))) from error
    except (ValueError, RecursionError) as error:  # the latter of brackets in brackets
        raise BoardFileError(_("{path} is no TOML: {error}").format(path=path, error=why(error))) from error


def problems(found: dict[str, Any]) -> list[str]:
    """What is wrong with a board's tables: keys first; what clashes only once the keys are right."""
    return list(wrong_keys(found)) or list(clashes(Board.model_validate(found).model_dump(exclude_none=True)))


def pins(board: Board) -> dict[str, int]:
    """Every pin that a board uses, by its key (`uart.tx`)."""
    return {use.key: use.pin for use in uses(board.model_dump(exclude_none=True))}


def with_engine(board: Board, kind: EngineKind | str, baud: int | None = None) -> Board:
    """The same board with an engine of another family, at that family's first speed or at `baud` bits a second.

    Raises:
        BoardFileError: there is no such family or speed.
    """
    found = board.model_dump(exclude_none=True)
    found["engine"] = {**found["engine"], "kind": kind, "baud": baud}
    if baud is None:
        del found["engine"]["baud"]
    for trouble in problems(found):
        raise BoardFileError(trouble)
    return Board.model_validate(found)
