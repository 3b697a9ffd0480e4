"""Writes what the documents show of the boards: the wiring pictures, and the table of keys; --check only compares."""

import os
import sys
from pathlib import Path

from scanlatch_tools import boards
from scanlatch_tools.boards import keys, picture
from scanlatch_tools.boards.schema import ENGINES

DOCS = Path(__file__).resolve().parents[2] / "docs"
KEYS = DOCS / "boards.md"
PICTURES = DOCS / "wiring"
FIRST_TABLE = "### `[board]`"


def pages() -> dict[Path, str]:
    """Every file that this script writes, with what is in it."""
    text, _, _ = KEYS.read_text("utf-8").partition(FIRST_TABLE)
    wanted = {KEYS: text + keys.markdown()}
    wanted |= {PICTURES / f"{name}.svg": picture.of_board(boards.load(name)) for name in boards.names()}
    wanted |= {PICTURES / f"engine-{kind}.svg": picture.of_engine(kind) for kind in ENGINES}
    return wanted


def main() -> None:
    """Write the files, or with --check exit 1 where one is not what would be written."""
    os.environ["LANGUAGE"] = "en"  # whoever runs this
    wanted = pages()
    stale = {path for path, text in wanted.items() if not path.is_file() or path.read_text("utf-8") != text}
    stale |= set(PICTURES.glob("*")) - set(wanted)
    if "--check" in sys.argv[1:]:
        if stale:
            names = ", ".join(sorted(path.name for path in stale))
            sys.exit(f"{names}: not what the board files and the schema say: run tools/scripts/board_pages.py")
        return
    PICTURES.mkdir(exist_ok=True)
    for path in stale:
        if path in wanted:
            path.write_text(wanted[path], "utf-8")
        else:
            path.unlink()


if __name__ == "__main__":
    main()
