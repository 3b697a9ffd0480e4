"""The registry: enrolled, suspended, revoked; keys."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from host_bridge.errors import ConfigError, DeviceExists, PermanentError, UnknownDevice
from host_bridge.ledger import Ledger
from host_bridge.ledger import devices as rows
from host_bridge.ledger.devices import ENROLLED, REVOKED, SUSPENDED, DeviceRow
from host_bridge.wire import DeviceKeys, WireError, bridge_kid, derive, public_key

_NAME = re.compile(r"[a-z0-9-]{1,32}\Z")  # WIRE.md "Topics"


@dataclass(frozen=True, slots=True)
class Keys:
    """One device's keys, ready for use."""

    version: int
    signing: ec.EllipticCurvePublicKey
    shared: DeviceKeys = field(repr=False)


def load_agreement_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The bridge's agreement key from a PEM file. Raises ConfigError."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(str(path), f"no private key in PEM form: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ConfigError(str(path), "must be a P-256 key")
    return key


class Registry:
    """Who may speak, and with which keys. Safe to use from several threads."""

    def __init__(self, ledger: Ledger, agreement: ec.EllipticCurvePrivateKey) -> None:
        self._ledger = ledger
        self._agreement = agreement
        self._cached: dict[str, Keys] = {}
        self.public = agreement.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        self.kid = bridge_kid(self.public)

    def enrol(
        self,
        device: str,
        site: str,
        signing_public: bytes,
        agreement_public: bytes,
        now: int,
        certificate: str | None = None,
    ) -> None:
        """Add a device. Keys are uncompressed P-256 points, `now` ms UTC, `certificate` SHA-256 in hex.

        Raises DeviceExists where the id was ever given, PermanentError where a name or key cannot be used.
        """
        for name in (device, site):
            if not _NAME.match(name):
                raise PermanentError(f"{name!r} cannot be a name: 1 to 32 of a-z 0-9 -")
        try:
            public_key(signing_public)
            derive(self._agreement, agreement_public, device)
        except WireError as error:
            raise PermanentError(f"a key of {device} cannot be used: {error}") from error
        with self._ledger.write() as connection:
            known = rows.every(connection)
            if any(row.id == device for row in known):
                raise DeviceExists(device)
            twin = next((row.id for row in known if row.signing_public == signing_public), None)
            if twin is not None:
                raise PermanentError(f"the signing key of {device} is that of {twin}: a key belongs to one id for life")
            rows.insert(
                connection,
                DeviceRow(device, site, [], ENROLLED, signing_public, agreement_public, certificate, 1, now),
            )

    def suspend(self, device: str) -> None:
        """Records go on being kept as evidence, and claim nothing. Raises UnknownDevice."""
        self._change(device, lambda _row: {"status": SUSPENDED})

    def reinstate(self, device: str) -> None:
        """Take back a suspension or revocation. Raises UnknownDevice."""
        self._change(device, lambda _row: {"status": ENROLLED})

    def revoke(self, device: str) -> None:
        """Nothing in, nothing out. Raises UnknownDevice."""
        self._change(device, lambda _row: {"status": REVOKED})

    def move(self, device: str, site: str) -> None:
        """Give a device another site; records captured at the former ones stay good. Raises UnknownDevice."""
        if not _NAME.match(site):
            raise PermanentError(f"{site!r} cannot be a site: 1 to 32 of a-z 0-9 -")

        def moved(row: DeviceRow) -> dict[str, object]:
            former = [one for one in dict.fromkeys([row.site, *row.former_sites]) if one != site]
            return {"site": site, "former_sites": former}

        self._change(device, moved)

    def set_certificate(self, device: str, fingerprint: str) -> None:
        """Note a renewed certificate: SHA-256 in hex. Raises UnknownDevice."""
        self._change(device, lambda _row: {"certificate": fingerprint})

    def listed(self) -> list[DeviceRow]:
        """All devices in order of id."""
        with self._ledger.read() as connection:
            return rows.every(connection)

    def find(self, device: str) -> DeviceRow:
        """One device. Raises UnknownDevice."""
        with self._ledger.read() as connection:
            row = rows.get(connection, device)
        if row is None:
            raise UnknownDevice(device)
        return row

    def keys(self, device: str) -> Keys | None:
        """Keys as last seen, from memory where possible; None for an unknown device."""
        cached = self._cached.get(device)
        if cached is not None:
            return cached
        with self._ledger.read() as connection:
            row = rows.get(connection, device)
        return None if row is None else self.keys_of(row)

    def keys_of(self, row: DeviceRow) -> Keys:
        """Keys as this row says; what is in memory gives way to a newer row."""
        cached = self._cached.get(row.id)
        if cached is not None and cached.version == row.keys_version:
            return cached
        shared = derive(self._agreement, row.agreement_public, row.id)
        keys = Keys(row.keys_version, public_key(row.signing_public), shared)
        self._cached[row.id] = keys
        return keys

    def _change(self, device: str, values: Callable[[DeviceRow], dict[str, object]]) -> None:
        with self._ledger.write() as connection:
            row = rows.lock(connection, [device]).get(device)
            if row is None:
                raise UnknownDevice(device)
            rows.change(connection, device, **values(row))
