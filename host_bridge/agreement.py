"""The bridge's agreement keys: all that any terminal still uses, and the newest, which each is to use."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from host_bridge.errors import ConfigError
from host_bridge.texts import text
from host_bridge.wire import bridge_kid

KEYS_MOST = 99  # a bridge's keys in its life; each is a file for good


@dataclass(frozen=True, slots=True)
class Held:
    """One agreement key that this bridge holds."""

    kid: str  # hex
    public: bytes  # uncompressed point
    private: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def kid_bytes(self) -> bytes:
        """As messages have it."""
        return bytes.fromhex(self.kid)


def load_agreement_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """One agreement key from a PEM file. Raises ConfigError."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(str(path), text("no private key in PEM form: {error}", error=error)) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ConfigError(str(path), text("must be a P-256 key"))
    return key


def files(first: Path) -> list[Path]:
    """Files of all keys, oldest first: `agreement.key`, then `agreement-2.key`, `agreement-3.key`, ... beside it."""
    later = (next_file(first, number) for number in range(2, KEYS_MOST + 1))
    return [first, *(path for path in later if path.exists())]


def next_file(first: Path, number: int) -> Path:
    """Where the key of this number belongs; `first` is number 1."""
    return first.with_name(f"{first.stem}-{number}{first.suffix}")


class Agreements:
    """Keys in the order in which they were made; not empty. Safe to use from several threads."""

    def __init__(self, keys: Sequence[ec.EllipticCurvePrivateKey], first: Path | None = None) -> None:
        self._first = first
        self._read: dict[Path, Held] = {}
        self.all: tuple[Held, ...] = tuple(_held(key) for key in keys)

    @classmethod
    def load(cls, first: Path) -> "Agreements":
        """All keys beside the first one's file. Raises ConfigError."""
        made = cls((), first)
        made.refresh()
        return made

    def refresh(self) -> bool:
        """Look for keys that were added since; True where there are any. Raises ConfigError, and stays as it was."""
        if self._first is None:
            return False
        new = [path for path in files(self._first) if path not in self._read]
        if not new:
            return False
        # What was taken away while the bridge runs is held on to: some terminal may use it.
        self._read |= {path: _held(load_agreement_key(path)) for path in new}
        order = [self._first, *(next_file(self._first, number) for number in range(2, KEYS_MOST + 1))]
        self.all = tuple(self._read[path] for path in order if path in self._read)
        return True

    @property
    def newest(self) -> Held:
        """The key that every terminal is to use."""
        return self.all[-1]

    def find(self, kid: str | None) -> Held | None:
        """The key of this id, of none the first; None where it is not held here."""
        if kid is None:
            return self.all[0]
        return next((one for one in self.all if one.kid == kid), None)

    def age(self, kid: str | None) -> int:
        """Its place among all, the oldest 0; -1 where it is not held here."""
        found = self.find(kid)
        return -1 if found is None else self.all.index(found)


def _held(key: ec.EllipticCurvePrivateKey) -> Held:
    public = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )  # fmt: skip
    return Held(bridge_kid(public).hex(), public, key)
