"""The keys of the wire contract: what device and bridge derive from their agreement keys."""

import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from host_bridge.cbor_strict import WireError

_POINT_BYTES = 65
_UNCOMPRESSED = 0x04
_KID_BYTES = 8
_MAC_BYTES = 32
_CREDENTIAL_BYTES = 16


@dataclass(frozen=True, slots=True)
class DeviceKeys:
    """Keys shared with one device: `mac` for Mac0 messages, `credential` for AES-CCM."""

    mac: bytes = field(repr=False)
    credential: bytes = field(repr=False)


def public_key(point: bytes) -> ec.EllipticCurvePublicKey:
    """P-256 key of an uncompressed point; raises WireError `key` where it is none or off the curve."""
    if len(point) != _POINT_BYTES or point[0] != _UNCOMPRESSED:
        raise WireError("key", "not an uncompressed point")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as error:
        raise WireError("key", "not on P-256") from error


def derive(own: ec.EllipticCurvePrivateKey, peer: bytes, device: str) -> DeviceKeys:
    """Both keys of a device, from one agreement key and the other side's public point (65 bytes).

    ECDH on P-256, then HKDF-SHA256 (RFC 5869) with an empty salt. Raises WireError `key`.
    """
    z = own.exchange(ec.ECDH(), public_key(peer))

    def expand(purpose: str, size: int) -> bytes:
        return HKDF(hashes.SHA256(), size, salt=None, info=f"scanlatch/1/{purpose}/{device}".encode()).derive(z)

    return DeviceKeys(expand("mac", _MAC_BYTES), expand("credential", _CREDENTIAL_BYTES))


def bridge_kid(point: bytes) -> bytes:
    """Key id of a bridge: 8 bytes, from its agreement public key (uncompressed point)."""
    return hashlib.sha256(point).digest()[:_KID_BYTES]
