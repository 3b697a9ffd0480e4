"""`scanlatch flash` against the stand-in of a chip's loader: whole flashes, what they keep, and what they refuse."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
from scanlatch_tools import boards
from scanlatch_tools.errors import ToolError
from scanlatch_tools.flash import cli, partitions
from scanlatch_tools.flash.errors import NoChipError, NoFitError, UnsentError
from scanlatch_tools.flash.journal import Holds
from scanlatch_tools.flash.ports import Port
from scanlatch_tools.flash.work import flash, given_up
from scanlatch_tools.twin.chip import made_image
from scanlatch_tools.twin.chip.bare import BareBoard
from scanlatch_tools.twin.interpreter import NoInterpreterError
from typer.testing import CliRunner

from tests.documents import BIN
from tests.tools.flash_case import BOARDS, CHIP, LOG_AT, Listener, flashed, image, keep_records, rows, until, wish

SIZES = {"esp32": 4, "esp32s3": 16, "esp32c3": 4}
RAW = {"esp32": 0x1000, "esp32s3": 0, "esp32c3": 0}


@pytest.mark.parametrize("stub", [True, False], ids=["stub", "no-stub"])
@pytest.mark.parametrize("chip", BOARDS)
def test_a_bare_board_is_flashed_and_runs_over_the_same_port(tmp_path: Path, chip: str, stub: bool) -> None:
    with BareBoard(tmp_path / "board", chip=chip, flash_mb=SIZES[chip]) as board:
        board.start()
        assert "invalid header" in board.why
        done, listener = flashed(board, tmp_path, chip, stub=stub)
        assert board.why == ""
        assert board.flash.violations == []
        assert (done.board, done.version) == (BOARDS[chip], made_image.VERSION)
        assert listener.told("chip")["flash_mb"] == SIZES[chip]
        assert listener.told("verified")["md5"] > 150_000
        assert listener.steps["write program"][0] == listener.steps["write program"][1] == 150_080
        found = rows(board.flash.read(0x8000, 0x1000))
        assert found["scanlog"] == (1, 0x40, *_place(chip, "scanlog"))
        assert found["factory"] == (0, 0, 0x10000, _place(chip, "fs")[0] - 0x10000)
        whole = made_image.image(chip)
        assert board.flash.read(0x10000, 150_080) == whole[0x10000 - RAW[chip] :]
        size = boards.load(BOARDS[chip]).flash.size_mb
        assert board.flash.read(RAW[chip] + 3, 1)[0] >> 4 == size.bit_length() - 1  # or partitions were refused at boot
        if not stub:
            return
        said = subprocess.run(
            [BIN / "mpremote", "connect", board.port, "exec", "import esp32; print(esp32.Partition.find(1)[0].info())"],
            capture_output=True, text=True, timeout=60, check=True,
        ).stdout  # fmt: skip
        assert "'scanlog'" in said


def _place(chip: str, part: str) -> tuple[int, int]:
    flash = boards.load(BOARDS[chip]).flash.model_dump()
    return flash[f"{part}_at"], flash[f"{part}_kb"] << 10


@pytest.mark.parametrize("size", partitions.LAYOUTS)
def test_each_layout_fits_its_flash_and_reads_as_it_was_meant(size: int) -> None:
    tables = boards.load("esp32-s3-devkitc").model_dump(exclude_none=True)
    tables["flash"] = {**tables["flash"], "size_mb": size, **partitions.LAYOUTS[size]}
    assert boards.problems(tables) == []
    parts = partitions.of_board(boards.Board.model_validate(tables))
    raw = partitions.table(parts)
    assert len(raw) == 0x1000
    assert rows(raw) == {part.label: (*part.kind, part.at, part.size) for part in parts}
    assert partitions.read(raw) == parts
    end = 0x9000
    for part in parts:
        assert part.at >= end
        end = part.at + part.size
    assert end <= size << 20


@pytest.mark.parametrize("name", boards.names())
def test_every_board_has_the_layout_of_its_size(name: str) -> None:
    flash = boards.load(name).flash
    assert {key: getattr(flash, key) for key in partitions.LAYOUTS[4]} == partitions.LAYOUTS[flash.size_mb]


def test_flashed_again_it_keeps_keys_files_and_journal(tmp_path: Path) -> None:
    with BareBoard(tmp_path / "board", chip=CHIP) as board:
        board.start()
        flashed(board, tmp_path)
        (board.files / "settings.json").write_text("{}")
        keep_records(board, tmp_path, kept=3, freed=3)
        before = board.flash.read(LOG_AT, 0x100000)
        _, listener = flashed(board, tmp_path)
        assert listener.told("plan")["keeps"] == ["nvs", "vfs", "scanlog"]
        assert (board.files / "settings.json").exists()
        assert board.flash.read(LOG_AT, 0x100000) == before


def test_another_layout_leaves_nothing_of_the_old_files_and_all_of_the_old_records(tmp_path: Path) -> None:
    with BareBoard(tmp_path / "board", chip=CHIP) as board:
        board.start()
        flashed(board, tmp_path)
        (board.files / "old.py").write_text("")
        mine = tmp_path / "mine.toml"
        shown = (boards.places.board_configs() / "esp32-c3-devkitm.toml").read_text()
        mine.write_text(shown.replace('"esp32-c3-devkitm"', '"mine"') + "fs_kb = 512\nscanlog_at = 0x280000\n")
        keep_records(board, tmp_path, kept=2, freed=0)
        board.flash.erased.clear()
        _refused(board, wish(board, tmp_path, board=str(mine)), "holds 2 records")
        keep_records(board, tmp_path, kept=2, freed=2)
        _, listener = flashed(board, tmp_path, board=str(mine))
        assert listener.told("plan")["keeps"] == ["nvs"]
        assert not (board.files / "old.py").exists()


# Refused


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"board": "esp32-devkitc"}, r"esp32-devkitc has an esp32, this is an esp32c3 .*boards that fit: esp32-c3-"),
        ({"board": "twin"}, "no board that can be flashed"),
        ({"board": "esp32-devkit"}, "did you mean"),
    ],
)
def test_a_board_that_is_another_is_refused(tmp_path: Path, more: dict[str, Any], says: str) -> None:
    with BareBoard(tmp_path / "board", chip=CHIP) as board:
        board.start()
        _refused(board, wish(board, tmp_path, **more), says)


def test_an_image_for_another_chip_is_refused(tmp_path: Path) -> None:
    with BareBoard(tmp_path / "board", chip=CHIP) as board:
        board.start()
        other = image(tmp_path, "esp32")
        error = _refused(board, wish(board, tmp_path, image=other), "image is for esp32, the chip is esp32c3: take")
        assert error.status == 4


@pytest.mark.parametrize("chip", BOARDS)
def test_a_chip_that_was_locked_for_ever_is_refused(tmp_path: Path, chip: str) -> None:
    with BareBoard(tmp_path / "board", chip=chip, flash_mb=SIZES[chip]) as board:
        board.faults.locked = True
        board.start()
        error = _refused(board, wish(board, tmp_path, chip), r"this chip is locked \(secure boot or flash encryption\)")
        assert error.status == 4


def test_too_small_a_flash_is_refused(tmp_path: Path) -> None:
    with BareBoard(tmp_path / "board", chip="esp32s3", flash_mb=4) as board:
        board.start()
        _refused(board, wish(board, tmp_path, "esp32s3"), "8 MiB of flash, this has 4 MiB only")


def test_a_program_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with BareBoard(tmp_path / "board", chip=CHIP) as board:
        board.start()
        wanted = wish(board, tmp_path, image=image(tmp_path, CHIP, size=2_100_000))
        _refused(board, wanted, "leaves 2,031,616")


def _refused(board: BareBoard, wanted: Any, says: str) -> ToolError:
    with pytest.raises(ToolError, match=says) as refusal:
        flash(wanted, Listener())
    assert board.flash.erased == []
    return refusal.value


def test_records_that_the_bridge_may_not_have_stop_it(tmp_path: Path) -> None:
    with BareBoard(tmp_path / "board", chip=CHIP) as board:
        board.start()
        flashed(board, tmp_path)
        keep_records(board, tmp_path, kept=5, freed=2)
        board.flash.erased.clear()
        error = _refused(board, wish(board, tmp_path), r"holds 3 records .* \(3 to 5\): save them first with")
        assert isinstance(error, UnsentError)
        assert error.status == 5
        assert f"scanlatch rescue --port {board.port}" in str(error)
        until(lambda: board.runs)  # so that they can be rescued
        _refused(board, wish(board, tmp_path, erase="erase 2 records"), "erase 3 records")
        board.flash.program(0x8000, bytes(0x1000))  # a table that a cut has damaged tells nothing of them
        board.power_cycle()
        _refused(board, wish(board, tmp_path), "holds 3 records")
        flashed(board, tmp_path, erase="erase 3 records")
        assert b"SLJR" not in board.flash.read(LOG_AT, 0x100000)
        assert board.flash.violations[1:] == []


def test_a_journal_that_can_not_be_read_counts_as_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with BareBoard(tmp_path / "board", chip=CHIP) as board:
        board.start()
        flashed(board, tmp_path)
        keep_records(board, tmp_path, kept=2, freed=2)
        board.flash.erased.clear()

        def none(*_: Any, **_options: Any) -> None:
            raise NoInterpreterError("no MicroPython found")

        monkeypatch.setattr("scanlatch_tools.flash.journal.interpreter.run", none)
        _refused(
            board,
            wish(board, tmp_path),
            r"can't be read \(no MicroPython found\) and may hold records .* \"erase unread journal\"",
        )


def test_several_boards_that_fit_are_named_and_one_is_asked_for(tmp_path: Path) -> None:
    with BareBoard(tmp_path / "board", chip="esp32") as board:
        board.start()
        _refused(board, wish(board, tmp_path, "esp32", board=None), r"--board\n(.*\n)*  wt32-eth01  ")
        listener = Listener("wt32-eth01")
        assert flash(wish(board, tmp_path, "esp32", board=None), listener).board == "wt32-eth01"
        assert "m5-atom-lite" in listener.asked[0]


def test_several_ports_are_named_and_one_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"image": image(tmp_path, CHIP), "port": None}
    with BareBoard(tmp_path / "board", chip=CHIP) as board:
        board.start()
        monkeypatch.setattr("scanlatch_tools.flash.ports.found", list)
        with pytest.raises(NoChipError, match="cable that carries data"):
            flash(wish(board, tmp_path, **wanted), Listener())
        two = [Port("/dev/ttyUSB7", "another"), Port(str(board.port), "CP2102")]
        monkeypatch.setattr("scanlatch_tools.flash.ports.found", lambda: two)
        with pytest.raises(ToolError, match=r"--port\n  /dev/ttyUSB7  another\n.*CP2102"):
            flash(wish(board, tmp_path, **wanted), Listener())
        assert flash(wish(board, tmp_path, **wanted), Listener(str(board.port))).port == str(board.port)


def test_a_port_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with BareBoard(tmp_path / "board", chip=CHIP) as board, pytest.raises(NoChipError, match="is the board plugged in"):
        flash(wish(board, tmp_path), Listener())


def test_images_made_for_tests_go_to_no_real_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with BareBoard(tmp_path / "board", chip=CHIP) as board:
        board.start()
        monkeypatch.setattr("scanlatch_tools.flash.ports.has_reset_lines", lambda _port: True)
        with pytest.raises(NoFitError, match="made for tests"):
            flash(wish(board, tmp_path), Listener())


def test_the_command_tells_machines_each_step_and_its_exit_status(tmp_path: Path) -> None:
    with BareBoard(tmp_path / "board", chip=CHIP) as board:
        board.start()
        command = ["flash", "--json", "--port", str(board.port), "--image", str(image(tmp_path, CHIP)), "--board"]
        alone = typer.Typer()
        alone.command()(cli.app)
        done = CliRunner().invoke(alone, [*command[1:], "esp32-c3-devkitm"])
        told = [json.loads(line) for line in done.stdout.splitlines()]
        assert (done.exit_code, told[-1]["event"]) == (0, "done")
        assert [row["event"] for row in told if row["event"] != "progress"] == [
            "port", "chip", "board", "image", "journal", "plan", *["written"] * 5, "verified", "done",
        ]  # fmt: skip
        command = [str(BIN / "scanlatch"), *command, "m5-atoms3-lite"]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        refused = json.loads(ended.stdout.splitlines()[-1])
        assert (ended.returncode, refused["status"]) == (4, 4)


@pytest.mark.parametrize(
    ("phrase", "agreed"),
    [
        ("erase 3 records", True), ("erase 4 records", True), ("erase 2 records", False), ("erase 3", False),
        ("yes", False), ("", False), ("erase unread journal", False),
    ],
)  # fmt: skip
def test_only_the_sentence_gives_records_up(phrase: str, agreed: bool) -> None:
    held, unread = Holds((7,), 3, 5), Holds((7,), fault="torn")
    if agreed:
        assert given_up(held, phrase, "COM3", Listener())
    else:
        with pytest.raises(UnsentError, match="erase 3 records"):
            given_up(held, phrase, "COM3", Listener())
    assert given_up(unread, "erase unread journal", "COM3", Listener())
    with pytest.raises(UnsentError):
        given_up(unread, "erase 3 records", "COM3", Listener())
    assert given_up(held, None, "COM3", Listener("erase 3 records"))
    with pytest.raises(UnsentError):
        given_up(held, None, "COM3", Listener(""))
    assert not given_up(Holds((7,)), "erase 3 records", "COM3", Listener())
