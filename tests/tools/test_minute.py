"""The technician's minute: `flash`, `provision`, one barcode; a bare board sells, wherever its cable was pulled."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scanlatch_tools.flash.work import flash as flash_board
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin.chip.bare import BareBoard

from tests.documents import BIN
from tests.tools import flash_case
from tests.tools import provision_case as case

FULL = bool(os.environ.get("SCANLATCH_FULL"))
FLASHING = range(1, 14) if FULL else (2, 9)  # words of a flash behind which it is pulled; a bare board's has 13
MADE, MAKING = 14, range(1, 15) if FULL else (3, 10)  # words of provisioning, and the same of it
_TESTED = 8  # from this word on it is started and watched: what was heard before the pull may be enough


def test_a_bare_board_is_flashed_provisioned_and_sells(stage: Stage, codes: Iterator[str], tmp_path: Path) -> None:
    with BareBoard(tmp_path / "board") as board:
        board.start()
        (tmp_path / "password").write_text(case.PASSWORD + "\n")
        began = time.monotonic()
        flash = _run(
            "flash", "--port", board.port, "--board", case.BOARD, "--image", flash_case.image(tmp_path, "esp32")
        )
        assert flash[-1]["event"] == "done"
        wifi = ("--wifi", "clinic", "--wifi-password-file", tmp_path / "password")
        told = _run(
            "provision", "--site", stage.site.folder, "--port", board.port, "--board", case.BOARD, *wifi,
        )  # fmt: skip
        own = f"t-{board.mac.hex()[-6:]}"  # as nobody named it
        assert told[-1]["device"] == own
        case.sold(board, own, next(codes))
        took = time.monotonic() - began
    steps = {row["step"]: row["seconds"] for row in told if row["event"] == "step"}
    assert list(steps) == ["firmware", "enrol", "label", "self-test"]
    assert {row["what"]: row["ok"] for row in told if row["event"] == "check"} == {
        "program": True, "journal": True, "engine": True, "link": True, "bridge": True,
    }  # fmt: skip
    assert told[-1]["event"] == "done"
    assert Path(told[-1]["label"]).read_bytes().startswith(b"%PDF")
    print(f"flash {flash[-1]['seconds']} s, provision {told[-1]['seconds']} s {steps}, to the green light {took:.1f} s")


def _run(*arguments: object) -> list[dict[str, Any]]:
    done = subprocess.run(
        [BIN / "scanlatch", *map(str, arguments), "--json"], capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_pulled_behind_each_word_of_both_commands_the_same_commands_again_make_a_board_that_sells(
    stage: Stage, codes: Iterator[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanlatch_tools.cable.cable._OPEN_S", 0.3)  # nobody puts it in while the self-test waits
    times: dict[str, float] = {}
    with BareBoard(tmp_path / "board") as board:
        board.start()
        wish = flash_case.wish(board, tmp_path, "esp32")
        for number in FLASHING:
            began = time.monotonic()
            pulling = case.Listener(number, board)
            lost = case.lost(board, lambda talk=pulling: flash_board(wish, talk))
            assert lost or pulling.events[-1][0] in ("verified", "done"), number  # then nothing is asked any more
            _put_in(board)
            times[f"flash, pulled behind {pulling.events[-1][0]}"] = time.monotonic() - began
        began = time.monotonic()
        talk = case.Listener()
        flash_board(wish, talk)
        assert talk.events[-1][0] == "done"
        times["flash"] = time.monotonic() - began
        flash_case.until(lambda: board.runs)
        for number in MAKING:
            began = time.monotonic()
            pulling = case.Listener(number, board)
            lost = case.lost(board, lambda talk=pulling: case.made(stage, board, talk, name="pulled-02"))
            assert lost or number >= _TESTED, number
            _put_in(board)
            times[f"provision, pulled behind {pulling.events[-1][0]} {number}"] = time.monotonic() - began
        began = time.monotonic()
        talk = case.Listener()
        case.made(stage, board, talk, name="pulled-02")
        assert len(talk.events) == MADE
        times["provision"] = time.monotonic() - began
        case.sold(board, "pulled-02", next(codes))
        times["to the green light"] = time.monotonic() - began
        case.is_what_was_meant(stage, board, "pulled-02")
    print("\n".join(f"{name}: {took:.1f} s" for name, took in times.items()))


def _put_in(board: BareBoard) -> None:
    """The cable, where it was pulled behind the last word and nobody noticed."""
    if not board.port.exists():
        board.put_cable_in()
