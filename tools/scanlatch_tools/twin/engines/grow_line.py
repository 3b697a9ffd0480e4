"""The serial line of the "7E 00" register protocol, engine's side: requests out of bytes, replies into bytes."""

from dataclasses import dataclass
from typing import Literal

GAP_S = 0.4  # a request whose bytes pause for longer is dropped

ACK = bytes.fromhex("02000001003331")
BEAT = bytes.fromhex("03000001003331")
BAD_CRC = bytes.fromhex("02000101000401")  # the Newland engines of the family answer errors, GROW's keep silent
BAD_COMMAND = bytes.fromhex("02000301006A61")

_HEAD = b"\x7e\x00"
_ANY_CRC = b"\xab\xcd"  # "do not check", host to engine only
_KINDS: dict[int, Literal["erase", "read", "write", "save", "beat"]] = {
    0x05: "erase", 0x07: "read", 0x08: "write", 0x09: "save", 0x0A: "beat",
}  # fmt: skip


@dataclass(frozen=True)
class Request:
    """One request of the host; "bad crc" and "unknown" are those that can't be served."""

    kind: Literal["erase", "read", "write", "save", "beat", "bad crc", "unknown"]
    address: int = 0
    data: bytes = b""


class Requests:
    """Finds requests in the bytes that the host sends."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._last_at = 0.0

    def clear(self) -> None:
        """Drop what has come of a request."""
        self._bytes.clear()

    def put(self, byte: int, now: float) -> Request | None:
        """Take one byte that arrived at `now` (seconds); the request that it completes, if any."""
        if now - self._last_at > GAP_S:
            self._bytes.clear()
        self._last_at = now
        self._bytes.append(byte)
        while self._bytes and not _HEAD.startswith(self._bytes[:2]):
            del self._bytes[0]
        if len(self._bytes) < 4 or len(self._bytes) < 8 + self._bytes[3]:
            return None
        frame = bytes(self._bytes)
        self._bytes.clear()
        if frame[-2:] != _ANY_CRC and crc16(frame[2:-2]) != int.from_bytes(frame[-2:], "big"):
            return Request("bad crc")
        return Request(_KINDS.get(frame[2], "unknown"), int.from_bytes(frame[4:6], "big"), frame[6:-2])


def reply(data: bytes) -> bytes:
    """The engine's answer to a read."""
    body = b"\x00" + bytes([len(data) & 0xFF]) + data  # 256 registers are announced as 00
    return b"\x02\x00" + body + crc16(body).to_bytes(2, "big")


def crc16(data: bytes) -> int:
    """CRC-16/XMODEM: polynomial 0x1021, start 0, nothing reflected."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc
