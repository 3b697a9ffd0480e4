"""Cable and power lost at each step of provisioning: the same command again makes the terminal that was meant."""

import os
from collections.abc import Iterator
from pathlib import Path

from scanlatch_tools.cable import CableLostError, NoAnswerError
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin.chip.bare import BareBoard

from tests.tools import provision_case as case
from tests.tools.flash_case import flashed

FULL = bool(os.environ.get("SCANLATCH_FULL"))
EVERY = 1 if FULL else 4  # calls between two pulls, of those that copy no file
COPYING = 12 if FULL else 40  # calls of a run that copies files: enough for the longest to get through
COPYING_VARIES = 7
PULLS_MOST = 200
CALLS_LEAST, CALLS_MOST = 8, 40  # of a run that copies no file


def test_pulled_at_each_call_the_same_command_mends_it(stage: Stage, codes: Iterator[str], tmp_path: Path) -> None:
    with case.PulledBoard(tmp_path / "board") as board:
        board.start()
        flashed(board, tmp_path, "esp32")
        pulled = 0
        while _is_pulled(stage, board, "pulled-01", COPYING + pulled % COPYING_VARIES, bool(pulled % 2)):
            pulled += 1
            assert pulled < PULLS_MOST, "it gets no further"
        assert pulled >= (5 if FULL else 1)
        _without_keys(board)
        calls = range(1, CALLS_MOST, EVERY)
        got = next(at for at in calls if not _is_pulled(stage, board, "pulled-03", at, bool(at // EVERY % 2)))
        assert got >= CALLS_LEAST
        case.sold(board, "pulled-03", next(codes))
        case.is_what_was_meant(stage, board, "pulled-03")


def _without_keys(board: BareBoard) -> None:
    """As it is when its files were copied, and no more."""
    board.kill()
    for name in ("nvs.json", "files/settings.json", "files/ca.der", "files/device.der"):
        (board.folder / name).unlink()
    board.start()


def _is_pulled(stage: Stage, board: case.PulledBoard, device: str, at: int, whole: bool) -> bool:
    """Whether the cable was pulled at this call of a run; it is in again then. False: the run has fewer calls."""
    board.arm(at, whole)
    try:
        case.made(stage, board, name=device)
    except (CableLostError, NoAnswerError):
        assert board.pulled.wait(60), "lost, and nobody pulled"
        board.put_cable_in()
        return True
    assert board.pull is not None
    board.pull = None
    return False
