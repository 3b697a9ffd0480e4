"""The documents are true: their links lead somewhere, what they name is there, their tables are what the code says."""

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path

import pytest
from scanlatch_tools import boards, light_table

from host_bridge import config
from host_bridge.ledger import alerts
from tests.documents import PAGES, ROOT, codes, links, usage


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), link
        if anchor:
            titles = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles], link


@cache
def tracked() -> list[str]:
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    return subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_tests_that_are_named_are_there(page: Path) -> None:
    for code in codes(page):
        path, _, name = code.partition("::")
        if re.fullmatch(r"(firmware|host_bridge|tools|tests|docs|board_configs)/[\w./-]*", path):
            assert (ROOT / path).exists(), code
        elif re.fullmatch(r"[\w./-]+\.py", path):
            assert any(file.endswith("/" + path) for file in tracked()), code
        if name:
            assert f"def {name}(" in (ROOT / path).read_text(), code


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_running_text_exist_with_their_options(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for code in codes(page):
        if target := re.match(r"make ([a-z]+)\b", code):
            assert re.search(rf"^{target[1]}:", makefile, re.MULTILINE), code
        elif code.startswith("scanlatch "):
            words = [word for word in shlex.split(code)[1:] if re.fullmatch(r"[a-z][\w-]*", word)]
            assert all(option in usage(*words) for option in re.findall(r"--[a-z-]+", code)), code


def test_the_table_of_lights_is_what_the_terminal_plays() -> None:
    patterns = ROOT / "firmware" / "scanlatch" / "show" / "patterns.py"
    page = (ROOT / "docs" / "lights.md").read_text("utf-8")
    assert page.endswith(light_table.markdown(patterns)), "run tools/scripts/lights_table.py"


def test_the_table_of_files_is_what_the_files_say() -> None:
    script = ROOT / "tools" / "scripts" / "architecture_table.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_setting_alert_event_and_metric_is_in_the_operators_page() -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    wanted = {"sites.<id>.name", *_bridge_keys(), *_terminal_keys()}
    wanted |= {value for name, value in vars(alerts).items() if name.isupper() and isinstance(value, str)}
    for path in (ROOT / "host_bridge").rglob("*.py"):
        wanted |= set(re.findall(r'_log\.\w+\(\s*"([^"]+)"', path.read_text()))
    wanted |= set(re.findall(r'"(scanlatch_\w+)"', (ROOT / "host_bridge" / "metrics.py").read_text()))
    assert [name for name in sorted(wanted) if f"`{name}`" not in page] == []


def _bridge_keys() -> Iterator[str]:
    for section, kind in config.Config.__annotations__.items():
        if isinstance(kind, type) and is_dataclass(kind):
            yield from (f"{section}.{field.name}" for field in fields(kind))


def _terminal_keys() -> Iterator[str]:
    source = ast.parse((ROOT / "firmware" / "scanlatch" / "system" / "settings.py").read_text())
    known = next(
        node.value
        for node in source.body
        if isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) == "_KNOWN"
        and isinstance(node.value, ast.Dict)
    )
    yield from _keys(known, "")


def _keys(table: ast.Dict, where: str) -> Iterator[str]:
    for key, value in zip(table.keys, table.values, strict=True):
        name = where + ast.literal_eval(key or ast.Constant("")).rstrip("?")
        if isinstance(value, ast.Dict):
            yield from _keys(value, name + ".")
        else:
            yield name


@pytest.mark.parametrize("board", boards.names())
def test_wiring_has_every_pin_of_a_board(board: str) -> None:
    _, _, rest = (ROOT / "docs" / "wiring.md").read_text("utf-8").partition(f"## `{board}`\n")
    section = rest.partition("\n## ")[0]
    missing = {
        key: pin for key, pin in boards.pins(boards.load(board)).items() if not re.search(rf"\b{pin}\b", section)
    }
    assert not missing
