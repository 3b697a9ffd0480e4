"""The schema of board files: every key with what it means, its unit, its range and its default."""

from typing import Annotated, Any, Literal, cast, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from scanlatch_tools.texts import _

ENGINES = {  # kind: speed as such an engine leaves the factory (bits a second)
    "auto": 9600,
    "line": 9600,
    "grow": 9600,
    "newland": 9600,
    "honeywell": 115200,
    "ssi": 9600,
    "ssi_lite": 9600,
    "m14": 115200,
    "de2120": 115200,
}
BEEPS = ("auto", "honeywell", "ssi")  # kinds that may sound a buzzer of their own, as far as any command is known
ChipName = Literal["esp32", "esp32-wrover", "esp32-pico-d4", "esp32s3", "esp32s3-octal", "esp32c3", "unix"]
EngineKind = Literal["auto", "line", "grow", "newland", "honeywell", "ssi", "ssi_lite", "m14", "de2120"]
Baud = Literal[1200, 4800, 9600, 19200, 38400, 57600, 115200]
# Those that MicroPython v1.24 has in all its builds for the ESP32 (ports/esp32/network_lan.c).
Phy = Literal["LAN8710", "LAN8720", "IP101", "RTL8201", "DP83848", "KSZ8041", "KSZ8081"]

_GPIO_MAX = 48
_ONBOARD = "the board's maker put it there: then it may be on a pin by which the chip starts"
_PLACE = "where people find it on the board, for the picture"


def _pin(direction: Literal["in", "out"], text: str, default: Any = ...) -> Any:
    extra: dict[str, Any] = {"unit": "GPIO", "pin": direction}
    return Field(default, ge=0, le=_GPIO_MAX, description=text, json_schema_extra=extra)


def _key(text: str, default: Any = ..., *, unit: str = "", **limits: Any) -> Any:
    return Field(default, description=text, json_schema_extra={"unit": unit}, **limits)


class Table(BaseModel):
    """A table of a board file: unknown keys are refused, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class About(Table):
    name: str = _key("the file's own name, without `.toml`", pattern="^[a-z0-9-]{1,32}$")
    title: str = _key("maker's name of the board, for people", min_length=1, max_length=64)
    chip: ChipName = _key("which chip: says which pins there are, and which are taken")


class Uart(Table):
    id: int = _key("which of the chip's serial ports; 0 is the console's", ge=1, le=2)
    tx: int = _pin("out", "our TX, to the engine's RX")
    rx: int = _pin("in", "our RX, from the engine's TX; 3.3 V at most")
    rxbuf: int = _key("room for what arrives while the flash erases", 4096, unit="bytes", ge=4096, le=16384)
    onboard: bool = _key(_ONBOARD, False)
    place: str = _key(_PLACE, "", max_length=24)


class Engine(Table):
    kind: EngineKind = _key("which family of scan engine; `auto` finds out, `line` reads any other")
    baud: Baud | None = _key(
        "speed that it speaks at first; without it as its kind leaves the factory", None, unit="bit/s"
    )
    trigger: int | None = _pin("out", "the engine's trigger: low while our button is down", None)


class PlainLight(Table):
    kind: Literal["plain"] = _key("one LED of one colour: rhythm and brightness tell, colour can't")
    pin: int = _pin("out", "to the LED, through a resistor")
    active_low: bool = _key("low is on", False)
    onboard: bool = _key(_ONBOARD, False)
    place: str = _key(_PLACE, "", max_length=24)


class RgbLight(Table):
    kind: Literal["rgb"] = _key("three LEDs, each on a pin of its own")
    red: int = _pin("out", "to the red LED, through a resistor")
    green: int = _pin("out", "to the green LED, through a resistor")
    blue: int = _pin("out", "to the blue LED, through a resistor")
    active_low: bool = _key("low is on: the LEDs share their plus", False)
    onboard: bool = _key(_ONBOARD, False)
    place: str = _key(_PLACE, "", max_length=24)


class NeopixelLight(Table):
    kind: Literal["neopixel"] = _key("addressable LEDs: WS2812 and kin")
    pin: int = _pin("out", "to the first one's data in")
    count: int = _key("how many there are; all show the same", 1, unit="LEDs", ge=1, le=64)
    onboard: bool = _key(_ONBOARD, False)
    place: str = _key(_PLACE, "", max_length=24)


class NoLight(Table):
    kind: Literal["none"] = _key("no light")


class PassiveBuzzer(Table):
    kind: Literal["passive"] = _key("sounds at the frequency that it is given: all tones can be told apart")
    pin: int = _pin("out", "to the buzzer, through a transistor where it wants more than some mA")
    onboard: bool = _key(_ONBOARD, False)
    place: str = _key(_PLACE, "", max_length=24)


class ActiveBuzzer(Table):
    kind: Literal["active"] = _key("has one tone of its own: rhythm tells, pitch can't")
    pin: int = _pin("out", "to the buzzer, through a transistor where it wants more than some mA")
    active_low: bool = _key("low sounds", False)
    onboard: bool = _key(_ONBOARD, False)
    place: str = _key(_PLACE, "", max_length=24)


class EngineBuzzer(Table):
    kind: Literal["engine"] = _key(
        "the engine's own, of `honeywell` and `ssi`, that beep on command; with `auto` silent where it finds another"
    )


class Button(Table):
    pin: int = _pin("in", "from the button")
    active_low: bool = _key("pressed is low", True)
    onboard: bool = _key(_ONBOARD, False)
    place: str = _key(_PLACE, "", max_length=24)


class Wifi(Table):
    kind: Literal["wifi"] = _key("through the air; name and password come with enrolment")


class Lan(Table):
    kind: Literal["lan"] = _key("through a cable: the chip's own Ethernet with a PHY beside it")
    mdc: int = _pin("out", "the PHY's management clock")
    mdio: int = _pin("out", "the PHY's management data")
    phy: Phy = _key("which PHY")
    phy_addr: int = _key("the PHY's address", ge=0, le=31)
    power: int | None = _pin("out", "switches the PHY or its oscillator on; MicroPython v1.23 and newer", None)
    reset: int | None = _pin("out", "the PHY's reset; MicroPython v1.23 and newer", None)
    ref_clk: int | None = _pin("out", "the 50 MHz clock; without it and its mode: in, on pin 0", None)
    ref_clk_mode: Literal["in", "out"] | None = _key("`out`: the chip gives the clock; `in`: it gets it", None)


class Flash(Table):
    size_mb: Literal[4, 8, 16, 32] = _key("the flash chip", unit="MiB")
    image: str = _key("MicroPython's build, v1.24 or newer", pattern="^[A-Za-z0-9_-]{1,48}$")
    fs_at: int = _key("where the file system begins; the program ends there", 0x200000, unit="bytes, in 4,096s", ge=0)
    fs_kb: int = _key("the file system's size", 1024, unit="KiB", ge=256, le=16384, multiple_of=4)
    scanlog_at: int = _key("where the journal's partition begins", 0x300000, unit="bytes, in 4,096s", ge=0)
    scanlog_kb: int = _key(
        "the journal's size: 1,024 holds 3,000 records and more", 1024, unit="KiB", ge=64, le=4096, multiple_of=4
    )


Light = Annotated[PlainLight | RgbLight | NeopixelLight | NoLight, Field(discriminator="kind")]
Buzzer = Annotated[PassiveBuzzer | ActiveBuzzer | EngineBuzzer, Field(discriminator="kind")]
Network = Annotated[Wifi | Lan, Field(discriminator="kind")]


class Board(Table):
    """A whole board file."""

    board: About = _key("what it is")
    uart: Uart = _key("the serial port of the scan engine")
    engine: Engine = _key("the scan engine")
    light: Light = _key("what the terminal shows its answers with")
    buzzer: Buzzer | None = _key("what it sounds them with; without it the terminal is silent", None)
    button: Button | None = _key("starts a scan; held down, it makes the terminal say which it is", None)
    network: Network = _key("the way to the broker")
    flash: Flash = _key("what lies where in the flash chip")


def variants(table: str) -> list[type[Table]]:
    """The models that table `table` may be, one a kind; a single one where it has no kinds."""
    kind: Any = Board.model_fields[table].annotation
    found = [part for part in _flat(kind) if isinstance(part, type) and issubclass(part, Table)]
    return found or [cast(type[Table], kind)]


def _flat(kind: Any) -> list[Any]:
    parts = get_args(kind)
    return [inner for part in parts for inner in _flat(part)] if parts else [kind]


def kind_of(model: type[Table]) -> str | None:
    """The value of `kind` that chooses this model among its table's; None where there is no choice."""
    if len(variants_of(model)) == 1:
        return None
    return cast(str, get_args(model.model_fields["kind"].annotation)[0])


