"""`scanlatch board`: files are checked, listed, made by asking, and drawn; the documents show what they say."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from scanlatch_tools import boards
from scanlatch_tools.boards import picture
from scanlatch_tools.boards.cli import app
from scanlatch_tools.errors import ToolError
from typer.testing import CliRunner

from tests.documents import ROOT

Run = Callable[..., str]


@pytest.fixture
def run() -> Run:
    """Runs `scanlatch board` with arguments and what is typed; gives what it said."""

    def once(*arguments: str | Path, typed: str = "") -> str:
        done = CliRunner().invoke(app, [str(argument) for argument in arguments], input=typed)
        if isinstance(done.exception, ToolError):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.output

    return once


def test_every_board_of_the_package_is_listed_and_right(run: Run) -> None:
    listed, checked = run("list"), run("check")
    for name in boards.names():
        assert f"{name} " in listed
        assert f"{name}: right" in checked
    assert "LAN8720" in listed
    assert "ssi_lite, 9600" in listed


def test_check_names_what_is_wrong_in_which_file(run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.toml"
    run("new", path, "--like", "esp32-devkitc", "--no-ask")
    assert "mine.toml: right" in run("check", path)
    path.write_text(path.read_text().replace("tx = 17", "tx = 6"))
    done = CliRunner().invoke(app, ["check", str(path), "twin"])
    assert "mine.toml: uart.tx: pin 6 of esp32 is taken by the flash chip" in done.output
    assert str(done.exception) == "1 of 2 are wrong"


def test_check_names_file_engine_and_what_is_allowed_where_the_engine_can_not_be_the_buzzer(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    run("new", path, "--like", "esp32-devkitc", "--no-ask", "--set=engine.kind=ssi", "--set=buzzer.kind=engine")
    assert "mine.toml: right" in run("check", path)
    path.write_text(path.read_text().replace('kind = "ssi"', 'kind = "ssi_lite"'))
    said = " ".join(CliRunner().invoke(app, ["check", str(path)]).output.split())
    assert "mine.toml: buzzer.kind is 'engine': no command for a beep is known of engine.kind 'ssi_lite', only" in said
    assert "with auto, honeywell or ssi; use passive or active" in said


def test_new_proposes_the_layout_of_the_flash_s_size(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "large.toml"
    run("new", path, "--like", "esp32-s3-devkitc", "--no-ask", "--set", "flash.size_mb=16")
    made = boards.load(path).flash
    assert (made.fs_at, made.fs_kb, made.scanlog_at, made.scanlog_kb) == (0x400000, 4096, 0x800000, 1024)


def test_new_asks_and_refuses_an_answer_at_once(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "counter.toml"
    typed = {
        "title": "Counter 3",
        "chip": "esp32c3",
        "uart.onboard": "",
        "uart.id": "2\n1",
        "uart.tx": "21\n4",
        "uart.rx": "4\n5",
        "uart.rxbuf": "",
        "engine.kind": "gorw\nauto",
        "engine.baud": "",
        "engine.trigger": "7",
        "light.kind": "neopixel",
        "light.onboard": "yes",
        "light.pin": "8",
        "light.count": "",
        "buzzer.kind": "none",
        "button": "yes",
        "button.onboard": "yes",
        "button.pin": "9",
        "button.active_low": "",
        "network.kind": "lan\nwifi",
        "flash.size_mb": "4",
        "flash.rest": "\n" * 5,
    }
    said = run("new", path, typed="\n".join(typed.values()) + "\n")
    for refused in (
        "uart.id is 2: esp32c3 has 1, and the console's",
        "pin 21 of esp32c3 is taken by the console",
        "uart.rx and uart.tx are both on pin 4",
        "engine.kind is 'gorw': use one of auto",
        "network.kind is 'lan': esp32c3 has no Ethernet; use wifi",
    ):
        assert refused in said
    board = boards.load(path)
    assert (board.board.name, board.board.title, board.flash.image) == ("counter", "Counter 3", "ESP32_GENERIC_C3")
    assert boards.pins(board) == {"uart.tx": 4, "uart.rx": 5, "engine.trigger": 7, "light.pin": 8, "button.pin": 9}
    for line in path.read_text().splitlines()[1:]:
        assert not line or "  # " in line, "every key says what it means"


def test_new_asks_again_for_what_the_whole_does_not_allow(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    with pytest.raises(ToolError, match=r"engine\.trigger follows the button"):
        run("new", path, "--like", "m5-atom-lite", "--set", "button=none", "--no-ask")
    told = "board.title=Mine board.chip=esp32 uart.onboard=no uart.id=1 uart.tx=19 uart.rx=22 uart.rxbuf=4096 "
    told += "engine.kind=line engine.baud=9600 light.kind=none buzzer.kind=none button=none network.kind=wifi "
    told += "flash.size_mb=4 flash.image=ESP32_GENERIC flash.fs_at=0x200000 flash.fs_kb=1024 "
    told += "flash.scanlog_at=0x300000 flash.scanlog_kb=1024"
    said = run("new", path, *(f"--set={answer}" for answer in told.split()), typed="23\n\n\nnone\n")
    assert "engine.trigger follows the button" in said
    assert boards.load(path).engine.trigger is None


def test_new_lets_a_person_out_of_an_answer_that_a_later_one_shows_to_be_wrong(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    overlapping = ["4", "", "1", "0x200000", "2048", "0x300000", "1024"]  # fs_at first no multiple of a sector
    right = ["", "", "", "1024", "", ""]
    typed = "\n".join([*overlapping, *right, ""])
    told = "board.title=Mine board.chip=esp32 uart.onboard=no uart.id=1 uart.tx=19 uart.rx=22 uart.rxbuf=4096 "
    told += "engine.kind=line engine.baud=9600 engine.trigger=none light.kind=none buzzer.kind=none button=none "
    told += "network.kind=wifi"
    said = run("new", path, *(f"--set={answer}" for answer in told.split()), typed=typed)
    assert "flash.fs_at is 0x1: it must be a multiple of 0x1000" in said
    assert "flash.scanlog_at is 0x300000: fs ends at 0x400000 only" in said
    assert boards.load(path).flash.fs_kb == 1024


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (("uart.t=4",), "uart.t is not known; did you mean uart.tx?"),
        (("light.red=4",), "light.red has no place here"),
        (("buzzer.kind=none", "buzzer.pin=4"), "buzzer.pin has no place here"),
        (("uart.tx=6",), "uart.tx: pin 6 of esp32 is taken by the flash chip"),
        (("uart.tx=many",), "uart.tx is 'many': it must be a whole number"),
        (("uart.tx",), "write it as KEY=VALUE"),
        (("board.chip=esp32-wrover",), "pin 17 of esp32-wrover is taken by the module's PSRAM"),
    ],
)
def test_new_without_asking_names_the_answer_that_can_not_be(
    run: Run, tmp_path: Path, answers: tuple[str, ...], said: str
) -> None:
    path = tmp_path / "mine.toml"
    with pytest.raises(ToolError) as refused:
        run("new", path, "--like", "esp32-devkitc", "--no-ask", *(f"--set={answer}" for answer in answers))
    assert said in str(refused.value)
    assert not path.exists()


def test_new_leaves_a_file_alone_and_takes_no_name_that_is_none(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("dear\n")
    with pytest.raises(ToolError, match="is there already"):
        run("new", path, "--like", "twin", "--no-ask")
    assert path.read_text() == "dear\n"
    with pytest.raises(ToolError, match="a board's file is called"):
        run("new", tmp_path / "My Board.toml", "--like", "twin", "--no-ask")
    with pytest.raises(ToolError, match="no folder that takes a file"):  # before anything is asked
        run("new", tmp_path / "nowhere" / "mine.toml", "--like", "twin")
    with pytest.raises(ToolError, match="choose the file's name"):
        run("new", tmp_path / "other.toml", "--like", "twin", "--no-ask", "--set=board.name=mine")
    with pytest.raises(ToolError, match=r"board\.title is missing"):
        run("new", tmp_path / "other.toml", "--no-ask")


@pytest.mark.parametrize("name", boards.names())
def test_picture_shows_every_pin_of_a_board(name: str) -> None:
    board = boards.load(name)
    drawn = ElementTree.fromstring(picture.of_board(board))
    words = " ".join(element.text or "" for element in drawn.iter("{http://www.w3.org/2000/svg}text"))
    for key, pin in boards.pins(board).items():
        assert f" {pin} " in f" {words} ".replace(",", " "), key
    assert board.board.title in words


@pytest.mark.parametrize(
    "light",
    [
        {"kind": "rgb", "red": 25, "green": 32, "blue": 33},
        {"kind": "rgb", "red": 25, "green": 32, "blue": 33, "active_low": True},
        {"kind": "plain", "pin": 25},
        {"kind": "plain", "pin": 25, "active_low": True},
        {"kind": "none"},
    ],
)
def test_draw_writes_a_picture_of_any_kind_of_parts(run: Run, tmp_path: Path, light: dict[str, object]) -> None:
    path, to = tmp_path / "mine.toml", tmp_path / "mine.svg"
    answers = [f"--set=light.{key}={str(value).lower()}" for key, value in light.items()]
    parts = (
        "--set=engine.kind=ssi",
        "--set=buzzer.kind=engine",
        "--set=button.onboard=no",
        "--set=button.pin=4",
        "--set=button.active_low=no",
    )
    run("new", path, "--like", "esp32-devkitc", "--no-ask", *answers, *parts)
    assert "drew" in run("draw", path, "--to", to)
    ElementTree.parse(to)
    assert "engine's own buzzer" in to.read_text()


def test_pictures_and_the_table_of_keys_are_what_board_files_and_schema_say() -> None:
    script = ROOT / "tools" / "scripts" / "board_pages.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_picture_is_shown_in_the_wiring_page() -> None:
    page = (ROOT / "docs" / "wiring.md").read_text("utf-8")
    missing = [path.name for path in (ROOT / "docs" / "wiring").glob("*.svg") if f"(wiring/{path.name})" not in page]
    assert missing == []
