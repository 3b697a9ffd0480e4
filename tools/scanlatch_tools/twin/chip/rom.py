"""What a chip's loader knows between two commands: registers, RAM, the flash behind its controller."""

from scanlatch_tools.twin.chip.models import MAGIC_AT, Model
from scanlatch_tools.twin.chip.nor import FlashChip

_RUN = 1 << 18  # of the controller's command register
_SFDP = 0x50444653
_READ_ID, _READ_SFDP = 0x9F, 0x5A
_MAKER = 0xC8  # GigaDevice, family 0x40
_FAMILY = 0x40


class Chip:
    """The parts of a chip that its loader's commands touch. mac: its number, 6 bytes; locked: its eFuse is burned."""

    def __init__(self, model: Model, flash: FlashChip, mac: bytes, locked: bool = False) -> None:
        self.model = model
        self.flash = flash
        self.attached = False  # the flash's pins
        number = int.from_bytes(mac, "big")
        words = number & 0xFFFFFFFF, number >> 32
        self._registers = dict(model.registers) | dict(zip(model.mac_at, words, strict=True))
        if locked:
            register, bit = model.locked
            self._registers[register] = self._registers.get(register, 0) | bit
        if model.magic:
            self._registers[MAGIC_AT] = model.magic

    def read(self, address: int) -> int:
        """A register."""
        return self._registers.get(address, 0)

    def write(self, address: int, value: int, mask: int) -> None:
        """Write those bits of a register that are in `mask`; the flash controller runs what it is told."""
        value = self.read(address) & ~mask | value & mask
        spi = self.model.spi
        if address == spi.command and value & _RUN:
            value &= ~_RUN
            self._registers[spi.data] = self._flash_command(self.read(spi.user2) & 0xFF)
        self._registers[address] = value

    def _flash_command(self, command: int) -> int:
        if command == _READ_ID:
            return _MAKER | _FAMILY << 8 | (self.flash.size.bit_length() - 1) << 16
        if command == _READ_SFDP:
            address = self.read(self.model.spi.address)
            if self.model.spi.shifted:
                address >>= 8
            return _SFDP if address == 0 else 0
        return 0  # status registers, and commands without an answer
