"""What every simulated scan engine is made of: a serial line, a beam, power, and the ways in which engines misbehave.

The caller owns the clock and the port. It passes every byte that the host sends to `receive`, with the time and the
host's speed at that moment, and asks `poll` for what the engine has sent by now; `next_deadline` is when to ask again:

    engine = simulator("newland")
    engine.present(b"83386520001941653320", now=clock())       # a symbol comes under the beam
    engine.receive(bytes_from_host, now=clock(), host_baud=9600)
    to_host = engine.poll(now=clock(), host_baud=9600)
    wait_until(engine.next_deadline())                         # None: nothing happens until `receive` or `present`

Times are seconds on any clock that never goes back. Speeds are bits a second; where host and engine differ, the bits on
the line are read at the other speed and garbage comes out, both ways.

A family's module says in its first lines what is not known of it; there the simulator does what is harder for the host.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, fields

from scanlatch_tools.twin.engines.beam import Beam, Symbol
from scanlatch_tools.twin.engines.serial import Line, misread

REPLY_S = 0.002  # from the last byte of a request to the first of its reply
DECODE_S = 0.005  # from a symbol under an armed beam to the first byte
BOOT_S = 0.3  # the engine is silent for this long after a reset or power-on


@dataclass
class Faults:
    """How an engine misbehaves; may be changed at any time.

    silent: it hears and sends nothing; late_s: its replies come that much later; wrong_checksums: so many of its next
    replies are damaged; split_s: a pause in the middle of whatever it sends; glue_s: it sends only at multiples of
    this, all that has gathered in one go; noise: bytes on the line before each reply.
    """

    silent: bool = False
    late_s: float = 0.0
    wrong_checksums: int = 0
    split_s: float = 0.0
    glue_s: float = 0.0
    noise: bytes = b""


FAULTS = tuple(field.name for field in fields(Faults))


class Simulator:
    """One engine, whatever its family.

    baud: as it starts; boot_s: silence after power-on or a reset; decode_s: seconds from a symbol under an armed beam
    to its first byte; faults: see `Faults`.

    For tests: `reads` (symbols read), `beeps` (commands to beep that it obeyed), `erased` (an erase or factory command
    came, which no terminal may send: see `forbidden` for which), `dead` (it has lost its firmware or its serial line by
    that, and stays silent).
    """

    name = ""

    def __init__(
        self, *, baud: int = 9600, boot_s: float = BOOT_S, decode_s: float = DECODE_S, faults: Faults | None = None
    ) -> None:
        self.baud = baud
        self.faults = faults or Faults()
        self.reads = 0
        self.beeps = 0
        self.dead = False
        self.forbidden: list[str] = []
        self.beam = Beam()
        self.line = Line()
        self._boot_s = boot_s
        self._decode_s = decode_s
        self._plugged = True
        self._silent_until = 0.0
        self._timers: list[tuple[float, int, Callable[[float], None]]] = []
        self._timer_count = 0

    # What happens to the engine

    def receive(self, data: bytes, now: float, host_baud: int) -> None:
        """The host sent `data` at `host_baud`; its last byte arrived at `now`."""
        self._advance(now)
        for byte in misread(data, host_baud, self.baud):
            if self.dead or self.faults.silent or not self._plugged or now < self._silent_until:
                return
            self._hear(byte, now)

    def present(self, data: bytes, now: float, aim: str | None = None, *, stays: bool = False) -> None:
        """A symbol comes under the beam: read once, as soon as the engine is armed and its symbology enabled, and then
        gone (`stays`: left there until `remove`, and read again whenever the engine would). Several wait in turn.

        Raises:
            OverflowError: 10,000 wait already.
        """
        self._advance(now)
        self.beam.put(Symbol(data, aim, stays), now)

    def remove(self) -> None:
        """Whatever lies under the beam is taken away."""
        self.beam.symbols.clear()

    def unplug(self, now: float) -> None:
        """Its plug is pulled."""
        self._advance(now)
        self._plugged = False
        self._lose_power(now)

    def power_cycle(self, now: float) -> None:
        """Power comes back, or goes and comes: what was not kept permanently is forgotten."""
        self._plugged = True
        self._lose_power(now)
        self._wake(now)

    @property
    def armed(self) -> bool:
        """Whether the beam is on."""
        return self.beam.on_at is not None

    @property
    def erased(self) -> bool:
        """Whether an erase or factory command has come."""
        return bool(self.forbidden)

    # What the engine sends

    def poll(self, now: float, host_baud: int) -> bytes:
        """Bytes that have left the engine since the last call, as a host at `host_baud` hears them."""
        self._advance(now)
        return self.line.take(now, host_baud)

    def next_deadline(self) -> float | None:
        """When something will happen by itself, None where nothing will."""
        times = [self.line.next_done(), self._next_event()]
        return min((at for at in times if at is not None), default=None)

    # What a family says

    def _hear(self, byte: int, now: float) -> None:
        """One byte of the host."""

    def _frame(self, symbol: Symbol) -> bytes:
        """What is sent of a symbol."""
        raise NotImplementedError

    def _enabled(self, symbol: Symbol) -> bool:
        """Whether its symbology is on."""
        del symbol
        return True

    def _limit_s(self) -> float | None:
        """How long one trigger lasts; None: without end."""
        return None

    def _same_s(self) -> float | None:
        """How long the same code is not read again; None: until another was."""
        return 0.0

    def _again_s(self) -> float | None:
        """When the beam goes on by itself behind a read; None: it waits for a trigger."""
        return None

    def _boot(self, now: float) -> None:
        """Power has come, or a reset: only what is permanent is left. `now`: when it hears and reads again."""

    def _went_out(self) -> None:
        """The beam went out: something was read, or the time of one trigger was over."""

    def _damaged(self, reply: bytes) -> bytes:
        """The reply with a wrong checksum; where the family has none, with a wrong byte."""
        at = len(reply) - 1
        return reply[:at] + bytes([reply[at] ^ 0x55]) + reply[at + 1 :]

    # For the families

    def send(self, data: bytes, at: float, *, reply: bool = True) -> float:
        """Send from `at` on; when the last byte will have left."""
        faults = self.faults
        if faults.silent:
            return at
        if reply:
            at += faults.late_s
            if faults.wrong_checksums > 0:
                faults.wrong_checksums -= 1
                data = self._damaged(data)
            data = faults.noise + data
        if faults.glue_s:
            at = (at // faults.glue_s + 1) * faults.glue_s
        if faults.split_s and len(data) > 1:
            half = len(data) // 2
            at = self.line.send(data[:half], at, self.baud) + faults.split_s
            data = data[half:]
        return self.line.send(data, at, self.baud)

    def after(self, at: float, do: Callable[[float], None]) -> None:
        """Call do(at) when it is `at`; a reset or power cut forgets it."""
        self._timer_count += 1
        heapq.heappush(self._timers, (at, self._timer_count, do))

    def change_baud(self, baud: int, at: float) -> None:
        """The line has another speed from `at` on."""

        def change(_at: float) -> None:
            self.baud = baud

        self.after(at, change)

    def reboot(self, at: float) -> None:
        """As a reset command does it."""
        self._lose_power(at)
        self._wake(at)

    # The machine

    def _lose_power(self, now: float) -> None:
        self._timers.clear()
        self.beam.turn(False, now)
        self.line.cut(now, now)

    def _wake(self, now: float) -> None:
        self._silent_until = now + self._boot_s
        self.line.free = self._silent_until
        self._boot(self._silent_until)

    def _advance(self, now: float) -> None:
        while True:
            reads, ends, timer = self._reads_at(), self._ends_at(), self._timers[0][0] if self._timers else None
            at = min((one for one in (reads, ends, timer) if one is not None), default=None)
            if at is None or at > now:
                return
            if at == timer:
                heapq.heappop(self._timers)[2](at)
            elif at == ends:
                self.beam.turn(False, at)
                self._went_out()
            else:
                self._read(at)

    def _next_event(self) -> float | None:
        times = [self._reads_at(), self._ends_at(), self._timers[0][0] if self._timers else None]
        return min((at for at in times if at is not None), default=None)

    def _reads_at(self) -> float | None:
        beam = self.beam
        if beam.on_at is None or not beam.symbols or self.dead or not self._enabled(beam.symbols[0]):
            return None
        at = max(beam.on_at, beam.seen_at) + self._decode_s
        if beam.symbols[0].data == beam.last[0]:
            same = self._same_s()
            if same is None:
                return None
            at = max(at, beam.last[1] + same)
        return at

    def _ends_at(self) -> float | None:
        limit = self._limit_s()
        if self.beam.on_at is None or limit is None or self.dead:
            return None
        return self.beam.on_at + limit

    def _read(self, at: float) -> None:
        symbol = self.beam.read(at)
        self.reads += 1
        self.beam.turn(False, at)
        self._went_out()
        sent = self.send(self._frame(symbol), at, reply=False)
        again = self._again_s()
        if again is not None:
            self.beam.turn(True, sent + again)
