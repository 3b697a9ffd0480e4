"""Compiles the catalogue of Chinese texts, and says what it lacks of what the code can say; --check only says."""

import argparse
import ast
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import typer
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from scanlatch_tools import cli
from scanlatch_tools.boards.schema import Board, unit, variants

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ROOT / "tools" / "scanlatch_tools" / "texts"
CATALOGUE, COMPILED = TEXTS / "zh.po", TEXTS / "zh" / "LC_MESSAGES" / "scanlatch.mo"
MARKS = {"_", "N_", "n_", "text"}


class Said(NamedTuple):
    """A sentence that a person may be told. several: its plural, "" without one."""

    one: str
    several: str = ""


def sources() -> list[Path]:
    """The files that can tell a person something: not what runs on another interpreter, or by itself."""
    found = [*(ROOT / "host_bridge").rglob("*.py"), *(ROOT / "tools" / "scanlatch_tools").rglob("*.py")]
    elsewhere = {"stand_ins", "migrations"}
    return [path for path in found if not elsewhere & set(path.parts) and path.name != "verify.py"]


def said() -> dict[Said, str]:
    """Everything that the code can say, and where: marked sentences, help, what a board's keys mean, typer's own."""
    found: dict[Said, str] = {}
    for path in sources():
        for sentence in marked(ast.parse(path.read_text("utf-8"))):
            found.setdefault(sentence, str(path.relative_to(ROOT)))
    for text in help_texts():
        found.setdefault(Said(text), "help")
    for text in _of_boards():
        found.setdefault(Said(text), "board files")
    for name in ("core.py", "rich_utils.py"):
        for sentence in marked(ast.parse((Path(typer.__file__).parent / name).read_text("utf-8"))):
            found.setdefault(sentence, "typer")
    return found


def marked(tree: ast.AST) -> Iterator[Said]:
    """The sentences that stand in `_()` and its kin."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS and node.args:
            words = [arg.value for arg in node.args[:2] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            if words:
                yield Said(*words) if node.func.id == "n_" else Said(words[0])


def help_texts() -> Iterator[str]:
    """What --help shows, of every command."""
    for name in ["", *cli.PARTS]:
        yield from _help_of(typer.main.get_command(cli.app(name)))


def _help_of(command: Any) -> Iterator[str]:
    its_help = command.get_help_option(command.context_class(command))
    for one in (command, its_help, *command.params):
        yield from filter(None, (getattr(one, "help", None), getattr(one, "short_help", None)))
    for below in getattr(command, "commands", {}).values():
        yield from _help_of(below)


def _of_boards() -> Iterator[str]:
    for table, about in Board.model_fields.items():
        for field in [about, *(field for model in variants(table) for field in model.model_fields.values())]:
            yield from filter(None, (field.description, unit(field)))


def catalogue() -> dict[Said, str]:
    """The Chinese by sentence. Raises an error of Babel where the file can't be read."""
    found: dict[Said, str] = {}
    with CATALOGUE.open("rb") as file:
        messages: Any = read_po(file, abort_invalid=True)
        for message in messages:
            if message.id:
                plural = isinstance(message.id, (list, tuple))
                ids = message.id if plural else (message.id,)
                found[Said(*map(str, ids))] = str(message.string[0] if plural else message.string)
    return found


def compiled() -> bytes:
    """The catalogue as gettext reads it."""
    made = io.BytesIO()
    with CATALOGUE.open("rb") as file:
        write_mo(made, read_po(file))
    return made.getvalue()


def main() -> None:
    """Compile; exit 1 where a sentence has no Chinese, or where one is in the catalogue that nobody says."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true")

    given = arguments.parse_args()
    wanted, there = said(), catalogue()
    if not given.check:
        COMPILED.parent.mkdir(parents=True, exist_ok=True)
        COMPILED.write_bytes(compiled())
    missing = {sentence: where for sentence, where in wanted.items() if not there.get(sentence)}
    stale = [sentence for sentence in there if sentence not in wanted]
    for sentence, where in missing.items():
        print(f"no Chinese ({where}): {sentence.one!r}")
    for sentence in stale:
        print(f"said nowhere: {sentence.one!r}")
    sys.exit(1 if missing or stale else 0)


if __name__ == "__main__":
    main()
