"""The loader of a chip: commands in, answers out, as bytes; first the one in its ROM, then the stub that was loaded.

Commands, answers and their order are those of esptool's host side (esptool/loader.py) and of Espressif's page on the
serial protocol. Without a port and without a clock.
"""

import hashlib
import struct
from collections.abc import Callable, Iterator

from scanlatch_tools.twin.chip.download import RefusedError, ToFlash, ToRam, block
from scanlatch_tools.twin.chip.faults import Faults
from scanlatch_tools.twin.chip.rom import Chip
from scanlatch_tools.twin.chip.slip import Unframer, framed

SYNC = b"\x07\x07\x12\x20" + 32 * b"\x55"
SYNC_PACKET = struct.pack("<BBHI", 0, 0x08, len(SYNC), 0) + SYNC
_SYNC_ANSWERS = 8
_ROM_SAYS = 0x20120707  # in answers to sync; the stub says 0
_UNKNOWN = 0x05  # an answer's second byte: no such command
_UNKNOWN_ANSWERS = 8
_SLOW_READ = 64  # bytes that the ROM reads at once
_NOISE = bytes.fromhex("5500fea391c0db41")
_BAUD_SHARE = 30  # speeds that differ by less than one part in so many understand each other
_SECURITY = "<IB7sII"

Command = Callable[[bytes, int], bytes | int | None]  # data, checksum -> data of the answer, or its number


class CablePulledError(Exception):
    """The cable is pulled now."""


