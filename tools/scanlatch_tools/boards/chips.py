"""What each chip's pins are for: which exist, which are taken, and by which the chip starts."""

from dataclasses import dataclass, field

from scanlatch_tools.texts import N_

_FLASH = N_("the flash chip")
_CONSOLE = N_("the console")
_USB = "USB"
_PSRAM = N_("the module's PSRAM")
_OCTAL = N_("the module's octal flash or PSRAM")


def _taken(reason: str, *pins: int) -> dict[int, str]:
    return dict.fromkeys(pins, reason)


@dataclass(frozen=True)
class Chip:
    """A chip as its data sheet has it. Pins are GPIO numbers."""

    title: str
    exist: frozenset[int]
    taken: dict[int, str]  # pin: by what, on every board
    straps: dict[int, str]  # pin: what its level does while the chip starts
    uarts: tuple[int, ...]  # the console's is not among them
    mhz: int
    image: str  # MicroPython's build for it, without a variant's suffix
    input_only: frozenset[int] = frozenset()  # without pull resistors, too
    rmii: dict[int, str] = field(default_factory=dict[int, str])  # pins that a wired network has; empty: it has none
    clock_out: tuple[int, ...] = ()  # pins that can give the PHY its clock


# Data sheets of the chips and modules; esptool's "Boot Mode Selection" for the straps.
_ESP32_PINS = frozenset(range(40)) - {20, 24, 28, 29, 30, 31}
_ESP32_TAKEN = _taken(_FLASH, *range(6, 12)) | _taken(_CONSOLE, 1, 3)
_ESP32_STRAPS = {
    0: N_("low at power-on: the chip waits to be flashed"),
    2: N_("must be low or open while the chip is flashed"),
    5: N_("decides timing at the start"),
    12: N_("high at power-on: the flash gets 1.8 V and the chip does not start"),
    15: N_("low at power-on: the chip says nothing while it starts"),
}
_RMII = {19: "TXD0", 21: "TX_EN", 22: "TXD1", 25: "RXD0", 26: "RXD1", 27: "CRS_DV"}  # fixed
_S3_PINS = frozenset(range(49)) - frozenset(range(22, 26))
_S3_TAKEN = _taken(_FLASH, *range(26, 33)) | _taken(_USB, 19, 20) | _taken(_CONSOLE, 43, 44)
_S3_STRAPS = {
    0: N_("low at power-on: the chip waits to be flashed"),
    3: N_("chooses where JTAG is"),
    45: N_("high at power-on: the flash gets 1.8 V and the chip does not start"),
    46: N_("must be low while the chip is flashed"),
}


def _esp32(title: str, more: dict[int, str], clock_out: tuple[int, ...], image: str = "ESP32_GENERIC") -> Chip:
    return Chip(
        title,
        _ESP32_PINS,
        _ESP32_TAKEN | more,
        _ESP32_STRAPS,
        uarts=(1, 2),
        mhz=240,
        image=image,
        input_only=frozenset(range(34, 40)),
        rmii=_RMII,
        clock_out=clock_out,
    )


def _esp32s3(title: str, more: dict[int, str]) -> Chip:
    return Chip(title, _S3_PINS, _S3_TAKEN | more, _S3_STRAPS, uarts=(1, 2), mhz=240, image="ESP32_GENERIC_S3")


CHIPS = {
    "esp32": _esp32("ESP32", {}, (0, 16, 17)),
    "esp32-wrover": _esp32("ESP32 with PSRAM (WROVER)", _taken(_PSRAM, 16, 17), (0,)),
    "esp32-pico-d4": _esp32("ESP32-PICO-D4", _taken(_FLASH, 16, 17), (0,)),
    "esp32s3": _esp32s3("ESP32-S3", {}),
    "esp32s3-octal": _esp32s3("ESP32-S3 with octal flash or PSRAM", _taken(_OCTAL, *range(33, 38))),
    "esp32c3": Chip(
        "ESP32-C3",
        frozenset(range(22)),
        _taken(_FLASH, *range(11, 18)) | _taken(_USB, 18, 19) | _taken(_CONSOLE, 20, 21),
        {
            2: N_("must be high or open while the chip is flashed"),
            8: N_("low together with 9: the chip does not start"),
            9: N_("low at power-on: the chip waits to be flashed"),
        },
        uarts=(1,),  # it has two, and the console's is the other
        mhz=160,
        image="ESP32_GENERIC_C3",
    ),
    "unix": Chip("no chip (a computer)", frozenset(range(49)), {}, {}, (1, 2), 240, "unix"),
}

# A board file's chip says which pins there are; a chip that answers tells only its family.
FAMILIES = {
    "esp32": "esp32",
    "esp32-wrover": "esp32",
    "esp32-pico-d4": "esp32",
    "esp32s3": "esp32s3",
    "esp32s3-octal": "esp32s3",
    "esp32c3": "esp32c3",
}
