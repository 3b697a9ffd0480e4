"""Board files: what comes with the package is right, and what is wrong is named."""

import copy
from pathlib import Path

import pytest
from scanlatch_tools import boards

_LISTED = {
    "esp32-devkitc",
    "esp32-s3-devkitc",
    "m5-atom-lite",
    "m5-atoms3-lite",
    "olimex-esp32-poe",
    "twin",
    "wt32-eth01",
}


def test_the_boards_that_the_documents_name_are_there() -> None:
    assert set(boards.names()) == _LISTED


@pytest.mark.parametrize("name", sorted(_LISTED))
def test_board_file_is_valid_and_bears_its_own_name(name: str) -> None:
    assert boards.load(name)["board"]["name"] == name


@pytest.mark.parametrize("name", sorted(_LISTED))
def test_no_pin_of_a_board_is_used_twice(name: str) -> None:
    used = boards.pins(boards.load(name))
    assert len(set(used.values())) == len(used)
    assert {"uart.tx", "uart.rx", "buzzer.pin"} <= set(used)


@pytest.mark.parametrize(
    ("table", "key", "value", "said"),
    [
        ("uart", "rxbuff", 4096, "uart.rxbuff is not known; did you mean rxbuf?"),
        ("light", "pins", 4, "light.pins is not known; did you mean pin?"),
        ("uart", "tx", 99, "uart.tx is 99: use 0 to 48"),
        ("uart", "tx", True, "uart.tx must be of type integer"),
        ("uart", "rxbuf", 256, "uart.rxbuf is 256: use 2048 to 16384"),
        ("engine", "kind", "gorw", "engine.kind is 'gorw': use one of grow, line"),
        ("light", "kind", "led", "light.kind is 'led': use one of neopixel, rgb, none"),
        ("light", "kind", "rgb", "light.red is missing"),
        ("board", "name", "A Board", "board.name is 'A Board'"),
        ("board", "title", "", "board.title: 1 to 64 characters"),
        ("buzzer", "pin", 17, "buzzer.pin and uart.tx are both on pin 17"),
        ("buzzer", "pin", 6, "pin 6 of esp32 is missing, or taken"),
        ("buzzer", "pin", 3, "pin 3 of esp32 is missing, or taken"),
        ("buzzer", "pin", 24, "pin 24 of esp32 is missing, or taken"),
        ("buzzer", "pin", 36, "pin 36 of esp32 can only be an input"),
        ("buzzer", "pin", 12, "pin 12 of esp32 decides how the chip starts"),
        ("board", "chip", "esp32-pico-d4", "uart.tx: pin 17 of esp32-pico-d4 is missing, or taken"),
        ("button", "colour", "red", "button.colour is not known"),
    ],
)
def test_wrong_key_is_named_with_what_to_write(table: str, key: str, value: object, said: str) -> None:
    board = copy.deepcopy(boards.load("esp32-devkitc"))
    board[table][key] = value
    assert any(said in problem for problem in boards.problems(board)), boards.problems(board)


def test_wired_network_keeps_its_pins() -> None:
    board = copy.deepcopy(boards.load("wt32-eth01"))
    board["buzzer"]["pin"] = 25
    board["button"]["pin"] = 0
    found = boards.problems(board)
    assert "buzzer.pin: pin 25 of esp32 belongs to the wired network" in found
    assert "button.pin: pin 0 of esp32 takes the wired network's clock" in found


def test_table_that_is_missing_or_unknown_is_named() -> None:
    board = copy.deepcopy(boards.load("esp32-devkitc"))
    del board["light"]
    assert boards.problems(board) == ["light is missing"]
    board = copy.deepcopy(boards.load("esp32-devkitc"))
    board["netwrok"] = {"kind": "wifi"}
    assert boards.problems(board) == ["netwrok is not known; did you mean network?"]


def test_board_that_does_not_exist_is_answered_with_the_nearest() -> None:
    with pytest.raises(boards.BoardFileError, match="did you mean m5-atom-lite"):
        boards.load("m5-atomlite")


def test_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[board\n")
    with pytest.raises(boards.BoardFileError, match="no TOML"):
        boards.load(path)
    with pytest.raises(boards.BoardFileError, match="can't be read"):
        boards.load(tmp_path / "other.toml")
