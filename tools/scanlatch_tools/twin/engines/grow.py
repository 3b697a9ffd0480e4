"""GROW GM65, GM60, GM805, GM861 and their kin ("7E 00" registers).

Not modelled: setup codes, sleep, prefix and suffix texts. Not known, here as is harder for the host: whether FNC1 comes
as 0x1D (it does here; `swallows_fnc1`: it does not); Data Matrix is off as delivered.
"""

from scanlatch_tools.twin.engines import grow_line
from scanlatch_tools.twin.engines.base import Faults, Simulator
from scanlatch_tools.twin.engines.beam import Symbol

_REGISTERS = 0x100
_FACTORY = {
    0x00: 0xD0, 0x03: 0x01, 0x04: 0x04, 0x05: 0x0A, 0x06: 0x32, 0x0A: 0x3E, 0x0B: 0x50, 0x0D: 0xA0, 0x0E: 0x0C,
    0x2A: 0x39, 0x2B: 0x01, 0x2C: 0x02, 0x2E: 0x01, 0x2F: 0x01, 0x30: 0x01, 0x33: 0x01, 0x3F: 0x01, 0x60: 0x00,
    0xE0: 0x05, 0xE1: 0x64, 0xE2: 0x69, 0xE3: 0x10, 0xE4: 0x04, 0xE5: 0x0C,
}  # fmt: skip
_READ_ONLY = range(0xE0, 0xE6)
_ENABLES = (0x2E, 0x2F, 0x30, 0x31, 0x32, 0x33, 0x36, 0x39, 0x3C, 0x3F, 0x40, 0x43, 0x46, 0x49, 0x4C, 0x4F, 0x50, 0x51,
            0x54, 0x55)  # fmt: skip
# our name of a symbology -> (enable register, the engine's own code identifier)
_SYMBOLOGIES = {
    "ean13": (0x2E, b"d"), "ean8": (0x2F, b"d"), "code128": (0x33, b"j"), "gs1_128": (0x33, b"j"),
    "qr": (0x3F, b"Q"), "gs1_qr": (0x3F, b"Q"), "datamatrix": (0x54, b"u"), "gs1_datamatrix": (0x54, b"u"),
    "code39": (0x36, b"b"), "pdf417": (0x55, b"r"), "itf": (0x40, b"e"), "databar": (0x4F, b"R"),
}  # fmt: skip
_BAUDS = {0x09C4: 1200, 0x0271: 4800, 0x0139: 9600, 0x00D0: 14400, 0x009C: 19200, 0x004E: 38400, 0x0034: 57600,
          0x001A: 115200}  # fmt: skip
_TAILS = (b"\r", b"\r\n", b"\t", b"")
_REPLY_S = 0.002  # from the last byte of a request to the first of its reply


