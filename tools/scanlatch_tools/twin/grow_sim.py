"""A GROW scan engine ("7E 00" registers) in bytes and seconds: what the manual says, without a clock or a port.

The caller owns the serial line. It passes every byte that the host sends to `receive`, with the time and the host's
speed at that moment, and asks `poll` for what the engine has sent by now; `next_deadline` is when to ask again:

    sim = GrowSim()
    sim.present(b"83386520001941653320", now=clock())       # a symbol comes under the beam
    sim.receive(bytes_from_host, now=clock(), host_baud=9600)
    to_host = sim.poll(now=clock(), host_baud=9600)
    wait_until(sim.next_deadline())                         # None: nothing happens until `receive` or `present`

Times are seconds on any clock that never goes back. Speeds are bits a second; where host and engine differ, the bits on
the line are read at the other speed and garbage comes out, both ways. Not modelled: setup codes, sleep, prefix and
suffix texts.
"""

from collections import deque
from dataclasses import dataclass

from scanlatch_tools.twin import grow_line

REPLY_S = 0.002  # from the last byte of a request to the first of its reply
DECODE_S = 0.005  # from a symbol under an armed beam to the first byte
REBOOT_S = 0.3  # the engine is silent for this long after a reset or power-on
QUEUE_MOST = 10_000  # symbols that may wait under the beam

_REGISTERS = 0x100
_FACTORY = {
    0x00: 0xD0, 0x03: 0x01, 0x04: 0x04, 0x05: 0x0A, 0x06: 0x32, 0x0A: 0x3E, 0x0B: 0x50, 0x0D: 0xA0, 0x0E: 0x0C,
    0x2A: 0x39, 0x2B: 0x01, 0x2C: 0x02, 0x2E: 0x01, 0x2F: 0x01, 0x30: 0x01, 0x33: 0x01, 0x3F: 0x01, 0x60: 0x00,
    0xE0: 0x05, 0xE1: 0x64, 0xE2: 0x69, 0xE3: 0x10, 0xE4: 0x04, 0xE5: 0x0C,
}  # fmt: skip
_READ_ONLY = range(0xE0, 0xE6)
_ENABLES = (0x2E, 0x2F, 0x30, 0x31, 0x32, 0x33, 0x36, 0x39, 0x3C, 0x3F, 0x40, 0x43, 0x46, 0x49, 0x4C, 0x4F, 0x50, 0x51,
            0x54, 0x55)  # fmt: skip
# AIM identifier's letter -> (enable register, the engine's own code identifier)
_SYMBOLOGIES = {"C": (0x33, b"j"), "d": (0x54, b"u"), "Q": (0x3F, b"Q"), "A": (0x36, b"b"), "L": (0x55, b"r"),
                "I": (0x40, b"e"), "e": (0x4F, b"R")}  # fmt: skip
_BAUDS = {0x09C4: 1200, 0x0271: 4800, 0x0139: 9600, 0x00D0: 14400, 0x009C: 19200, 0x004E: 38400, 0x0034: 57600,
          0x001A: 115200}  # fmt: skip
_TAILS = (b"\r", b"\r\n", b"\t", b"")


@dataclass
class Symbol:
    """What lies under the beam. `aim`: its AIM identifier, or None: then digits of EAN lengths count as EAN."""

    data: bytes
    aim: str | None = None
    stays: bool = False

    def kind(self) -> tuple[int, bytes]:
        """(enable register, the engine's code identifier)."""
        if self.aim is None or self.aim.startswith("]E"):
            if self.data.isdigit() and len(self.data) == 13:
                return 0x2E, b"d"
            if self.data.isdigit() and len(self.data) == 8:
                return 0x2F, b"d"
        return _SYMBOLOGIES.get((self.aim or "]C0")[1:2], (0x33, b"j"))


@dataclass
class _Sending:
    done: float  # when the last byte has left
    data: bytes
    baud: int


