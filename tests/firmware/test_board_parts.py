"""Each board's parts work on stand-ins as strict as its chip: light, tone, button, trigger, serial port, network."""

import json
import os
import pty
import subprocess
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from scanlatch_tools import boards, places
from scanlatch_tools.twin import interpreter

_SCRIPT = Path(__file__).parent / "device_scripts" / "board_at_work.py"
_DUTY = 32768


class Used:
    """What became of a board whose parts were all used once."""

    def __init__(self, folder: Path, config: dict[str, Any], chip: str) -> None:
        (folder / "board.json").write_text(json.dumps(config))
        master, slave = pty.openpty()
        try:
            (folder / "uart").symlink_to(os.ttyname(slave))
            self.done: subprocess.CompletedProcess[str] = interpreter.run(
                [str(_SCRIPT)],
                interpreter.search_path(places.firmware()),
                environment={"SCANLATCH_TWIN": str(folder), "SCANLATCH_TWIN_CHIP": chip},
            )
        finally:
            os.close(master)
            os.close(slave)
        trace = (folder / "trace.jsonl").read_text().splitlines()
        self.trace: list[dict[str, Any]] = [json.loads(line) for line in trace]

    @cached_property
    def found(self) -> dict[str, Any]:
        assert self.done.returncode == 0, self.done.stdout + self.done.stderr
        found: dict[str, Any] = json.loads(self.done.stdout)
        return found

    def of(self, what: str, **wanted: Any) -> list[dict[str, Any]]:
        return [line for line in self.trace if line["what"] == what and wanted.items() <= line.items()]


def _use(folder: Path, name: str, **changed: dict[str, Any]) -> Used:
    found = boards.tables(name)[1]
    found.update(changed)
    assert boards.problems(found) == []
    board = boards.Board.model_validate(found)
    return Used(folder, boards.compiled(board), board.board.chip)


@pytest.mark.parametrize("name", boards.names())
def test_board_shows_sounds_is_pressed_and_connects(name: str, tmp_path: Path) -> None:
    board = boards.load(name)
    used = _use(tmp_path, name)
    assert used.found.pop("loaded") == [], "another kind of buzzer costs nothing"
    speed = boards.compiled(board)["engine"]["baud"]
    assert used.found == {"baud": [speed, speed], "beeps": False, "pressed": [False, True, False], "up": True}
    assert [line["rgb"] for line in used.of("light")] == [[255, 100, 0], [0, 0, 0]]
    pin = boards.pins(board)["buzzer.pin"]
    assert [(line["hz"], line["duty"]) for line in used.of("tone", pin=pin)] == 2 * [(2000, _DUTY), (0, 0)]
    assert [(line["baud"], line["rxbuf"]) for line in used.of("uart")] == [(speed, 4096), (115200, 4096)]
    assert [line["pm"] for line in used.of("radio")] == [0], "a radio that naps brings each answer late"


def test_board_without_light_buzzer_and_button_works_in_silence(tmp_path: Path) -> None:
    found = boards.tables("esp32-devkitc")[1]
    del found["buzzer"], found["button"]
    board = boards.Board.model_validate({**found, "light": {"kind": "none"}})
    used = Used(tmp_path, boards.compiled(board), board.board.chip)
    assert used.found.pop("loaded") == []
    assert used.found == {"baud": [9600, 9600], "beeps": False, "pressed": [False, False, False], "up": True}
    assert not used.of("light") + used.of("tone") + used.of("pin")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("wt32-eth01", {"addr": 1, "clock": None, "mdc": 23, "mdio": 18, "power": 16}),
        ("olimex-esp32-poe", {"addr": 0, "clock": 3, "mdc": 23, "mdio": 18, "power": 12, "ref_clk": 17}),
        ("lilygo-t-internet-poe", {"addr": 0, "clock": 3, "mdc": 23, "mdio": 18, "reset": 5, "ref_clk": 17}),
    ],
)
def test_phy_gets_its_arguments_as_micropython_names_them(name: str, said: dict[str, Any], tmp_path: Path) -> None:
    (lan,) = _use(tmp_path, name).of("lan")
    assert {key: value for key, value in lan.items() if key not in ("what", "t", "at")} == {"phy": 1, **said}


