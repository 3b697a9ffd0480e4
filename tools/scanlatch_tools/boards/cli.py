"""`scanlatch board`: checks board files, lists them, makes new ones, and draws how they are wired."""

import os
import re
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from scanlatch_tools import boards, outfile
from scanlatch_tools.boards import new, picture, svg
from scanlatch_tools.boards.chips import CHIPS
from scanlatch_tools.boards.schema import ENGINES, Lan
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _

app = typer.Typer(help="How each board is wired: pins, engine, light, network.", no_args_is_help=True)

_WIDTH = 120  # of the list: wider than a narrow terminal, so that names stay whole
_Which = Annotated[str, typer.Argument(help="A board's name, or the path of its file.")]


@app.command("check")
def check_command(
    file: Annotated[
        list[str] | None, typer.Argument(help="Names or files; all that come with this by default.")
    ] = None,
) -> None:
    """Hold board files against the schema and their chips; exit 1 where one is wrong."""
    wrong = 0
    for name in file or boards.names():
        try:
            board = boards.load(name)
        except boards.BoardFileError as error:
            wrong += 1
            typer.echo(str(error), err=True)
        else:
            typer.echo(_("{name}: right, {count} pins").format(name=name, count=len(boards.pins(board))))
    if wrong:
        raise ToolError(_("{wrong} of {count} are wrong").format(wrong=wrong, count=len(file or boards.names())))


@app.command("list")
def list_command() -> None:
    """List the boards that come with this package."""
    table = Table(_("name"), _("title"), _("chip"), _("engine"), _("network"), _("flash"), box=None, pad_edge=False)
    for name in boards.names():
        board = boards.load(name)
        network = board.network.phy if isinstance(board.network, Lan) else "Wi-Fi"
        engine = f"{board.engine.kind}, {board.engine.baud or ENGINES[board.engine.kind]}"
        chip = board.board.chip
        table.add_row(name, board.board.title, chip, engine, network, f"{board.flash.size_mb} MiB")
    console = Console(highlight=False)
    console.width = max(console.width, _WIDTH)
    console.print(table)


@app.command("new")
def new_command(
    file: Annotated[Path, typer.Argument(help="The file to make; its name is the board's.")],
    like: Annotated[str | None, typer.Option(help="Take defaults from this board, or file.")] = None,
    answer: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE, not asked for; repeat for more.")
    ] = None,
    ask: Annotated[bool, typer.Option("--ask/--no-ask", help="Whether to ask for what was not set.")] = True,
) -> None:
    """Ask for a board's wiring, check each answer at once, and write a commented file."""
    if file.suffix != ".toml" or not re.fullmatch("[a-z0-9-]{1,32}", file.stem):
        raise ToolError(
            _("{file}: a board's file is called a-z 0-9 -, at most 32 of them, and .toml").format(file=file.name)
        )
    if file.exists():
        raise ToolError(_("{file} is there already: choose another name, or take it away first").format(file=file))
    if not os.access(file.resolve().parent, os.W_OK | os.X_OK):  # told before a person has answered thirty questions
        raise ToolError(_("{folder} is no folder that takes a file from you").format(folder=file.resolve().parent))
    given: dict[str, str] = {}
    for pair in answer or ():
        key, equals, value = pair.partition("=")
        if not equals:
            raise ToolError(_("--set {pair}: write it as KEY=VALUE, such as uart.tx=4").format(pair=pair))
        given[key.strip()] = value.strip()
    tables = boards.tables(like)[1] if like else {}
    made = new.made(file.stem, tables, given, _ask if ask else None, typer.echo)
    new.write(file, made)
    typer.echo(_("made {file}; look at it: scanlatch board draw {file}").format(file=file))


@app.command("draw")
def draw_command(
    file: _Which,
    to: Annotated[Path | None, typer.Option(help="The picture (SVG); the board's name by default.")] = None,
) -> None:
    """Draw how a board is wired, as a picture for a browser or a printer."""
    board = boards.load(file)
    path = to or Path(f"{board.board.name}.svg")
    outfile.write(path, picture.of_board(board).encode(), svg.BEGINS)
    typer.echo(
        _("drew {path}: {title}, {count} pins").format(
            path=path, title=CHIPS[board.board.chip].title, count=len(boards.pins(board))
        )
    )


def _ask(key: str, means: str, default: str | None) -> str:
    typer.echo(typer.style(f"\n{means}", dim=True))
    return str(typer.prompt(key, default=default))
