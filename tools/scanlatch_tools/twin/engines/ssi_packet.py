"""Packets of Zebra's Simple Serial Interface: their frame, and the numbers and values of parameters in them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

GAP_S = 0.2  # Host Character Timeout: a packet whose bytes pause for longer is dropped
LONGEST = 255  # bytes of a packet without its checksum

HOST, DECODER = 0x04, 0x00
RETRANSMIT, CONTINUES, PERMANENT = 0x01, 0x02, 0x08  # bits of the status
RESEND, BAD_CONTEXT, DENIED, CANCEL = 0x01, 0x02, 0x06, 0x0A  # causes of a NAK

_PAGES = {0xF0: 256, 0xF1: 512, 0xF2: 768, 0xF3: 1024}
_FAR = 0xF8
_WORD = 0xF4


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet of the host; whole: its checksum was right."""

    whole: bool
    opcode: int = 0
    status: int = 0
    data: bytes = b""


class Packets:
    """Finds packets in the bytes that the host sends."""

    def __init__(self) -> None:
        self._heard = bytearray()
        self._heard_at = 0.0

    def clear(self) -> None:
        """Drop what has come of a packet."""
        self._heard.clear()

    def put(self, byte: int, now: float) -> Packet | None:
        """Take one byte that arrived at `now` (seconds); the packet that it completes, if any."""
        heard = self._heard
        if now - self._heard_at > GAP_S:
            heard.clear()
        self._heard_at = now
        heard.append(byte)
        if heard[0] < 4:  # a NUL wakes the engine, and shorter packets there are none
            heard.clear()
        if not heard or len(heard) < heard[0] + 2:
            return None
        frame = bytes(heard)
        heard.clear()
        if sum(frame[:-2]) + int.from_bytes(frame[-2:], "big") & 0xFFFF:
            return Packet(whole=False)
        return Packet(whole=frame[2] == HOST, opcode=frame[1], status=frame[3], data=frame[4:-2])


def packet(opcode: int, data: bytes = b"", status: int = 0, source: int = DECODER) -> bytes:
    """A packet with its checksum."""
    return sealed(bytes([4 + len(data), opcode, source, status]) + data)


def sealed(body: bytes) -> bytes:
    """The bytes with their checksum, the two's complement of their sum."""
    return body + (-sum(body) & 0xFFFF).to_bytes(2, "big")


def parameters(data: bytes) -> list[tuple[int, int]]:
    """(number, value) of each parameter in the data of a PARAM_SEND, behind its first byte. Raises ValueError."""
    found: list[tuple[int, int]] = []
    rest = iter(data)
    for first in rest:
        size = 2 if first == _WORD else 1
        number = _number(_next(rest) if first == _WORD else first, rest)
        value = 0
        for _ in range(size):
            value = value << 8 | _next(rest)
        found.append((number, value))
    return found


def numbers(data: bytes) -> list[int]:
    """Numbers in the data of a PARAM_REQUEST. Raises ValueError."""
    rest = iter(data)
    return [_number(first, rest) for first in rest]


def told(values: Mapping[int, int]) -> bytes:
    """Parameters as PARAM_SEND tells them; those above 255 as words."""
    return b"".join(
        (bytes([_WORD]) if value > 0xFF else b"") + _named(number) + value.to_bytes(2 if value > 0xFF else 1, "big")
        for number, value in values.items()
    )


def _named(number: int) -> bytes:
    for prefix, page in _PAGES.items():
        if page <= number < page + 256:
            return bytes([prefix, number - page])
    return bytes([number]) if number < 256 else bytes([_FAR]) + number.to_bytes(2, "big")


def _number(first: int, rest: Iterator[int]) -> int:
    if first in _PAGES:
        return _PAGES[first] + _next(rest)
    if first == _FAR:
        return _next(rest) << 8 | _next(rest)
    return first


def _next(rest: Iterator[int]) -> int:
    for byte in rest:
        return byte
    raise ValueError("a parameter without its value")
