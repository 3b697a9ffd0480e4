"""Board files: what comes with the package is right, and what is wrong is named with what to write."""

from pathlib import Path
from typing import Any

import pytest
from scanlatch_tools import boards
from scanlatch_tools.boards.schema import ENGINES

LISTED = {
    "esp32-c3-devkitm",
    "esp32-devkitc",
    "esp32-s3-devkitc",
    "lilygo-t-internet-poe",
    "m5-atom-lite",
    "m5-atoms3-lite",
    "olimex-esp32-poe",
    "twin",
    "wt32-eth01",
}


def tables(name: str = "esp32-devkitc", **changed: dict[str, Any]) -> dict[str, Any]:
    """A board's tables, some of their keys changed; None takes a key away."""
    found = boards.tables(name)[1]
    for table, values in changed.items():
        known = {**found.get(table, {}), **values}
        found[table] = {key: value for key, value in known.items() if value is not None}
    return found


def test_the_boards_that_the_documents_name_are_there() -> None:
    assert set(boards.names()) == LISTED


@pytest.mark.parametrize("name", sorted(LISTED))
def test_board_file_is_right_and_no_pin_is_used_twice(name: str) -> None:
    board = boards.load(name)
    used = boards.pins(board)
    assert board.board.name == name
    assert len(set(used.values())) == len(used)
    assert {"uart.tx", "uart.rx", "light.pin", "buzzer.pin", "button.pin"} <= set(used)


@pytest.mark.parametrize(
    ("table", "key", "value", "said"),
    [
        ("uart", "rxbuff", 4096, "uart.rxbuff is not known; did you mean rxbuf?"),
        ("light", "pins", 4, "light.pins is not known; did you mean pin?"),
        ("uart", "tx", 99, "uart.tx is 99: use 0 to 48"),
        ("uart", "tx", True, "uart.tx is True: it must be a whole number"),
        ("uart", "tx", "17", "uart.tx is '17': it must be a whole number"),
        ("uart", "rxbuf", 256, "uart.rxbuf is 256: use 4096 to 16384 bytes"),
        ("uart", "onboard", 1, "uart.onboard is 1: it must be true or false"),
        ("engine", "kind", "gorw", "engine.kind is 'gorw': use one of auto, line, grow, newland"),
        ("engine", "baud", 14400, "engine.baud is 14400: use one of 1200, 4800, 9600"),
        ("light", "kind", "led", "light.kind is 'led': use one of plain, rgb, neopixel, none"),
        ("light", "kind", None, "light.kind is missing"),
        ("light", "kind", "rgb", "light.red is missing"),
        ("light", "count", 0, "light.count is 0: use 1 to 64 LEDs"),
        ("buzzer", "kind", "loud", "buzzer.kind is 'loud': use one of passive, active, engine"),
        ("board", "name", "A Board", "board.name is 'A Board': use [a-z0-9-]{1,32}"),
        ("board", "title", "", "board.title is '': use 1 to 64 characters"),
        ("board", "title", "two\nlines", r"board.title is 'two\nlines': it has a sign that can't be seen"),
        ("uart", "place", "\x1b[31m", r"uart.place is '\x1b[31m': it has a sign that can't be seen"),
        ("board", "chip", "esp8266", "board.chip is 'esp8266': use one of esp32, esp32-wrover"),
        ("button", "colour", "red", "button.colour is not known"),
        ("flash", "size_mb", 5, "flash.size_mb is 5: use one of 4, 8, 16, 32"),
        ("flash", "fs_kb", 1022, "flash.fs_kb is 1022: it must be a multiple of 4"),
        ("network", "ssid", "clinic", "network.ssid is not known; use one of kind"),
    ],
)
def test_wrong_key_is_named_with_its_value_and_what_is_allowed(table: str, key: str, value: Any, said: str) -> None:
    found = boards.problems(tables(**{table: {key: value}}))
    assert any(said in problem for problem in found), found


def test_table_that_is_missing_or_unknown_is_named() -> None:
    board = tables()
    del board["light"]
    assert boards.problems(board) == ["light is missing"]
    assert boards.problems(tables(netwrok={"kind": "wifi"})) == ["netwrok is not known; did you mean network?"]
    assert boards.problems({**tables(), "uart": 3}) == ["uart must be a table"]


