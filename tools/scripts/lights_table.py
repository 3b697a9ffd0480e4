"""Writes what the documents show of light and tone, from the patterns that the terminal plays; --check compares."""

import re
import sys
from pathlib import Path

from scanlatch_tools import light_picture, light_table, places

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "lights.md"
PICTURES = DOCS / "lights"
FIRST_ROW = "| pattern |"


def pages() -> dict[Path, str]:
    """Every file that this script writes: the table, and a picture for each light that a page shows."""
    patterns = places.firmware() / "scanlatch" / "show" / "patterns.py"
    text, _, _ = PAGE.read_text("utf-8").partition(FIRST_ROW)
    wanted = {PAGE: text + light_table.markdown(patterns)}
    shown = {
        name for page in DOCS.glob("*.md") for name in re.findall(r"\(lights/([\w-]+)\.svg\)", page.read_text("utf-8"))
    }
    rows = {row.name: row for row in light_table.rows(patterns)}
    if unknown := sorted(shown - set(rows)):
        sys.exit(f"no such light: {', '.join(unknown)}")
    return wanted | {PICTURES / f"{name}.svg": light_picture.strip(rows[name]) for name in shown}


def main() -> None:
    """Write the files, or with --check exit 1 where one is not what would be written."""
    wanted = pages()
    stale = {path for path, text in wanted.items() if not path.is_file() or path.read_text("utf-8") != text}
    stale |= set(PICTURES.glob("*")) - set(wanted)
    if "--check" in sys.argv[1:]:
        if stale:
            names = ", ".join(sorted(path.name for path in stale))
            sys.exit(f"{names}: not what the terminal plays: run tools/scripts/lights_table.py")
        return
    PICTURES.mkdir(exist_ok=True)
    for path in stale:
        if path in wanted:
            path.write_text(wanted[path], "utf-8")
        else:
            path.unlink()


if __name__ == "__main__":
    main()
