"""SLIP framing (RFC 1055), as Espressif's loaders speak it: an END on both sides of a packet."""

END = b"\xc0"
_ESC = b"\xdb"
_LONGEST = 1 << 17  # bytes of an unfinished packet; a block of 16 KiB takes 32 KiB at most


def framed(packet: bytes) -> bytes:
    """A packet as it goes over the line."""
    return END + packet.replace(_ESC, b"\xdb\xdd").replace(END, b"\xdb\xdc") + END


class Unframer:
    """Makes packets out of what arrives, in pieces of any size."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that are complete with `data`. Bytes that can be no packet are dropped."""
        *whole, self._rest = (self._rest + data).split(END)
        if len(self._rest) > _LONGEST:
            self._rest = b""
        return [packet for part in whole if part and (packet := _unescaped(part)) is not None]


def _unescaped(part: bytes) -> bytes | None:
    first, *rest = part.split(_ESC)
    packet = [first]
    for piece in rest:
        if piece[:1] == b"\xdc":
            packet.append(END + piece[1:])
        elif piece[:1] == b"\xdd":
            packet.append(_ESC + piece[1:])
        else:
            return None
    return b"".join(packet)
