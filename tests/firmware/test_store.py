"""The small stores, and the twin's flash that the journal's tests rely on; on real MicroPython."""

import json
import re
from pathlib import Path

import pytest
from scanlatch_tools import places
from scanlatch_tools.twin import interpreter

from tests import device

SCRIPTS = ("store_cases.py", "flash_cases.py")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for script in SCRIPTS:
        folder = tmp_path_factory.mktemp("twin")
        (folder / "twin.json").write_text(json.dumps({"sectors": 8}))
        done = interpreter.run(
            ["-c", f"import cases; cases.run_all(__import__({script.removesuffix('.py')!r}))"],
            interpreter.search_path(places.firmware(), device.SCRIPTS),
            heap="4M",
            cwd=folder,
            environment={"SCANLATCH_TWIN": str(folder)},
        )
        assert done.returncode == 0, done.stderr
        for block in done.stdout.split("\x1e")[1:]:
            name, _, outcome = block.partition("\x1f")
            found[script, name] = outcome.strip()
    return found


@pytest.mark.parametrize(("script", "name"), [(script, name) for script in SCRIPTS for name in device.names(script)])
def test_store(outcomes: dict[tuple[str, str], str], script: str, name: str) -> None:
    assert outcomes[script, name] == "ok"


# Which start this is, so that no nonce comes twice; the floor of the clock, which the next enrolment moves on; the
# highest update that ran, below which none is ever taken.
_OUTLIVES = {"boot", "last_time", "update"}
_BY_A_NAME = {"outage_lasts", "bridge_next", "agree_key"}  # asked for by a constant that holds it
_NVS_LONGEST = 15  # characters of a key (ESP-IDF: NVS_KEY_NAME_MAX_SIZE, with its end)


def test_a_retired_terminal_keeps_nothing_that_it_stored_but_what_must_outlive_it() -> None:
    folder = places.firmware() / "scanlatch"
    called = re.compile(r'\.(?:[gs]et_(?:int|bytes)|erase)\("(\w+)"')
    stored = _BY_A_NAME | {name for file in folder.rglob("*.py") for name in called.findall(file.read_text("utf-8"))}
    assert len(stored) > len(_BY_A_NAME) + len(_OUTLIVES)
    wiped = "".join(re.findall(r'"([^"]*)"', _assigned(folder / "system" / "retire.py", "_STORED"))).split()
    assert stored - set(wiped) == _OUTLIVES
    assert [name for name in stored if len(name) > _NVS_LONGEST] == []
    assert wiped[0] == "sign_key", "cut from here on it signs nothing any more"
    assert wiped[-1] == "device", "the next enrolment sees what was cut"


def _assigned(file: Path, name: str) -> str:
    found = re.search(rf"^{name} = \((.*?)^\)", file.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found
    return found[1]
