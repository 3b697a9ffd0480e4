"""The tree is what docs/architecture.md says, rooms know only whom they may know, and files stay small."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.order import LONGEST

ROOT = Path(__file__).parent.parent
ARCHITECTURE = ROOT / "docs" / "architecture.md"
LINES_MAX = 300
CODE = {".py", ".sh", ".mjs", ".toml", ".cddl"}
DOCUMENTED = ("firmware/", "host_bridge/", "tools/", "board_configs/", "docs/")
TOP_LEVEL = {
    ".ci", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "README.zh-CN.md", "SECURITY.md",
    "board_configs", "docs", "firmware", "host_bridge", "pyproject.toml", "pyrightconfig.json",
    "requirements.lock", "tests", "tools",
}  # fmt: skip
# Which device rooms a device room may import from, besides itself.
DEVICE_ROOMS: dict[str, set[str]] = {
    "read": set(),
    "prove": set(),
    "keep": set(),
    "show": set(),
    "send": {"prove", "keep"},
    "system": {"read", "prove", "keep", "show", "send"},
}
HARDWARE = {"machine", "network", "esp32", "neopixel"}


def tracked() -> list[str]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [name for name in listing.splitlines() if (ROOT / name).is_file()]


def generated(name: str) -> bool:
    return "generated" in (ROOT / name).read_text().partition("\n")[0].lower()


def rows() -> list[str]:
    """Places named in the tables of docs/architecture.md: a file, or a folder ending in a slash."""
    return re.findall(r"^\| `([^`]+)` \|", ARCHITECTURE.read_text(), re.MULTILINE)


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def test_nothing_stands_at_the_top_that_is_not_a_room_or_its_paper() -> None:
    assert {name.split("/")[0] for name in tracked()} == TOP_LEVEL


def test_every_file_has_its_row_and_every_row_its_file() -> None:
    places = rows()
    files = [name for name in tracked() if name.startswith(DOCUMENTED) and Path(name).name != "__init__.py"]
    folders = tuple(place for place in places if place.endswith("/"))
    homeless = [name for name in files if name not in places and not name.startswith(folders)]
    assert not homeless, f"no row in docs/architecture.md: {homeless}"
    empty = [place for place in places if not (ROOT / place).exists()]
    assert not empty, f"rows in docs/architecture.md without a file: {empty}"
    assert len(places) == len(set(places)), "a place stands twice in docs/architecture.md"


@pytest.mark.parametrize("kind", sorted(CODE))
def test_no_file_is_long(kind: str) -> None:
    long = {
        name: lines
        for name in tracked()
        if name.endswith(kind) and (lines := (ROOT / name).read_text().count("\n")) > LINES_MAX and not generated(name)
    }
    assert not long, long


def test_the_firmware_knows_nobody() -> None:
    for path in (ROOT / "firmware").rglob("*.py"):
        for name in imports(path):
            assert not name.startswith(("host_bridge", "scanlatch_tools", "tests")), f"{path}: {name}"


def test_device_rooms_import_only_along_the_arrows() -> None:
    package = ROOT / "firmware" / "scanlatch"
    for room, allowed in DEVICE_ROOMS.items():
        for path in (package / room).rglob("*.py"):
            used = {name.split(".")[1] for name in imports(path) if name.startswith("scanlatch.")}
            used |= set(re.findall(r'\bload\("(\w+)', path.read_text()))
            assert used <= allowed | {room, "VERSION", "forget", "load"}, f"{path} uses {used}"


def test_hardware_is_touched_only_in_system() -> None:
    for path in (ROOT / "firmware" / "scanlatch").rglob("*.py"):
        if "system" not in path.parts:
            assert not imports(path) & HARDWARE, path


def test_only_the_clock_asks_for_the_time() -> None:
    for path in (ROOT / "firmware" / "scanlatch").rglob("*.py"):
        if path.name != "clock.py":
            assert not imports(path) & {"time", "utime"}, path


def test_the_bridge_knows_neither_the_device_nor_the_tools() -> None:
    for path in (ROOT / "host_bridge").rglob("*.py"):
        for name in imports(path):
            assert not name.startswith(("scanlatch", "scanlatch_tools", "tests")), f"{path}: {name}"


def test_only_the_ledger_speaks_sql() -> None:
    for path in (ROOT / "host_bridge").rglob("*.py"):
        if "ledger" not in path.relative_to(ROOT / "host_bridge").parts:
            assert not any(name.startswith(("sqlalchemy", "sqlite3", "alembic")) for name in imports(path)), path


def test_no_device_decision_hangs_on_an_assert() -> None:
    for path in (ROOT / "firmware").rglob("*.py"):
        found = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Assert)]
        assert not found, f"{path}: the compiler strips assert"


def test_the_test_files_that_come_first_are_there() -> None:
    assert [name for name in LONGEST if not (ROOT / "tests" / name).is_file()] == []


def test_every_first_line_says_the_files_one_job() -> None:
    for name in tracked():
        path = ROOT / name
        if not name.endswith(".py") or not name.startswith(("firmware/", "host_bridge/", "tools/")):
            continue
        first = path.read_text().partition("\n")[0]
        assert first.startswith(("# ", '"""')), f"{name}: the first line says nothing"


def test_every_dependency_has_its_reason() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    text = ARCHITECTURE.read_text()
    for entry in wanted:
        name = re.split(r"[<>=;\[ ]", entry)[0]
        assert re.search(rf"^\| {re.escape(name)} \|", text, re.MULTILINE), f"docs/architecture.md: why {name}?"
