"""The registry: enrolled, suspended, revoked; keys."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from cryptography.hazmat.primitives.asymmetric import ec

from host_bridge.agreement import Agreements, Held
from host_bridge.agreement import load_agreement_key as load_agreement_key
from host_bridge.errors import DeviceExists, PermanentError, UnknownDevice
from host_bridge.ledger import Ledger
from host_bridge.ledger import devices as rows
from host_bridge.ledger.devices import ENROLLED, RETIRED, REVOKED, SUSPENDED, DeviceRow
from host_bridge.texts import text
from host_bridge.wire import DeviceKeys, WireError, derive, public_key

_NAME = re.compile(r"[a-z0-9-]{1,32}\Z")  # WIRE.md "Topics"

_log = structlog.get_logger("scanlatch.devices")


@dataclass(frozen=True, slots=True)
class Keys:
    """One device's keys, ready for use."""

    version: int
    signing: ec.EllipticCurvePublicKey
    kid: str | None  # of the bridge key under which it is spoken to, hex; None where that is not held here
    shared: dict[str, DeviceKeys] = field(repr=False)  # by the id of the bridge key; the one it uses first

    @property
    def mac(self) -> bytes | None:
        """Key of what it is sent; None where the bridge key that it uses is not held here."""
        return None if self.kid is None else self.shared[self.kid].mac


def check_name(name: str) -> None:
    """Raise PermanentError where no device or site can be called so."""
    if not _NAME.match(name):
        raise PermanentError(text("{name!r} cannot be a name: 1 to 32 of a-z 0-9 -", name=name))


class Registry:
    """Who may speak, and with which keys. Safe to use from several threads."""

    def __init__(self, ledger: Ledger, agreement: ec.EllipticCurvePrivateKey | Agreements) -> None:
        self._ledger = ledger
        self.agreements = agreement if isinstance(agreement, Agreements) else Agreements([agreement])
        self._cached: dict[str, Keys] = {}
        # Which keys the other bridges of the ledger hold too, see peers.py; None: there are no others.
        self.peers_hold: frozenset[str] | None = None

    @property
    def public(self) -> bytes:
        """The agreement public key that a terminal enrolled now is given, an uncompressed point."""
        return self.agreements.newest.public

    def offered(self) -> Held | None:
        """The key that terminals are to go over to; None where there is one only, or a bridge that lacks it."""
        newest = self.agreements.newest
        if len(self.agreements.all) == 1 or (self.peers_hold is not None and newest.kid not in self.peers_hold):
            return None
        return newest

    def refresh(self) -> None:
        """Look for agreement keys that were added. What cannot be read is told, and tried again."""
        try:
            new = self.agreements.refresh()
        except PermanentError as error:
            _log.error("a bridge key can't be used", detail=str(error))
            return
        if new:
            self._cached = {}
            _log.info("bridge keys", kids=[one.kid for one in self.agreements.all])

    def enrol(
        self,
        device: str,
        site: str,
        signing_public: bytes,
        agreement_public: bytes,
        now: int,
        certificate: str | None = None,
        until: int | None = None,
    ) -> None:
        """Add a device. Keys are uncompressed P-256 points, `certificate` SHA-256 in hex, `until` its end; ms UTC.

        Raises DeviceExists where the id was ever given, PermanentError where a name or key cannot be used.
        """
        for name in (device, site):
            check_name(name)
        try:
            public_key(signing_public)
            derive(self.agreements.newest.private, agreement_public, device)
        except WireError as error:
            raise PermanentError(
                text("a key of {device} cannot be used: {error}", device=device, error=error)
            ) from error
        with self._ledger.write() as connection:
            known = rows.every(connection)
            if any(row.id == device for row in known):
                raise DeviceExists(device)
            twin = next((row.id for row in known if row.signing_public == signing_public), None)
            if twin is not None:
                raise PermanentError(
                    text(
                        "the signing key of {device} is that of {twin}: a key belongs to one id for life",
                        device=device,
                        twin=twin,
                    )
                )
            row = DeviceRow(device, site, [], ENROLLED, signing_public, agreement_public, certificate, 1, now)
            row.certificate_until, row.bridge_kid = until, self.agreements.newest.kid
            rows.insert(connection, row)

    def suspend(self, device: str) -> None:
        """Records go on being kept as evidence, and claim nothing. Raises UnknownDevice."""
        self._change(device, lambda _row: {"status": SUSPENDED})

    def reinstate(self, device: str) -> None:
        """Take back a suspension or revocation. Raises UnknownDevice, PermanentError where its keys are wiped."""

        def reinstated(row: DeviceRow) -> dict[str, object]:
            if row.status == RETIRED:
                raise PermanentError(
                    text("{device} is retired: its keys are wiped, its board gets another id", device=device)
                )
            return {"status": ENROLLED}

        self._change(device, reinstated)

    def revoke(self, device: str) -> None:
        """Nothing in, nothing out. Raises UnknownDevice."""
        self._change(device, lambda _row: {"status": REVOKED})

    def retire(self, device: str) -> None:
        """As `revoke`, and for good: its keys are wiped. Raises UnknownDevice."""
        self._change(device, lambda _row: {"status": RETIRED})

    def move(self, device: str, site: str) -> None:
        """Give a device another site; records captured at the former ones stay good. Raises UnknownDevice."""
        if not _NAME.match(site):
            raise PermanentError(text("{site!r} cannot be a site: 1 to 32 of a-z 0-9 -", site=site))

        def moved(row: DeviceRow) -> dict[str, object]:
            former = [one for one in dict.fromkeys([row.site, *row.former_sites]) if one != site]
            return {"site": site, "former_sites": former}

        self._change(device, moved)

    def set_certificate(self, device: str, fingerprint: str, until: int | None = None) -> None:
        """Note a renewed certificate: SHA-256 in hex, and its end, ms UTC. Raises UnknownDevice."""
        self._change(device, lambda _row: {"certificate": fingerprint, "certificate_until": until})

    def public_for(self, device: str) -> bytes:
        """The agreement public key that a terminal uses. Raises UnknownDevice, PermanentError where it is not held."""
        kid = self.find(device).bridge_kid
        held = self.agreements.find(kid)
        if held is None:
            raise PermanentError(
                text("{device} uses the bridge key {kid}, which is not here: put its file back", device=device, kid=kid)
            )
        return held.public

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
        used = self.agreements.find(row.bridge_kid)
        if used is None:
            _log.error("a terminal's bridge key is not held here", device=row.id, kid=row.bridge_kid)
        held = sorted(self.agreements.all, key=lambda one: one is not used)
        shared = {one.kid: derive(one.private, row.agreement_public, row.id) for one in held}
        keys = Keys(row.keys_version, public_key(row.signing_public), used.kid if used else None, shared)
        self._cached[row.id] = keys
        return keys

    def _change(self, device: str, values: Callable[[DeviceRow], dict[str, object]]) -> None:
        with self._ledger.write() as connection:
            row = rows.lock(connection, [device]).get(device)
            if row is None:
                raise UnknownDevice(device)
            rows.change(connection, device, **values(row))
