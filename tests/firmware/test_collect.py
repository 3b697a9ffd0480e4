"""Garbage is collected at chosen moments: the places are listed, and none lies on the way of a plain scan.

From "read" to "kept" a scan is one call that no other task interrupts, so only what it calls itself can collect.
"""

import ast

import pytest
from scanlatch_tools import places

from tests import device

# Who calls gc.collect(), and when that is.
CHOSEN = {
    ("scanlatch/__init__.py", "load"): "a module that is needed rarely is loaded",
    ("scanlatch/send/opening.py", "connect"): "a handshake is to begin",
    ("scanlatch/send/uplink.py", "_live"): "a link has ended",
    ("scanlatch/send/uplink.py", "_open"): "a link is to be opened",
    ("scanlatch/system/health.py", "collect"): "somebody quiet asked for it",
}
# Who has it done by `health.collect`.
ASKED = {
    ("scanlatch/system/idle.py", "run"): "no byte came for 100 ms, and 16 KB were allocated since",
    ("scanlatch/system/report.py", "made"): "the health message is made",
}


def _callers(name: str) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    root = places.firmware()
    for path in sorted(root.rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(name):
                    place = path.relative_to(root).as_posix(), function.name
                    found[place] = found.get(place, 0) + 1
    return found


def test_garbage_is_collected_where_somebody_chose_it_and_nowhere_else() -> None:
    assert set(_callers("gc.collect")) == set(CHOSEN)
    assert set(_callers("health.collect")) == set(ASKED)


def test_a_scan_is_one_call_from_read_to_kept() -> None:
    tree = ast.parse((places.firmware() / "scanlatch" / "scan.py").read_text())
    assert not [one for one in ast.walk(tree) if isinstance(one, ast.AsyncFunctionDef | ast.Await)]


def test_nothing_collects_by_a_threshold() -> None:
    assert _callers("gc.threshold") == {("scanlatch/app.py", "run"): 1}
    assert "gc.threshold(-1)" in (places.firmware() / "scanlatch" / "app.py").read_text()


@pytest.mark.parametrize("name", device.names("collect_cases.py"))
def test_collections(name: str) -> None:
    device.check("collect_cases.py", name)
