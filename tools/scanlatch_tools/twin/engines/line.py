"""An engine that reads whenever something is there, and takes no commands: what the driver `line` is for."""

from scanlatch_tools.twin.engines import serial
from scanlatch_tools.twin.engines.base import Faults, Simulator
from scanlatch_tools.twin.engines.beam import Symbol

_WHOLE = 2048  # bytes; a pause ends a symbol, and between pieces a busy computer may make one


class Line(Simulator):
    """Configured elsewhere, with its setup codes.

    tail: what ends a symbol; sends_aim: its AIM identifier comes before it; interval_s: from the end of one symbol to
    the next. For tests: `heard`, all that the host sent.
    """

    name = "line"

    def __init__(
        self,
        *,
        tail: bytes = b"\r",
        sends_aim: bool = False,
        interval_s: float = 0.02,
        baud: int = 9600,
        boot_s: float = 0.3,
        decode_s: float = 0.005,
        faults: Faults | None = None,
    ) -> None:
        super().__init__(baud=baud, boot_s=boot_s, decode_s=decode_s, faults=faults)
        self.line = serial.Line(_WHOLE)
        self._tail = tail
        self._sends_aim = sends_aim
        self._interval_s = interval_s
        self.heard = b""
        self.beam.turn(True, 0.0)

    def _hear(self, byte: int, now: float) -> None:
        del now
        self.heard += bytes([byte])

    def _frame(self, symbol: Symbol) -> bytes:
        return (symbol.aim.encode() if self._sends_aim else b"") + symbol.data + self._tail

    def _again_s(self) -> float | None:
        return self._interval_s

    def _boot(self, now: float) -> None:
        self.beam.turn(True, now)