class GrowSim:
    """One engine.

    newland_errors: answers errors as the EM2000 does, where GROW's keep silent; acks_reset: the acknowledgement of a
    reset still leaves; decode_s: seconds from a symbol under an armed beam to its first byte.

    For tests: `registers` (RAM), `flash`, `saves` (writes to flash), `erased` (a firmware erase came; it then stays
    dead, as the real one would).
    """

    def __init__(self, *, newland_errors: bool = False, acks_reset: bool = False, decode_s: float = DECODE_S) -> None:
        self._errors = newland_errors
        self._acks_reset = acks_reset
        self._decode_s = decode_s
        self.flash = bytearray(_REGISTERS)
        for address, value in _FACTORY.items():
            self.flash[address] = value
        self.registers = bytearray(self.flash)
        self.saves = 0
        self.reads = 0
        self.erased = False
        self._requests = grow_line.Requests()
        self._change_at: float | None = None  # when the speed of the registers begins to hold
        self._silent_until = 0.0
        self._line_free = 0.0
        self._sending: deque[_Sending] = deque()
        self._symbols: deque[Symbol] = deque()
        self._armed_at: float | None = None
        self._seen_at = 0.0
        self._last: tuple[bytes, float] = (b"", -1e9)
        self.baud = self._divided()

    # What happens to the engine

    def receive(self, data: bytes, now: float, host_baud: int) -> None:
        """The host sent `data` at `host_baud`; its last byte arrived at `now`."""
        self._advance(now)
        if self.erased or now < self._silent_until:
            return
        for byte in grow_line.misread(data, host_baud, self.baud):
            request = self._requests.put(byte, now)
            if request:
                self._serve(request, now + REPLY_S)

    def present(self, data: bytes, now: float, aim: str | None = None, *, stays: bool = False) -> None:
        """A symbol comes under the beam: read once, as soon as the engine is armed and its symbology enabled, and then
        gone (`stays`: left there until `remove`, and read again whenever the engine would). Several wait in turn.
        """
        self._advance(now)
        if len(self._symbols) >= QUEUE_MOST:
            raise OverflowError(f"{QUEUE_MOST} symbols wait for an engine that reads none")
        if not self._symbols:
            self._seen_at = now
        self._symbols.append(Symbol(data, aim, stays))

    def remove(self) -> None:
        """Whatever lies under the beam is taken away."""
        self._symbols.clear()

    def power_cycle(self, now: float) -> None:
        """Power goes and comes back: the registers come from flash."""
        self._sending.clear()
        self.registers[:] = self.flash
        self._reboot(now)

    def factory_reset(self, now: float) -> None:
        """As a factory setup code does: registers and flash as delivered, then a reboot."""
        self._restore()
        self._reboot(now)

    # What the engine sends

    def poll(self, now: float, host_baud: int) -> bytes:
        """Bytes that have left the engine since the last call, as a host at `host_baud` hears them."""
        self._advance(now)
        out = b""
        while self._sending and self._sending[0].done <= now:
            sent = self._sending.popleft()
            out += grow_line.misread(sent.data, sent.baud, host_baud)
        return out

    def next_deadline(self) -> float | None:
        """When something will happen by itself, None where nothing will."""
        times = [self._sending[0].done] if self._sending else []
        times += [at for at in (self._reads_at(), self._times_out_at()) if at is not None]
        return min(times, default=None)

    @property
    def armed(self) -> bool:
        """Whether the beam is on."""
        return self._armed_at is not None

    # The machine

    def _advance(self, now: float) -> None:
        if self._change_at is not None and self._change_at <= now:
            self._change_at = None
            self.baud = self._divided()
        while not self.erased:
            reads, ends = self._reads_at(), self._times_out_at()
            if reads is not None and reads <= now and (ends is None or reads < ends):
                self._read(reads)
            elif ends is not None and ends <= now:
                self._disarm()
            else:
                return

    def _serve(self, request: grow_line.Request, at: float) -> None:
        if request.kind == "erase":
            self.erased = True
        elif request.kind == "bad crc":
            self._refuse(grow_line.BAD_CRC, at)
        elif request.kind == "read" and len(request.data) == 1 and request.address < _REGISTERS:
            count = request.data[0] or 256
            self._send(grow_line.reply(bytes(self.registers[request.address :][:count]).ljust(count, b"\0")), at)
        elif request.kind == "write" and request.data and request.address + len(request.data) <= _REGISTERS:
            self._write(request.address, request.data, at)
        elif request.kind == "save" and request.address == 0 and request.data == b"\0":
            self.flash[:] = self.registers
            self.flash[0x02] &= 0xFE
            self.saves += 1
            self._send(grow_line.ACK, at)
        elif request.kind == "save" and request.data == b"\xff":  # the GM60's way to its defaults
            self._restore()
            self._send(grow_line.ACK, at)
        elif request.kind == "beat":
            self._send(grow_line.BEAT, at)
        else:
            self._refuse(grow_line.BAD_COMMAND, at)

    def _refuse(self, answer: bytes, at: float) -> None:
        if self._errors:
            self._send(answer, at)

    def _write(self, address: int, data: bytes, at: float) -> None:
        if address == 0xD9 and data in (b"\x55", b"\x50"):
            if self._acks_reset:
                at = self._send(grow_line.ACK, at)
            self._restore()
            self._reboot(at)
            return
        for register, value in enumerate(data, address):
            if register not in _READ_ONLY and register != 0xD9:
                self.registers[register] = value
        sent = self._send(grow_line.ACK, at)
        touched = range(address, address + len(data))
        if 0x2C in touched and self.registers[0x2C] & 0x06 in (0x00, 0x02):
            for enable in _ENABLES:
                self.registers[enable] = self.registers[0x2C] >> 1 & 1
        if 0x2A in touched or 0x2B in touched:
            self._change_at = sent
        if 0x00 in touched or 0x02 in touched:
            self._follow_trigger(sent)

    def _reads_at(self) -> float | None:
        if self._armed_at is None or not self._symbols or self.erased:
            return None
        symbol = self._symbols[0]
        if not self.registers[symbol.kind()[0]] & 1:
            return None
        at = max(self._armed_at, self._seen_at) + self._decode_s
        same = self.registers[0x13]
        if same & 0x80 and symbol.data == self._last[0]:
            if same == 0x80:
                return None
            at = max(at, self._last[1] + (same & 0x7F) / 10)
        return at

    def _times_out_at(self) -> float | None:
        limit = self.registers[0x06]
        if self._armed_at is None or not limit or self._mode() != 1 or self.erased:
            return None
        return self._armed_at + limit / 10

    def _read(self, at: float) -> None:
        symbol = self._symbols[0]
        if not symbol.stays:
            self._symbols.popleft()
        self._last = (symbol.data, at)
        self._seen_at = at
        self.reads += 1
        output = self.registers[0x60]
        code_id = symbol.kind()[1] if output & 0x04 else b""
        tail = _TAILS[output >> 5 & 3] if output & 0x01 else b""
        self._disarm()
        sent = self._send(code_id + symbol.data + tail, at)
        if self._mode() >= 2:  # continuous and sensor mode go on by themselves, after the interval
            self._armed_at = sent + self.registers[0x05] / 10

    def _disarm(self) -> None:
        self._armed_at = None
        self.registers[0x02] &= 0xFE

    def _mode(self) -> int:
        return self.registers[0x00] & 3

    def _divided(self) -> int:
        divisor = self.registers[0x2A] | self.registers[0x2B] << 8
        return _BAUDS.get(divisor, 3_000_000 // divisor if divisor else 9600)

    def _send(self, data: bytes, at: float) -> float:
        start = max(at, self._line_free)
        self._line_free = start + 10 * len(data) / self.baud
        self._sending.append(_Sending(self._line_free, data, self.baud))
        return self._line_free

    def _reboot(self, now: float) -> None:
        self._requests.clear()
        self._change_at = None
        self._disarm()
        self._silent_until = self._line_free = now + REBOOT_S
        self.baud = self._divided()
        self._follow_trigger(self._silent_until)

    def _restore(self) -> None:
        for bank in (self.registers, self.flash):
            for address in range(_REGISTERS):
                bank[address] = _FACTORY.get(address, 0)

    def _follow_trigger(self, at: float) -> None:
        # Continuous and sensor mode read without being told, command mode when told, manual mode by a key.
        wanted = self._mode() >= 2 or (self._mode() == 1 and self.registers[0x02] & 1)
        if not wanted:
            self._armed_at = None
        elif self._armed_at is None:
            self._armed_at = at
