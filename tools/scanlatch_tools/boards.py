"""Reads board files and holds them against their schema, and their pins against the chip."""

import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

from scanlatch_tools import places
from scanlatch_tools.errors import ToolError

Board = dict[str, dict[str, Any]]

_RMII = frozenset({19, 21, 22, 25, 26, 27})  # fixed on the ESP32 where it has a wired network
_CLOCK_IN = 0  # a PHY that clocks itself does it there
_INPUT_ONLY = frozenset(range(34, 40))
_ESP32 = frozenset(range(40)) - {20, 24, 28, 29, 30, 31} - frozenset(range(6, 12)) - {1, 3}  # flash; the console
_PINS = {
    "esp32": _ESP32,
    "esp32-pico-d4": _ESP32 - {16, 17},  # its built-in flash
    # no 22 to 25; 26 to 32 flash and PSRAM; 19, 20 USB; 43, 44 the console
    "esp32s3": frozenset(range(49)) - frozenset(range(22, 33)) - {19, 20, 43, 44},
    "unix": frozenset(range(49)),
}
_STRAPS = {
    "esp32": {0, 2, 12, 15},
    "esp32-pico-d4": {0, 2, 12, 15},
    "esp32s3": {0, 3, 45, 46},
    "unix": set[int](),
}
_TYPES: dict[str, type] = {"object": dict, "integer": int, "string": str, "boolean": bool}


class BoardFileError(ToolError):
    """A board file is not as it must be; says which key, and what to write instead."""


def names() -> list[str]:
    """Names of the boards that come with this package."""
    return sorted(path.stem for path in places.board_configs().glob("*.toml"))


def load(name_or_path: str | Path) -> Board:
    """A board's tables, checked, from a name (`m5-atom-lite`) or the path of a file.

    Raises:
        BoardFileError: there is no such board, or its file is wrong.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = places.board_configs() / f"{name_or_path}.toml"
        if not path.is_file():
            raise BoardFileError(f"no board {name_or_path!r}{_nearest(str(name_or_path), names())}")
    try:
        board: Board = tomllib.loads(path.read_text())
    except OSError as error:
        raise BoardFileError(f"{path} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise BoardFileError(f"{path} is no TOML: {error}") from error
    for trouble in problems(board):
        raise BoardFileError(f"{path.name}: {trouble}")
    return board


def problems(board: Board) -> list[str]:
    """What is wrong with a board's tables: keys first; its pins only once the keys are right."""
    wrong = list(_against(board, schema(), ""))
    return wrong or list(_pin_problems(board))


@cache
def schema() -> dict[str, Any]:
    """The schema of board files (JSON Schema 2020-12)."""
    loaded: dict[str, Any] = json.loads((places.board_configs() / "schema.json").read_text())
    return loaded


def pins(board: Board) -> dict[str, int]:
    """Every pin that a board uses, by its key (`uart.tx`)."""
    pin = {"$ref": "#/$defs/pin"}.items()
    found: dict[str, int] = {}
    for table, values in board.items():
        known = _branch(schema()["properties"][table], values)["properties"]
        found |= {f"{table}.{key}": value for key, value in values.items() if pin <= known[key].items()}
    return found


def _against(value: Any, rule: dict[str, Any], where: str) -> Iterator[str]:
    """Hold a value against the part of JSON Schema that our schema uses."""
    if "$ref" in rule:
        rule = schema()["$defs"][rule["$ref"].rpartition("/")[2]]
    if "enum" in rule and value not in rule["enum"]:
        yield f"{where} is {value!r}: use one of {', '.join(map(str, rule['enum']))}"
        return
    kind = rule.get("type")
    if kind and (not isinstance(value, _TYPES[kind]) or (kind == "integer" and isinstance(value, bool))):
        yield f"{where or 'the file'} must be of type {kind}"
        return
    if isinstance(value, dict):
        yield from _table(cast(dict[str, Any], value), rule, where)
    elif isinstance(value, str):
        if not re.search(rule.get("pattern", ""), value):
            yield f"{where} is {value!r}: it must match {rule['pattern']}"
        if not rule.get("minLength", 0) <= len(value) <= rule.get("maxLength", len(value)):
            yield f"{where}: 1 to {rule['maxLength']} characters"
    elif isinstance(value, int) and not rule.get("minimum", value) <= value <= rule.get("maximum", value):
        yield f"{where} is {value}: use {rule['minimum']} to {rule['maximum']}"


def _table(value: dict[str, Any], rule: dict[str, Any], where: str) -> Iterator[str]:
    dot = where + "." if where else ""
    missing = [key for key in rule.get("required", ()) if key not in value]
    if missing:
        yield from (f"{dot}{key} is missing" for key in missing)
        return
    if "oneOf" in rule:
        kinds = [branch["properties"]["kind"]["const"] for branch in rule["oneOf"]]
        if value["kind"] not in kinds:
            yield f"{dot}kind is {value['kind']!r}: use one of {', '.join(kinds)}"
            return
        yield from _table(value, _branch(rule, value), where)
        return
    known = rule["properties"]
    for key, inner in value.items():
        if key in known:
            yield from _against(inner, known[key], dot + key)
        else:
            yield f"{dot}{key} is not known{_nearest(key, known)}"


def _branch(rule: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    for branch in rule.get("oneOf", ()):
        if branch["properties"]["kind"]["const"] == value["kind"]:
            return branch
    return rule


def _pin_problems(board: Board) -> Iterator[str]:
    chip = board["board"]["chip"]
    wired = chip.startswith("esp32") and board["network"]["kind"] == "lan"
    users: dict[int, str] = {}
    for key, pin in pins(board).items():
        table, _, name = key.partition(".")
        if pin in users:
            yield f"{key} and {users[pin]} are both on pin {pin}"
        users[pin] = key
        if pin not in _PINS[chip]:
            yield f"{key}: pin {pin} of {chip} is missing, or taken by flash, USB or the console"
        if chip in ("esp32", "esp32-pico-d4") and pin in _INPUT_ONLY and key not in ("uart.rx", "button.pin"):
            yield f"{key}: pin {pin} of {chip} can only be an input"
        if pin in _STRAPS[chip] and table not in ("button", "network"):
            yield f"{key}: pin {pin} of {chip} decides how the chip starts"
        if wired and table != "network" and pin in _RMII:
            yield f"{key}: pin {pin} of {chip} belongs to the wired network"
        if wired and table != "network" and pin == _CLOCK_IN and "ref_clk" not in board["network"]:
            yield f"{key}: pin {pin} of {chip} takes the wired network's clock"
        if name == "ref_clk" and board["network"].get("ref_clk_mode") == "out" and pin not in (0, 16, 17):
            yield f"{key}: {chip} gives the clock on pin 0, 16 or 17 only"


def _nearest(key: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(key, list(known), 1, 0.4)
    return f"; did you mean {near[0]}?" if near else f"; use one of {', '.join(known)}"