@pytest.mark.parametrize(
    ("chip", "key", "pin", "said"),
    [
        ("esp32", "buzzer.pin", 17, "buzzer.pin and uart.tx are both on pin 17"),
        ("esp32", "buzzer.pin", 6, "pin 6 of esp32 is taken by the flash chip"),
        ("esp32", "buzzer.pin", 3, "pin 3 of esp32 is taken by the console"),
        ("esp32", "buzzer.pin", 24, "pin 24 of esp32 does not exist"),
        ("esp32", "buzzer.pin", 36, "pin 36 of esp32 can only be an input"),
        ("esp32", "buzzer.pin", 12, "pin 12 of esp32 decides how the chip starts (high at power-on"),
        ("esp32", "light.pin", 5, "pin 5 of esp32 decides how the chip starts"),
        ("esp32-wrover", "uart.tx", 17, "pin 17 of esp32-wrover is taken by the module's PSRAM"),
        ("esp32-pico-d4", "uart.rx", 16, "pin 16 of esp32-pico-d4 is taken by the flash chip"),
        ("esp32s3", "buzzer.pin", 45, "pin 45 of esp32s3 decides how the chip starts"),
        ("esp32s3", "buzzer.pin", 19, "pin 19 of esp32s3 is taken by USB"),
        ("esp32s3", "buzzer.pin", 43, "pin 43 of esp32s3 is taken by the console"),
        ("esp32s3", "buzzer.pin", 30, "pin 30 of esp32s3 is taken by the flash chip"),
        ("esp32s3", "buzzer.pin", 22, "pin 22 of esp32s3 does not exist"),
        ("esp32s3-octal", "buzzer.pin", 35, "pin 35 of esp32s3-octal is taken by the module's octal flash or PSRAM"),
        ("esp32c3", "buzzer.pin", 18, "pin 18 of esp32c3 is taken by USB"),
        ("esp32c3", "buzzer.pin", 21, "pin 21 of esp32c3 is taken by the console"),
        ("esp32c3", "buzzer.pin", 12, "pin 12 of esp32c3 is taken by the flash chip"),
        ("esp32c3", "buzzer.pin", 2, "pin 2 of esp32c3 decides how the chip starts"),
        ("esp32c3", "buzzer.pin", 22, "pin 22 of esp32c3 does not exist"),
    ],
)
def test_chip_keeps_its_pins(chip: str, key: str, pin: int, said: str) -> None:
    table, _, name = key.partition(".")
    found = boards.problems(tables(**{"board": {"chip": chip}, table: {name: pin}}))
    assert any(said in problem and key in problem for problem in found), found


def test_pin_by_which_the_chip_starts_may_carry_what_the_maker_put_there() -> None:
    assert boards.problems(tables("esp32-c3-devkitm")) == []
    assert (
        "light.pin: pin 8 of esp32c3 decides"
        in boards.problems(tables("esp32-c3-devkitm", light={"onboard": False}))[0]
    )


def test_wired_network_keeps_its_pins() -> None:
    found = boards.problems(tables("wt32-eth01", buzzer={"pin": 25}, button={"pin": 0, "onboard": True}))
    assert "buzzer.pin: pin 25 of esp32 belongs to the wired network (RXD0)" in found
    assert "button.pin: pin 0 of esp32 takes the wired network's clock" in found


