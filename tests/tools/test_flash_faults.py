"""What goes wrong on the way to a chip's loader, at every step: it is said, and the same command again mends it."""

import os
from pathlib import Path
from typing import Any

import pytest
from scanlatch_tools.flash.errors import BrokenOffError, NoChipError, NotAsWrittenError
from scanlatch_tools.flash.work import flash
from scanlatch_tools.twin.chip import made_image
from scanlatch_tools.twin.chip.bare import BareBoard
from scanlatch_tools.twin.chip.nor import FlashChip

from tests.tools.flash_case import CHIP, LOG_AT, LOG_SIZE, Listener, flashed, keep_records, until, wish

FULL = os.environ.get("SCANLATCH_FULL") == "1"
POINTS = 4  # cables pulled in the ordinary suite; all of them with SCANLATCH_FULL=1


@pytest.mark.timeout(3000 if FULL else 300)
def test_a_cable_pulled_at_any_step_is_mended_by_the_same_command(tmp_path: Path) -> None:
    with BareBoard(tmp_path / "board", chip=CHIP) as board:
        board.start()
        flashed(board, tmp_path)
        steps = board.faults.commands
        wanted = wish(board, tmp_path)
        points = range(1, steps + 1) if FULL else [steps * (2 * n + 1) // (2 * POINTS) for n in range(POINTS)]
        for point in points:
            _blank(board)
            board.faults.commands, board.faults.pull_at = 0, point
            with pytest.raises((BrokenOffError, NoChipError)) as broken:
                flash(wanted, Listener())
            assert broken.value.status in (3, 6), point
            assert not board.port.exists()
            board.put_cable_in()
            flash(wanted, Listener())
            until(lambda: board.runs)
            assert board.flash.read(0x10000, 150_080) == made_image.image(CHIP)[0x10000:], point
            assert board.flash.violations == [], point


def _blank(board: BareBoard) -> None:
    board.kill()
    board.flash.erase(0, board.flash.size)
    board.start()


@pytest.mark.parametrize("part", [0.2, 0.72, 0.9])
def test_noise_on_the_line_is_got_over_or_said(tmp_path: Path, part: float) -> None:
    with BareBoard(tmp_path / "board", chip=CHIP) as board:
        board.start()
        board.faults.noise_at = int(390 * part)
        wanted = wish(board, tmp_path)
        try:
            flash(wanted, Listener())
        except BrokenOffError as error:
            assert "--baud 115200" in str(error)
            flash(wanted, Listener())
        until(lambda: board.runs)
        assert board.flash.violations == []


def test_a_line_that_is_all_noise_and_one_that_is_silent_have_no_chip(tmp_path: Path) -> None:
    with BareBoard(tmp_path / "board", chip=CHIP) as board:
        board.start()
        for fault in ("silent", "noisy"):
            setattr(board.faults, fault, True)
            with pytest.raises(NoChipError, match="hold BOOT, press RESET"):
                flash(wish(board, tmp_path), Listener())
            setattr(board.faults, fault, False)
        flashed(board, tmp_path)


def test_a_slow_chip_is_waited_for(tmp_path: Path) -> None:
    with BareBoard(tmp_path / "board", chip=CHIP) as board:
        board.start()
        board.faults.slow_s = 0.001
        flashed(board, tmp_path)


def test_flash_that_holds_something_else_is_found_out(tmp_path: Path) -> None:
    with BareBoard(tmp_path / "board", chip=CHIP) as board:
        board.start()
        board.faults.wrong_md5 = 1
        with pytest.raises(NotAsWrittenError, match="does not hold what was written: run this again") as wrong:
            flash(wish(board, tmp_path), Listener())
        assert wrong.value.status == 7
        flashed(board, tmp_path)


def test_a_pull_while_records_are_given_up_is_mended_by_the_same_command(tmp_path: Path) -> None:
    with BareBoard(tmp_path / "board", chip=CHIP) as board:
        board.start()
        flashed(board, tmp_path)
        keep_records(board, tmp_path, kept=3, freed=0)
        wanted = wish(board, tmp_path, erase="erase 3 records")

        class Puller(Listener):
            behind = 0

            def event(self, name: str, **facts: Any) -> None:
                super().event(name, **facts)
                if facts.get("area") == "program":  # the journal's sectors come next
                    board.faults.pull_at = board.faults.commands + self.behind

        for Puller.behind in (12, 16):
            with pytest.raises(BrokenOffError):
                flash(wanted, Puller())
            board.put_cable_in()
        flash(wanted, Listener())
        until(lambda: board.runs)
        assert b"record 1" not in board.flash.read(LOG_AT, LOG_SIZE)


# The stand-in itself is strict


def test_the_stand_in_s_flash_does_not_let_bits_rise(tmp_path: Path) -> None:
    chip = FlashChip(tmp_path / "flash.bin", 1 << 20)
    chip.program(0x1000, b"\xf0")
    assert chip.violations == []
    chip.program(0x1000, b"\x0f")
    assert chip.violations == [(0x1000, 1)]
    assert chip.read(0x1000, 1) == b"\0"
    chip.erase(0x1000, 1)
    chip.program(0x1000, b"\x0f")
    assert chip.read(0xFFF, 3) == b"\xff\x0f\xff"
    chip.close()


@pytest.mark.parametrize(
    ("at", "why"), [(0x8003, "partition table"), (0x9000 - 1, ""), (0x10200, "program"), (4, "loader")]
)
def test_the_stand_in_boots_nothing_that_is_damaged(tmp_path: Path, at: int, why: str) -> None:
    with BareBoard(tmp_path / "board", chip=CHIP) as board:
        board.start()
        flashed(board, tmp_path)
        board.kill()
        board.flash.program(at, b"\0")
        board.start()
        assert why in board.why
        assert board.runs == (not why)
