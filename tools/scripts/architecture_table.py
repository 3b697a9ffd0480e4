"""Writes the table of files in docs/architecture.md from the files' own first lines; --check only compares."""

import re
import subprocess
import sys
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- files: written by tools/scripts/architecture_table.py -->", "<!-- files: end -->"

ROOMS = ("firmware/", "host_bridge/", "tools/", "board_configs/", "docs/")
# One row for all that lies below.
FOLDERS = {
    "board_configs/": "one TOML a board: every key is in docs/boards.md, every pin in docs/wiring.md",
    "docs/wiring/": "one picture a board and engine, drawn from the board files; shown in docs/wiring.md",
    "tools/scanlatch_tools/labels/font/": "the Chinese characters of the labels, with licence and source",
    "tools/scanlatch_tools/texts/zh/": "the compiled catalogue, as gettext finds it; made by `tools/scripts/texts.py`",
    "host_bridge/ledger/migrations/": "the ledger's schema, step by step: every version that ever was can be opened",
}
# Files that can't hold a comment.
SAID_HERE = {"firmware/pyrightconfig.json": "types of the device's code, against the stubs of the ESP32"}
_MARKS = re.compile(r'^(?:"""|# |; |// )|"""$')


def main() -> None:
    """Write the table, or with --check exit 1 where it is not what would be written."""
    page = PAGE.read_text("utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{PAGE}: the markers {BEGIN} and {END} are gone")
    wanted = f"{before}{BEGIN}\n\n{_tables()}\n{END}{after}"
    if wanted == page:
        return
    if "--check" in sys.argv[1:]:
        sys.exit("docs/architecture.md is not what the files say: run tools/scripts/architecture_table.py")
    PAGE.write_text(wanted, "utf-8")


def _tables() -> str:
    tables: list[str] = []
    for folder, places in groupby(sorted(_places(), key=_by_folder), key=_folder):
        rows = "\n".join(f"| `{place}` | {_job(place)} |" for place in places)
        tables.append(f"### {folder}\n{_of_folder(folder)}\n| file | its one job |\n|---|---|\n{rows}\n")
    return "\n".join(tables)


def _places() -> set[str]:
    """Every file of the rooms, or the folder that has one row for it."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *ROOMS]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    files = [name for name in listing if (ROOT / name).is_file() and Path(name).name != "__init__.py"]
    return {next((folder for folder in FOLDERS if name.startswith(folder)), name) for name in files}


def _folder(place: str) -> str:
    return place.rstrip("/").rpartition("/")[0] if place not in ROOMS else place.rstrip("/")


def _by_folder(place: str) -> tuple[int, str, str]:
    room = next(at for at, name in enumerate(ROOMS) if place.startswith(name))
    return room, _folder(place), place


def _of_folder(folder: str) -> str:
    package = ROOT / folder / "__init__.py"
    return f"\n{_said(package)}\n" if package.is_file() and package.read_text("utf-8").strip() else ""


def _job(place: str) -> str:
    return FOLDERS.get(place) or SAID_HERE.get(place) or _said(ROOT / place)


def _said(path: Path) -> str:
    """The first line of a file without its marks; the second where the first names an interpreter."""
    first, _, rest = path.read_text("utf-8").partition("\n")
    if first.startswith("#!"):
        first = rest.partition("\n")[0]
    job = _MARKS.sub("", first.strip()).strip()
    if not job or job[0] in "{[":
        sys.exit(f"{path.relative_to(ROOT)}: the first line does not say its one job")
    return job.replace("|", "\\|")


if __name__ == "__main__":
    main()