@pytest.mark.parametrize(
    ("name", "changed", "said"),
    [
        ("esp32-c3-devkitm", {"uart": {"id": 2}}, "uart.id is 2: esp32c3 has 1, and the console's"),
        ("esp32-devkitc", {"button": {"pin": 34, "onboard": False}}, "pin 34 of esp32 has no resistor of its own"),
        ("wt32-eth01", {"network": {"ref_clk_mode": "out"}}, "network.ref_clk is missing"),
        ("wt32-eth01", {"network": {"ref_clk": 17}}, "network.ref_clk_mode is missing"),
        ("olimex-esp32-poe", {"network": {"ref_clk": 14}}, "esp32 gives the clock on pin 0, 16 or 17 only"),
        ("olimex-esp32-poe", {"network": {"ref_clk_mode": "in"}}, "esp32 takes the clock on pin 0 only"),
        ("esp32-devkitc", {"flash": {"image": "ESP32_GENERIC_S3"}}, "esp32 needs ESP32_GENERIC"),
        ("esp32-devkitc", {"flash": {"scanlog_at": 0x300800}}, "must be a multiple of 0x1000"),
        ("esp32-devkitc", {"flash": {"scanlog_kb": 2048}}, "end at 0x500000: the flash has 0x400000 bytes"),
        ("esp32-devkitc", {"flash": {"scanlog_at": 0x280000}}, "flash.scanlog_at is 0x280000: fs ends at 0x300000"),
        ("esp32-devkitc", {"flash": {"fs_at": 0x100000}}, "the program needs all below 0x200000"),
    ],
)
def test_keys_that_do_not_go_together_are_named(name: str, changed: dict[str, Any], said: str) -> None:
    found = boards.problems(tables(name, **changed))
    assert any(said in problem for problem in found), found


@pytest.mark.parametrize("kind", ENGINES)
def test_engines_own_buzzer_is_refused_where_no_command_for_a_beep_is_known(kind: str) -> None:
    found = boards.problems({**tables(engine={"kind": kind}), "buzzer": {"kind": "engine"}})
    refused = (
        f"buzzer.kind is 'engine': no command for a beep is known of engine.kind {kind!r}, only with "
        "auto, honeywell or ssi; use passive or active"
    )
    assert found == ([] if kind in ("auto", "honeywell", "ssi") else [refused])


def test_trigger_without_a_button_is_refused() -> None:
    board = tables("m5-atom-lite")
    del board["button"]
    assert boards.problems(board) == [
        "engine.trigger follows the button: add the table [button], or leave the trigger out"
    ]


def test_chip_without_ethernet_is_told_to_use_wifi() -> None:
    board = tables("esp32-s3-devkitc", network={"kind": "lan", "mdc": 5, "mdio": 6, "phy": "IP101", "phy_addr": 0})
    assert boards.problems(board) == ["network.kind is 'lan': esp32s3-octal has no Ethernet; use wifi"]


def test_board_that_does_not_exist_is_answered_with_the_nearest() -> None:
    with pytest.raises(boards.BoardFileError, match="did you mean m5-atom-lite"):
        boards.load("m5-atomlite")


def test_file_that_is_wrong_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    for text in ("[board\n", "a = " + "[" * 5000):
        path.write_text(text)
        with pytest.raises(boards.BoardFileError, match="no TOML"):
            boards.load(path)
    with pytest.raises(boards.BoardFileError, match="can't be read"):
        boards.load(tmp_path / "other.toml")
    path.write_bytes((boards.places.board_configs() / "twin.toml").read_bytes())
    with pytest.raises(boards.BoardFileError, match=r"mine\.toml: board\.name is 'twin': the file is called mine"):
        boards.load(path)


def test_terminal_gets_what_its_parts_use_and_nothing_for_people() -> None:
    assert boards.compiled(boards.load("m5-atom-lite")) == {
        "name": "m5-atom-lite",
        "mhz": 240,
        "engine": {"kind": "ssi_lite", "baud": 9600, "id": 1, "trigger": 23},
        "uart": {"tx": 19, "rx": 22, "rxbuf": 4096},
        "light": {"kind": "neopixel", "pin": 27, "count": 1},
        "buzzer": {"kind": "passive", "pin": 26},
        "button": {"pin": 39, "active_low": True},
        "network": {"kind": "wifi"},
    }


@pytest.mark.parametrize(("kind", "baud"), [("honeywell", 115200), ("newland", 9600), ("m14", 115200)])
def test_another_engine_comes_with_its_own_first_speed(kind: str, baud: int) -> None:
    board = boards.with_engine(boards.load("twin"), kind)
    assert boards.compiled(board)["engine"] == {"kind": kind, "baud": baud, "id": 1}
    assert boards.compiled(boards.with_engine(board, kind, 57600))["engine"]["baud"] == 57600
    with pytest.raises(boards.BoardFileError, match=r"engine\.kind is 'gorw'"):
        boards.with_engine(board, "gorw")