class Loader:
    """A chip in download mode.

    Attributes:
        stub: whether the stub runs.
        busy: True once it was told more than to synchronise.
        boots: True once it was told to leave and run what is in the flash.
    """

    def __init__(self, chip: Chip, faults: Faults) -> None:
        self.chip = chip
        self.stub = self.busy = self.boots = False
        self._faults = faults
        self._frames = Unframer()
        self._baud = 0  # 0: not yet measured
        self._ram = ToRam()
        self._flash: ToFlash | None = None
        self._reading: _Reading | None = None
        both: dict[int, Command] = {
            0x02: lambda data, _: self._begin(data, deflated=False),
            0x03: lambda data, checksum: self._data(data, checksum, deflated=False),
            0x04: self._end,
            0x05: self._ram_begin,
            0x06: self._ram_end,
            0x07: lambda data, checksum: self._ram.take(*block(data, checksum)),
            0x09: self._write_registers,
            0x0A: lambda data, _: chip.read(struct.unpack("<I", data)[0]),
            0x0B: lambda _data, _sum: None,  # parameters of the flash: this one knows its own
            0x0D: self._attach,
            0x0F: self._change_baud,
            0x10: lambda data, _: self._begin(data, deflated=True),
            0x11: lambda data, checksum: self._data(data, checksum, deflated=True),
            0x12: self._end,
            0x13: self._md5,
        }
        rom: dict[int, Command] = {0x0E: self._read_slowly}
        if chip.model.security_info:
            rom[0x14] = lambda _data, _sum: struct.pack(_SECURITY, 0, 0, bytes(7), chip.model.chip_id, 0)
        self._of_rom = both | rom
        stub: dict[int, Command] = {
            0xD0: lambda _data, _sum: chip.flash.erase(0, chip.flash.size),
            0xD1: lambda data, _: chip.flash.erase(*struct.unpack("<II", data)),
            0xD2: self._read,
        }
        self._of_stub = both | stub

    def hear(self, data: bytes, baud: int) -> Iterator[bytes]:
        """Bytes from the host, which sends them at `baud` bits a second; what the chip sends back, piece by piece.

        Raises:
            CablePulledError: that was the command at which it was to be pulled.
        """
        if self._baud and abs(baud - self._baud) * _BAUD_SHARE > self._baud:
            return  # it hears garbage
        for packet in self._frames.feed(data):
            if self._reading and len(packet) == 4:
                yield from self._go_on_reading(self._reading, int.from_bytes(packet, "little"))
            elif len(packet) >= 8 and packet[0] == 0:
                yield from self._command(packet, baud)

    def _command(self, packet: bytes, baud: int) -> Iterator[bytes]:
        _, code, size, checksum = struct.unpack_from("<BBHI", packet)
        data = packet[8:]
        faults = self._faults
        faults.commands += 1
        if faults.commands == faults.pull_at:
            faults.pull_at = 0
            raise CablePulledError
        if faults.silent or size != len(data):
            return
        if faults.noisy or faults.commands == faults.noise_at:
            yield _NOISE
        self._reading = None
        if code == 0x08:
            self._baud = self._baud or baud
            yield framed(self._answer(code, 0 if self.stub else _ROM_SAYS, b"")) * _SYNC_ANSWERS
            return
        self.busy = True
        known = (self._of_stub if self.stub else self._of_rom).get(code)
        if known is None:
            yield framed(self._answer(0, 0, b"", _UNKNOWN)) * (1 if self.stub else _UNKNOWN_ANSWERS)
            return
        try:
            said = known(data, checksum)
        except (RefusedError, struct.error) as refused:
            reason = refused.code if isinstance(refused, RefusedError) else _UNKNOWN
            yield framed(self._answer(code, 0, b"", reason))
            return
        value, content = (said, b"") if isinstance(said, int) else (0, said or b"")
        yield framed(self._answer(code, value, content))
        if code == 0x06 and self.stub:
            yield framed(b"OHAI")
        if self._reading:
            yield from self._go_on_reading(self._reading, 0)

    def _answer(self, code: int, value: int, content: bytes, refused: int = 0) -> bytes:
        status = bytes((int(refused > 0), refused)) + (b"" if self.stub else b"\0\0")
        return struct.pack("<BBHI", 1, code, len(content) + len(status), value) + content + status

    # Into RAM, and what runs there

    def _ram_begin(self, data: bytes, _: int) -> None:
        size, _blocks, _size, at = struct.unpack("<IIII", data)
        self._ram.begin(size, at)

    def _ram_end(self, data: bytes, _: int) -> None:
        stay, entry = struct.unpack("<II", data)
        if stay:
            return
        if not self._ram.holds(entry):
            raise RefusedError
        self.stub = True
        self.chip.attached = True

    def _write_registers(self, data: bytes, _: int) -> None:
        for address, value, mask, _delay in struct.iter_unpack("<IIII", data):
            self.chip.write(address, value, mask)

    # The flash

    def _attach(self, _data: bytes, _: int) -> None:
        self.chip.attached = True

    def _begin(self, data: bytes, *, deflated: bool) -> None:
        size, blocks, block_size, at = struct.unpack_from("<IIII", data)
        self._need_flash()
        self._flash = ToFlash(self.chip.flash, at, size, blocks, block_size, deflated)
        self._flash.begin()

    def _data(self, data: bytes, checksum: int, *, deflated: bool) -> None:
        if self._flash is None or self._flash.deflated != deflated:
            raise RefusedError
        self._flash.take(*block(data, checksum))

    def _end(self, data: bytes, _: int) -> None:
        (stay,) = struct.unpack("<I", data)
        self._flash = None
        if self.stub and not stay:  # the stub resets the chip, which finds its boot pin as it was: the ROM's loader
            self.stub = False
        elif not self.stub:
            self.boots = True

    def _md5(self, data: bytes, _: int) -> bytes:
        at, size, _, _ = struct.unpack("<IIII", data)
        self._need_flash()
        digest = hashlib.md5(self.chip.flash.read(at, size), usedforsecurity=False)
        if self._faults.wrong_md5:
            self._faults.wrong_md5 -= 1
            digest.update(b"wrong")
        return digest.digest() if self.stub else digest.hexdigest().encode()

    def _read_slowly(self, data: bytes, _: int) -> bytes:
        at, size = struct.unpack("<II", data)
        self._need_flash()
        if size > _SLOW_READ:
            raise RefusedError
        return self.chip.flash.read(at, size).ljust(_SLOW_READ, b"\0")

    def _read(self, data: bytes, _: int) -> None:
        at, size, block_size, in_flight = struct.unpack("<IIII", data)
        self._reading = _Reading(self.chip.flash.read(at, size), block_size, in_flight)

    def _go_on_reading(self, reading: "_Reading", arrived: int) -> Iterator[bytes]:
        yield from map(framed, reading.pieces(arrived))
        if arrived >= len(reading.content):
            self._reading = None
            yield framed(hashlib.md5(reading.content, usedforsecurity=False).digest())

    def _need_flash(self) -> None:
        if not self.chip.attached:
            raise RefusedError

    def _change_baud(self, data: bytes, _: int) -> None:
        self._baud, _before = struct.unpack("<II", data)


class _Reading:
    """The flash on its way to the host: so many blocks at once as it allows, then it says what has arrived."""

    def __init__(self, content: bytes, block_size: int, in_flight: int) -> None:
        self.content = content
        self._block = block_size
        self._room = block_size * in_flight
        self._sent = 0

    def pieces(self, arrived: int) -> Iterator[bytes]:
        """The blocks that may be sent when `arrived` bytes are there."""
        while self._sent < min(len(self.content), arrived + self._room):
            yield self.content[self._sent : self._sent + self._block]
            self._sent += self._block
