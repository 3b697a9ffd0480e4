"""The small stores, and the twin's flash that the journal's tests rely on; on real MicroPython."""

import json

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
