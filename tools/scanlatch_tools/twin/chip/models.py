"""The chips that the stand-in can be: by what a loader's host tells them apart, and where their registers are.

Addresses and bits are those which esptool reads (esptool/targets, its register maps); Espressif's technical reference
manuals have the same.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Model:
    """One kind of chip.

    magic: word at 0x40001000, by which the ESP32 is known; chip_id: in its security information and in images for it;
    bootloader_at: where its ROM looks for the second-stage loader; spi: addresses of the flash controller's registers;
    mac_at: addresses of its number's lower and upper word; locked: eFuse that is burned for ever where the flash is
    encrypted, its register and bit; registers: what else isn't 0.
    """

    name: str
    chip_id: int
    bootloader_at: int
    spi: "Spi"
    mac_at: tuple[int, int]
    locked: tuple[int, int]
    magic: int = 0
    security_info: bool = True
    registers: dict[int, int] = field(default_factory=dict[int, int])


@dataclass(frozen=True, slots=True)
class Spi:
    """Registers of the flash controller that run a command."""

    command: int
    address: int
    user2: int
    data: int
    shifted: bool  # the address register counts from its highest bit


_ESP32_SPI = Spi(0x3FF42000, 0x3FF42004, 0x3FF42024, 0x3FF42080, True)
_LATER_SPI = Spi(0x60002000, 0x60002004, 0x60002020, 0x60002058, False)

MODELS = {
    model.name: model
    for model in (
        Model(
            "esp32",
            0,
            0x1000,
            _ESP32_SPI,
            (0x3FF5A004, 0x3FF5A008),
            (0x3FF5A000, 1 << 20),
            magic=0x00F01D83,
            security_info=False,
            registers={
                0x3FF5A00C: 1 << 15 | 1 << 9,  # revision bit 0, package ESP32-D0WD
                0x3FF5A010: 133,  # its 8 MHz clock, and below how the crystal measures by it: 40 MHz
                0x3FF5A014: 1 << 20,  # revision bit 1
                0x3FF6607C: 1 << 31,  # revision bit 2
                0x3FF5F06C: 770 << 7,
            },
        ),
        Model("esp32s3", 9, 0x0, _LATER_SPI, (0x60007044, 0x60007048), (0x60007034, 1 << 18)),
        Model("esp32c3", 5, 0x0, _LATER_SPI, (0x60008844, 0x60008848), (0x60008834, 1 << 18)),
    )
}
MAGIC_AT = 0x40001000
