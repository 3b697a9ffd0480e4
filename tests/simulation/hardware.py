"""What a terminal is made of and what outlives its boots, beside its flash; and its signer, by the host's library."""

from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Swift:
    """The device's signer, by the host's library: the same signatures, forty times as fast."""

    def __init__(self, d: bytes, boot: int, urandom: object) -> None:
        self._key = ec.derive_private_key(int.from_bytes(d, "big"), ec.SECP256R1())
        self.ready = 0

    def sign(self, message: bytes) -> bytes:
        r, s = decode_dss_signature(self._key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
        return r.to_bytes(32, "big") + min(s, _ORDER - s).to_bytes(32, "big")

    def prepare(self) -> bool:
        return False


class Nvs:
    """esp32.NVS: each value whole or not at all, whenever the power fails.

    cut_in: writes from here to one before or behind which it does; 0: it does not. `fail` raises.
    """

    def __init__(self, fail: Callable[[], None] | None = None) -> None:
        self.values: dict[str, bytes] = {}
        self.cut_in = 0
        self.cut_behind = False
        self._fail = fail

    def get_blob(self, name: str, buffer: bytearray) -> int:
        if name not in self.values:
            raise OSError(-0x1102)
        buffer[: len(self.values[name])] = self.values[name]
        return len(self.values[name])

    def set_blob(self, name: str, value: bytes) -> None:
        failing = self._cut()
        self.values[name] = bytes(value)
        if failing and self._fail:
            self._fail()

    def erase_key(self, name: str) -> None:
        failing = self._cut()
        if self.values.pop(name, None) is None:
            raise OSError(-0x1102)
        if failing and self._fail:
            self._fail()

    def _cut(self) -> bool:
        """Whether the power fails behind this write; before it, it fails here."""
        if not self.cut_in:
            return False
        self.cut_in -= 1
        if self.cut_in == 0 and not self.cut_behind and self._fail:
            self._fail()
        return self.cut_in == 0

    def commit(self) -> None:
        """Each set is one already."""


class Rtc:
    """machine.RTC whose memory a power cut empties."""

    def __init__(self) -> None:
        self.kept = b""

    def memory(self, value: bytes | None = None) -> bytes:
        if value is not None:
            self.kept = value
        return self.kept

    def datetime(self, value: object) -> None:
        """Where it runs to is `Terminal.rtc_off`'s."""
