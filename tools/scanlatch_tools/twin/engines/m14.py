"""M5Stack Atomic QRCode2 Base, Module13.2 QRCode and Unit QRCode (M14): frames of a few bytes, without a checksum.

Not known, here as is harder for the host: settings are gone with the power, requests that are wrong get no answer, and
nothing tells where a symbol without the output protocol ends but silence. It never tells the AIM identifier.
"""

from scanlatch_tools.twin.engines.base import Faults, Simulator
from scanlatch_tools.twin.engines.beam import Symbol

_GAP_S = 0.2  # a request whose bytes pause for longer is dropped
_REPLY_S = 0.005
_VERSION = b"M14 V1.0.2"
_KEY, _CONTINUOUS, _AUTO, _MOTION = 0, 1, 2, 5
# Group and register of a setting -> (as delivered, what it may hold, the reply behind group and register: "n" stands
# for the value). Those with bit 7 hold two bytes.
_SETTINGS: dict[bytes, tuple[int, range | tuple[int, ...], str]] = {
    b"\x61\x41": (_KEY, (0, 1, 2, 4, 5), "n0"),
    b"\x61\x8a": (0, range(0x10000), "00"),
    b"\x61\x82": (5000, range(0x10000), "00"),
    b"\x61\x85": (0, range(0x10000), "00"),
    b"\x61\x8c": (0, range(0x10000), "00"),
    b"\x61\x44": (3, range(1, 6), "0"),
    b"\x62\x41": (2, (0, 2, 3), "n0"),
    b"\x62\x48": (60, range(101), "n0"),
    b"\x62\x42": (2, (0, 1, 2), "n0"),
    b"\x63\x45": (1, (0, 1, 2), "n"),
    b"\x63\x42": (1, (0, 1, 2), "n"),
    b"\x64\x82": (1000, range(0x10000), "00"),
    b"\x64\x81": (0, range(0x10000), "00"),
    b"\x64\x43": (0, (0, 1), "n0"),
    b"\x51\x43": (0, (0, 1, 2, 3), "0"),
    b"\x51\x48": (0, (0, 1, 2), "0"),
}
_MODE, _OUTPUT, _KEY_TIME, _PULSE_TIME = b"\x61\x41", b"\x51\x43", b"\x61\x8a", b"\x61\x82"


class M14(Simulator):
    """One engine. For tests: `settings`, by group and register."""

    name = "m14"

    def __init__(
        self,
        *,
        baud: int = 115200,
        boot_s: float = 0.3,
        decode_s: float = 0.005,
        faults: Faults | None = None,
    ) -> None:
        super().__init__(baud=baud, boot_s=boot_s, decode_s=decode_s, faults=faults)
        self._heard = b""
        self._heard_at = 0.0
        self.settings = {key: delivered for key, (delivered, _, _) in _SETTINGS.items()}

    def _hear(self, byte: int, now: float) -> None:
        if now - self._heard_at > _GAP_S:
            self._heard = b""
        self._heard_at = now
        self._heard += bytes([byte])
        while self._heard:
            size = _size(self._heard)
            if size and len(self._heard) < size:
                return
            if size:
                frame, self._heard = self._heard[:size], self._heard[size:]
                self._serve(frame, now + _REPLY_S)
            else:
                self._heard = self._heard[1:]

    def _serve(self, frame: bytes, at: float) -> None:
        if frame == b"\x32\x75\x01":  # has no reply
            self.beam.turn(self._mode() in (_KEY, _CONTINUOUS), at)
        elif frame == b"\x32\x75\x02":
            if self._mode() != _AUTO:
                self.beam.turn(False, at)
            self.send(b"\x33\x75\x02\x00\x00", at)
        elif frame == b"\x32\x76\x01":  # users found no serial line any more behind it
            self.forbidden.append("factory reset")
            self.dead = True
        elif frame == b"\x43\x02\xc1":
            self.send(b"\x44\x02\xc1" + len(_VERSION).to_bytes(2, "big") + _VERSION, at)
        elif frame[0] == 0x23:
            self.send(b"\x24" + frame[1:] + _bytes(self.settings[frame[1:]], frame[2]), at)
        elif frame[0] == 0x21:
            self._set(frame[1:3], int.from_bytes(frame[3:], "big"), at)

    def _set(self, key: bytes, value: int, at: float) -> None:
        _, allowed, shape = _SETTINGS[key]
        if value not in allowed:
            return
        self.settings[key] = value
        reply = b"".join(bytes([value]) if one == "n" else b"\x00" for one in shape)
        sent = self.send(b"\x22" + key + reply, at)
        if key == _MODE:
            self.beam.turn(False, sent)
            self.beam.turn(value in (_AUTO, _MOTION), sent)

    def _mode(self) -> int:
        return self.settings[_MODE]

    def _frame(self, symbol: Symbol) -> bytes:
        output = self.settings[_OUTPUT]
        if output == 0:
            return symbol.data
        return b"\x03" + len(symbol.data).to_bytes(2, "big") + symbol.data

    def _limit_s(self) -> float | None:
        limit = {_KEY: self.settings[_KEY_TIME], 4: self.settings[_PULSE_TIME]}.get(self._mode(), 0)
        return limit / 1000 or None

    def _same_s(self) -> float | None:
        return self.settings[b"\x64\x82"] / 1000 if self._again_s() is not None else 0.0

    def _again_s(self) -> float | None:
        return 0.1 if self._mode() in (_CONTINUOUS, _AUTO, _MOTION) else None

    def _boot(self, now: float) -> None:
        del now
        self._heard = b""
        self.settings = {key: delivered for key, (delivered, _, _) in _SETTINGS.items()}


def _size(heard: bytes) -> int:
    """Bytes that the request has which begins so; 0 where none does."""
    if any(one.startswith(heard[:3]) for one in (b"\x32\x75\x01", b"\x32\x75\x02", b"\x32\x76\x01", b"\x43\x02\xc1")):
        return 3
    if heard[0] not in (0x21, 0x23) or not any(key.startswith(heard[1:3]) for key in _SETTINGS):
        return 0
    if heard[0] == 0x23 or len(heard) < 3:
        return 3 if heard[0] == 0x23 else 4
    return 5 if heard[2] & 0x80 else 4


def _bytes(value: int, register: int) -> bytes:
    return value.to_bytes(2 if register & 0x80 else 1, "big")
