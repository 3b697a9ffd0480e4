"""An update over the cable: the terminal takes what its site signed, nothing else, and goes back where it fails."""

import shlex
from pathlib import Path

import pytest
from scanlatch_tools import cli
from scanlatch_tools.cable import connected
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin.chip.bare import BareBoard
from scanlatch_tools.update import build, by_cable
from scanlatch_tools.update import key as keys

from tests.bridge.updated import KEY
from tests.tools import provision_case as case
from tests.tools.conftest import DOCTORED

_BACK_S = 120  # a busy machine: three starts that fail, and one that does not


def _run(command: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(shlex.split(command)[1:])
    return int(ended.value.code or 0)


@pytest.fixture
def family(board: BareBoard) -> str:
    with connected(str(board.port)) as cable:
        told = by_cable.facts(cable)
        cable.restart()
    assert told["slot"] == "a"
    return str(told["family"])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Firmware that starts anew as soon as it runs."""
    package = tmp_path / "firmware" / "scanlatch"
    package.mkdir(parents=True)
    (package / "app.py").write_text(f"import machine\n\nTEXT = '{2_000 * 'x'}'\n\n\ndef run():\n    machine.reset()\n")
    (package / "__init__.py").write_text('VERSION = "0.1.8"\n')
    return package.parent


def test_what_another_key_signed_or_another_kind_of_board_runs_is_refused(
    stage: Stage,
    board: BareBoard,
    family: str,
    source: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)  # no site's folder: the terminal alone verifies
    bundle = tmp_path / "foreign.slb"
    for data, says in (
        (build.build(KEY, family, source), "another release key"),
        (build.build(keys.private(stage.site.folder), "esp32-rv32imc-6.3", source), "another kind of board"),
    ):
        bundle.write_bytes(data)
        assert _run(f"scanlatch update --port {board.port} --bundle {bundle}") == 1
        assert says in capsys.readouterr().err
    assert _run(f"scanlatch update --port {board.port} --bundle {bundle} --site {tmp_path}") == 1  # that was named
    assert "is no site" in capsys.readouterr().err


def test_firmware_that_fails_is_taken_back_by_the_terminal_itself(
    stage: Stage, board: BareBoard, family: str, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = tmp_path / "broken.slb"
    site = stage.site.folder
    assert _run(f"scanlatch update build --site {site} --firmware {source} --family {family} --out {bundle}") == 0
    desk = Desk(DOCTORED, case.SITE, board)
    assert _run(f"scanlatch update --port {board.port} --bundle {bundle} --site {site}") == 0
    mark = board.mark()
    assert "on trial" in capsys.readouterr().out
    desk.wait_online(_BACK_S, mark)
    slot = (board.files / "slot").read_bytes().decode("latin-1").split()
    assert slot[:3] == ["a", "b", "3"], "three starts were counted, and the old one runs"
