"""Holds a board's keys against each other and against its chip: pins, serial port, network, flash."""

import unicodedata
from collections.abc import Iterator
from typing import Any, NamedTuple

from scanlatch_tools.boards.chips import CHIPS, Chip
from scanlatch_tools.boards.schema import BEEPS, direction, model_of
from scanlatch_tools.texts import _

Tables = dict[str, dict[str, Any]]

_SECTOR = 4096  # of flash: what is erased at once
_PROGRAM_AT = 0x10000  # behind bootloader, partition table and NVS
_PROGRAM_SIZE = 0x1F0000  # room that MicroPython v1.24 takes for itself with 4 MiB
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # Unicode's: control, format, unassigned, line ends
_CLOCK_IN = 0  # where a PHY that clocks itself gives its clock


class Use(NamedTuple):
    """A pin in use."""

    key: str
    pin: int
    direction: str
    onboard: bool  # its place was chosen by the board's maker


def uses(tables: Tables) -> list[Use]:
    """Every pin that a board uses."""
    found: list[Use] = []
    for table, values in tables.items():
        model = model_of(table, values)
        for key, value in values.items() if model else ():
            way = direction(model.model_fields[key]) if model and key in model.model_fields else None
            if way and isinstance(value, int):
                if key == "ref_clk" and values.get("ref_clk_mode") == "in":
                    way = "in"
                onboard = table == "network" or bool(values.get("onboard"))
                found.append(Use(f"{table}.{key}", value, way, onboard))
    return found


def clashes(tables: Tables, *, whole: bool = True) -> Iterator[str]:
    """What can't be with the keys that are there, one sentence each.

    whole: nothing more comes, so what a key needs must be there, too.
    """
    yield from _texts(tables)
    name = tables.get("board", {}).get("chip")
    if name not in CHIPS:
        return
    chip = CHIPS[name]
    yield from _pins(tables, name, chip)
    yield from _parts(tables, name, chip, whole)
    yield from _network(tables, name, chip, whole)
    yield from _flash(tables, name, chip)


def _texts(tables: Tables) -> Iterator[str]:
    for table, values in tables.items():
        for key, value in values.items():
            # A line end would end the file's comment; a control character is none of a picture, and moves cursors.
            if isinstance(value, str) and any(unicodedata.category(sign) in _UNSEEN for sign in value):
                yield _("{key} is {value!r}: it has a sign that can't be seen").format(
                    key=f"{table}.{key}", value=value
                )


def _pins(tables: Tables, name: str, chip: Chip) -> Iterator[str]:
    network = tables.get("network", {})
    wired = network.get("kind") == "lan" and bool(chip.rmii)
    users: dict[int, str] = {}
    for use in uses(tables):
        at = _("{key}: pin {pin} of {name}").format(key=use.key, pin=use.pin, name=name)
        if use.pin in users:
            yield _("{key} and {users} are both on pin {pin}").format(key=use.key, users=users[use.pin], pin=use.pin)
        users.setdefault(use.pin, use.key)
        if use.pin not in chip.exist:
            yield _("{at} does not exist").format(at=at)
        if use.pin in chip.taken:
            yield _("{at} is taken by {taken}").format(at=at, taken=_(chip.taken[use.pin]))
        if use.pin in chip.input_only and use.direction == "out":
            yield _("{at} can only be an input").format(at=at)
        if use.pin in chip.straps and not use.onboard:
            yield _("{at} decides how the chip starts ({straps})").format(at=at, straps=_(chip.straps[use.pin]))
        if wired and use.pin in chip.rmii:
            yield _("{at} belongs to the wired network ({rmii})").format(at=at, rmii=_(chip.rmii[use.pin]))
        if wired and use.pin == _CLOCK_IN and not use.key.startswith("network.") and "ref_clk" not in network:
            yield _("{at} takes the wired network's clock").format(at=at)


