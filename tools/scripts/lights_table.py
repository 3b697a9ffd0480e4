"""Writes the table of light and tone in docs/lights.md from the patterns that the terminal plays; --check compares."""

import sys
from pathlib import Path

from scanlatch_tools import light_table, places

PAGE = Path(__file__).resolve().parents[2] / "docs" / "lights.md"
FIRST_ROW = "| pattern |"


def main() -> None:
    """Write the table below the page's text, or with --check exit 1 where it is not what would be written."""
    page = PAGE.read_text("utf-8")
    text, _, _ = page.partition(FIRST_ROW)
    wanted = text + light_table.markdown(places.firmware() / "scanlatch" / "show" / "patterns.py")
    if wanted == page:
        return
    if "--check" in sys.argv[1:]:
        sys.exit("docs/lights.md is not what the terminal plays: run tools/scripts/lights_table.py")
    PAGE.write_text(wanted, "utf-8")


if __name__ == "__main__":
    main()