class Grow(Simulator):
    """One engine; its speed is in its registers, 9600 as delivered.

    newland_errors: answers errors as the EM2000 does, where GROW's keep silent; acks_reset: the acknowledgement of a
    reset still leaves; swallows_fnc1: the separators of GS1 are not sent; software: its version times 100.

    For tests: `registers` (RAM), `flash`, `saves` (writes to flash).
    """

    name = "grow"

    def __init__(
        self,
        *,
        newland_errors: bool = False,
        acks_reset: bool = False,
        swallows_fnc1: bool = False,
        software: int = 0x69,
        baud: int = 9600,
        boot_s: float = 0.3,
        decode_s: float = 0.005,
        faults: Faults | None = None,
    ) -> None:
        super().__init__(baud=baud, boot_s=boot_s, decode_s=decode_s, faults=faults)
        self._errors = newland_errors
        self._acks_reset = acks_reset
        self._swallows = swallows_fnc1
        self.flash = bytearray(_REGISTERS)
        self._software = software
        self._deliver(self.flash, baud)
        self.registers = bytearray(self.flash)
        self.saves = 0
        self._requests = grow_line.Requests()

    def _hear(self, byte: int, now: float) -> None:
        request = self._requests.put(byte, now)
        if request:
            self._serve(request, now + _REPLY_S)

    def _frame(self, symbol: Symbol) -> bytes:
        output = self.registers[0x60]
        code_id = _SYMBOLOGIES.get(symbol.kind, (0, b"?"))[1] if output & 0x04 else b""
        tail = _TAILS[output >> 5 & 3] if output & 0x01 else b""
        return code_id + (symbol.data.replace(b"\x1d", b"") if self._swallows else symbol.data) + tail

    def _enabled(self, symbol: Symbol) -> bool:
        register, _ = _SYMBOLOGIES.get(symbol.kind, (0x33, b""))
        return bool(self.registers[register] & 1)

    def _limit_s(self) -> float | None:
        limit = self.registers[0x06]
        return limit / 10 if limit and self._mode() == 1 else None

    def _same_s(self) -> float | None:
        same = self.registers[0x13]
        return (None if same == 0x80 else (same & 0x7F) / 10) if same & 0x80 else 0.0

    def _again_s(self) -> float | None:
        return self.registers[0x05] / 10 if self._mode() >= 2 else None

    def _went_out(self) -> None:
        self.registers[0x02] &= 0xFE

    def _damaged(self, reply: bytes) -> bytes:
        return reply[:-1] + bytes([reply[-1] ^ 0x01])

    def _boot(self, now: float) -> None:
        self._requests.clear()
        self.registers[:] = self.flash
        self.baud = self._divided()
        self._follow_trigger(now)

    def _serve(self, request: grow_line.Request, at: float) -> None:
        if request.kind == "erase":
            self.forbidden.append("firmware erase")
            self.dead = True
        elif request.kind == "bad crc":
            self._refuse(grow_line.BAD_CRC, at)
        elif request.kind == "read" and len(request.data) == 1 and request.address < _REGISTERS:
            count = request.data[0] or 256
            self.send(grow_line.reply(bytes(self.registers[request.address :][:count]).ljust(count, b"\0")), at)
        elif request.kind == "write" and request.data and request.address + len(request.data) <= _REGISTERS:
            self._write(request.address, request.data, at)
        elif request.kind == "save" and request.address == 0 and request.data == b"\0":
            self.flash[:] = self.registers
            self.flash[0x02] &= 0xFE
            self.saves += 1
            self.send(grow_line.ACK, at)
        elif request.kind == "save" and request.address == 0 and request.data == b"\xff":  # the GM60's way
            self.forbidden.append("defaults")
            self._restore()
            self.send(grow_line.ACK, at)
        elif request.kind == "beat":
            self.send(grow_line.BEAT, at)
        else:
            self._refuse(grow_line.BAD_COMMAND, at)

    def _refuse(self, answer: bytes, at: float) -> None:
        if self._errors:
            self.send(answer, at)

    def _write(self, address: int, data: bytes, at: float) -> None:
        if address == 0xD9 and data in (b"\x55", b"\x50"):
            self.forbidden.append("reset")
            if self._acks_reset:
                self.send(grow_line.ACK, at)
                self.after(self.line.free, self.factory_reset)
            else:
                self.factory_reset(at)
            return
        for register, value in enumerate(data, address):
            if register not in _READ_ONLY and register != 0xD9:
                self.registers[register] = value
        sent = self.send(grow_line.ACK, at)
        touched = range(address, address + len(data))
        if 0x2C in touched and self.registers[0x2C] & 0x06 in (0x00, 0x02):
            for enable in _ENABLES:
                self.registers[enable] = self.registers[0x2C] >> 1 & 1
        if 0x2A in touched or 0x2B in touched:
            self.change_baud(self._divided(), sent)
        if 0x00 in touched or 0x02 in touched:
            self._follow_trigger(sent)

    def factory_reset(self, now: float) -> None:
        """As a factory setup code does: registers and flash as delivered, then a reboot."""
        self._restore()
        self.reboot(now)

    def _restore(self) -> None:
        for bank in (self.registers, self.flash):
            self._deliver(bank, 9600)

    def _deliver(self, bank: bytearray, baud: int) -> None:
        bank[:] = bytes(_REGISTERS)
        for address, value in _FACTORY.items():
            bank[address] = value
        bank[0xE2] = self._software
        bank[0x2A:0x2C] = (3_000_000 // baud).to_bytes(2, "little") if baud != 9600 else b"\x39\x01"

    def _mode(self) -> int:
        return self.registers[0x00] & 3

    def _divided(self) -> int:
        divisor = self.registers[0x2A] | self.registers[0x2B] << 8
        return _BAUDS.get(divisor, 3_000_000 // divisor if divisor else 9600)

    def _follow_trigger(self, at: float) -> None:
        # Continuous and sensor mode read without being told, command mode when told, manual mode by a key.
        self.beam.turn(self._mode() >= 2 or (self._mode() == 1 and bool(self.registers[0x02] & 1)), at)