def test_trigger_is_low_while_the_button_is_down(tmp_path: Path) -> None:
    used = _use(tmp_path, "m5-atom-lite")
    assert used.found["pressed"] == [False, True, False]
    assert [line["value"] for line in used.of("pin", pin=23)] == [1, 0, 1]


@pytest.mark.parametrize("active_low", [False, True])
def test_plain_light_is_as_bright_as_the_brightest_colour(active_low: bool, tmp_path: Path) -> None:
    used = _use(tmp_path, "esp32-devkitc", light={"kind": "plain", "pin": 27, "active_low": active_low})
    assert used.found["up"]
    full, dark = (0, 65535) if active_low else (65535, 0)
    assert [line["duty"] for line in used.of("tone", pin=27)][-2:] == [full, dark]


@pytest.mark.parametrize("active_low", [False, True])
def test_rgb_light_has_each_colour_on_its_pin(active_low: bool, tmp_path: Path) -> None:
    light = {"kind": "rgb", "red": 25, "green": 32, "blue": 33, "active_low": active_low}
    used = _use(tmp_path, "esp32-devkitc", light=light)
    assert used.found["up"]
    shown = {pin: [line["duty"] for line in used.of("tone", pin=pin)] for pin in (25, 32, 33)}
    if active_low:
        assert shown == {25: [65535, 0, 65535], 32: [65535, 155 * 257, 65535], 33: [65535]}
    else:
        assert shown == {25: [65535, 0], 32: [100 * 257, 0], 33: []}


@pytest.mark.parametrize("active_low", [False, True])
def test_active_buzzer_is_switched_on_and_off(active_low: bool, tmp_path: Path) -> None:
    buzzer = {"kind": "active", "pin": 26, "active_low": active_low}
    used = _use(tmp_path, "esp32-devkitc", buzzer=buzzer)
    assert used.found["up"]
    on = int(not active_low)
    assert [line["value"] for line in used.of("pin", pin=26)][-2:] == [on, 1 - on]


@pytest.mark.parametrize(("kind", "beeps"), [("honeywell", True), ("ssi", True), ("auto", False)])
def test_engines_own_buzzer_is_left_to_the_driver_that_has_a_command_for_it(
    kind: str, beeps: bool, tmp_path: Path
) -> None:
    used = _use(tmp_path, "esp32-devkitc", buzzer={"kind": "engine"}, engine={"kind": kind})
    assert used.found["beeps"] is beeps
    assert used.found["loaded"] == ["scanlatch.system.parts.engine_buzzer"]
    assert used.of("tone") == []
    assert "silent" not in used.done.stdout


def test_engine_without_a_beep_is_silent_and_the_console_says_so_once(tmp_path: Path) -> None:
    config = boards.compiled(boards.load("esp32-devkitc")) | {"buzzer": {"kind": "engine"}}  # as `auto` may find it
    used = Used(tmp_path, config, "esp32")
    assert used.done.returncode == 0, used.done.stdout
    told, found = (json.loads(line) for line in used.done.stdout.splitlines())
    assert told == {"event": "buzzer", "error": "silent: no command for a beep", "engine": "grow"}
    assert found["beeps"] is False
    assert used.of("tone") == []


def test_stand_ins_refuse_what_the_chip_does_not_have(tmp_path: Path) -> None:
    config = boards.compiled(boards.load("esp32-devkitc"))
    for chip, wrong in (("esp32c3", "frequency"), ("esp32-pico-d4", "invalid pin 17")):
        folder = tmp_path / chip
        folder.mkdir()
        used = Used(folder, config, chip)
        assert used.done.returncode != 0
        assert wrong in used.done.stdout
