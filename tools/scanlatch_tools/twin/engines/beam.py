"""What lies under a scan engine's beam: symbols, which kind each is, and how the families name the kinds."""

from collections import deque
from dataclasses import dataclass

QUEUE_MOST = 10_000  # symbols that may wait under the beam

# AIM identifier, or its letter where the modifier doesn't matter -> our name of the symbology
_KINDS = {
    "]C1": "gs1_128", "]C": "code128", "]d2": "gs1_datamatrix", "]d": "datamatrix", "]Q3": "gs1_qr", "]Q": "qr",
    "]E4": "ean8", "]E": "ean13", "]A": "code39", "]L": "pdf417", "]I": "itf", "]e": "databar", "]z": "aztec",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Symbol:
    """What lies under the beam. given: its AIM identifier, or None: then digits of EAN lengths count as EAN."""

    data: bytes
    given: str | None = None
    stays: bool = False

    @property
    def aim(self) -> str:
        """AIM identifier (ISO/IEC 15424) that an engine which sends it would send."""
        if self.given is not None:
            return self.given
        if self.data.isdigit() and len(self.data) in (8, 13):
            return "]E0" if len(self.data) == 13 else "]E4"
        return "]C0"

    @property
    def kind(self) -> str:
        """Symbology, the GS1 forms apart; "code128" where it is none that the engines know."""
        return _KINDS.get(self.aim) or _KINDS.get(self.aim[:2], "code128")


class Beam:
    """A beam that is on or off, and the symbols that come under it in turn. Times are seconds."""

    def __init__(self) -> None:
        self.on_at: float | None = None
        self.symbols: deque[Symbol] = deque()
        self.seen_at = 0.0  # when the first of them came, or the one before it was read
        self.last: tuple[bytes, float] = (b"", -1e9)  # what was read last, and when

    def put(self, symbol: Symbol, now: float) -> None:
        """A symbol comes under the beam, behind those that wait. Raises OverflowError."""
        if len(self.symbols) >= QUEUE_MOST:
            raise OverflowError(f"{QUEUE_MOST} symbols wait for an engine that reads none")
        if not self.symbols:
            self.seen_at = now
        self.symbols.append(symbol)

    def read(self, at: float) -> Symbol:
        """The first symbol; gone with it, unless it stays."""
        symbol = self.symbols[0]
        if not symbol.stays:
            self.symbols.popleft()
        self.last = (symbol.data, at)
        self.seen_at = at
        return symbol

    def turn(self, on: bool, at: float) -> None:
        """Switch it; one that is on already stays on since when it was."""
        if not on:
            self.on_at = None
        elif self.on_at is None:
            self.on_at = at