def variants_of(model: type[Table]) -> list[type[Table]]:
    """All models of the table that this one is of."""
    return next((found for name in Board.model_fields if model in (found := variants(name))), [model])


def model_of(table: str, values: dict[str, Any]) -> type[Table] | None:
    """The model that a table's values are to be held against; None where its `kind` names none."""
    models = variants(table)
    if len(models) == 1:
        return models[0]
    return next((model for model in models if kind_of(model) == values.get("kind")), None)


def unit(field: FieldInfo) -> str:
    """A key's unit, "" where it has none."""
    return str(_extra(field).get("unit", ""))


def direction(field: FieldInfo) -> str | None:
    """ "in" or "out" where the key names a pin."""
    found = _extra(field).get("pin")
    return str(found) if found else None


def _extra(field: FieldInfo) -> dict[str, Any]:
    return cast(dict[str, Any], field.json_schema_extra or {})


def choices(field: FieldInfo) -> list[Any]:
    """What may stand at a key that takes one of a few values; empty where it takes others."""
    parts = [part for part in _flat(field.annotation) if part is not type(None)]
    return [] if any(isinstance(part, type) for part in parts) else parts


def allowed(field: FieldInfo) -> str:
    """What may stand at a key, in words."""
    if choices(field):
        return ", ".join(str(choice) for choice in choices(field))
    limits: dict[str, Any] = {}
    for rule in field.metadata:
        for name in ("ge", "le", "pattern", "min_length", "max_length"):
            if getattr(rule, name, None) is not None:
                limits[name] = getattr(rule, name)
    if "pattern" in limits:
        return str(limits["pattern"]).strip("^$")
    if "max_length" in limits:
        return _("{least} to {most} characters").format(least=limits.get("min_length", 0), most=limits["max_length"])
    if "le" in limits:
        return _("{least} to {most}").format(least=limits["ge"], most=limits["le"])
    if "ge" in limits:
        return _("{least} or more").format(least=limits["ge"])
    return _("true, false")