def _parts(tables: Tables, name: str, chip: Chip, whole: bool) -> Iterator[str]:
    port = tables.get("uart", {}).get("id")
    if port is not None and port not in chip.uarts:
        yield _("uart.id is {port}: {name} has {ports}, and the console's").format(
            port=port, name=name, ports=_(" and ").join(map(str, chip.uarts))
        )
    button = tables.get("button", {})
    if button.get("pin") in chip.input_only and not button.get("onboard"):
        yield (
            _(
                "button.pin: pin {pin} of {name} has no resistor of its own: use another pin, or solder "
                "one on and set button.onboard"
            ).format(pin=button["pin"], name=name)
        )
    engine = tables.get("engine", {})
    if engine.get("trigger") is not None and whole and not button:
        yield _("engine.trigger follows the button: add the table [button], or leave the trigger out")
    if tables.get("buzzer", {}).get("kind") == "engine" and engine.get("kind", BEEPS[0]) not in BEEPS:
        yield (
            _(
                "buzzer.kind is 'engine': no command for a beep is known of engine.kind {kind!r}, only "
                "with {beeps}; use passive or active"
            ).format(kind=engine["kind"], beeps=_or(BEEPS))
        )


def _network(tables: Tables, name: str, chip: Chip, whole: bool) -> Iterator[str]:
    network = tables.get("network", {})
    if network.get("kind") != "lan":
        return
    if not chip.rmii and name != "unix":
        yield _("network.kind is 'lan': {name} has no Ethernet; use wifi").format(name=name)
        return
    clock, mode = network.get("ref_clk"), network.get("ref_clk_mode")
    if clock is None and mode == "out" and whole:
        yield _("network.ref_clk is missing: where the chip gives the clock the pin must be named")
    if clock is not None and mode is None and whole:
        yield _("network.ref_clk_mode is missing: say whether the clock goes in or out")
    if mode == "out" and clock is not None and chip.clock_out and clock not in chip.clock_out:
        yield _("network.ref_clk: {name} gives the clock on pin {clock_out} only").format(
            name=name, clock_out=_or(chip.clock_out)
        )
    if mode == "in" and clock not in (None, _CLOCK_IN):
        yield _("network.ref_clk: {name} takes the clock on pin {clock_in} only").format(name=name, clock_in=_CLOCK_IN)


def _flash(tables: Tables, name: str, chip: Chip) -> Iterator[str]:
    flash = tables.get("flash", {})
    image = flash.get("image", "")
    generic = image.partition("-")[0]
    if generic.startswith("ESP32_GENERIC") and generic != chip.image:
        yield _("flash.image is {image!r}: {name} needs {wanted}").format(image=image, name=name, wanted=chip.image)
    for part in ("fs", "scanlog"):
        at = flash.get(f"{part}_at")
        if isinstance(at, int) and at % _SECTOR:
            yield _("flash.{part}_at is {at:#x}: it must be a multiple of {sector:#x}").format(
                part=part, at=at, sector=_SECTOR
            )
    names = ("size_mb", "fs_at", "fs_kb", "scanlog_at", "scanlog_kb")
    if any(not isinstance(flash.get(key), int) for key in names):
        return
    size = flash["size_mb"] << 20
    places: list[tuple[int, int, str]] = []
    for part in ("fs", "scanlog"):
        at, end = flash[f"{part}_at"], flash[f"{part}_at"] + (flash[f"{part}_kb"] << 10)
        places.append((at, end, part))
        if end > size:
            yield _("flash.{part}_at and {part}_kb end at {end:#x}: the flash has {size:#x} bytes").format(
                part=part, end=end, size=size
            )
    (first, end, before), (second, _end, after) = sorted(places)
    if second < end:
        yield _("flash.{after}_at is {second:#x}: {before} ends at {end:#x} only").format(
            after=after, second=second, before=before, end=end
        )
    if first < _PROGRAM_AT + _PROGRAM_SIZE:
        yield _("flash.{before}_at is {first:#x}: the program needs all below {program_at:#x}").format(
            before=before, first=first, program_at=_PROGRAM_AT + _PROGRAM_SIZE
        )


def _or(several: tuple[int, ...] | tuple[str, ...]) -> str:
    *first, last = map(str, several)
    return _("{several} or {last}").format(several=", ".join(first), last=last) if first else last
