"""What the device and one bridge share: the keys of both directions and the bridge's key id."""

from scanlatch.prove import hashes, p256

_MAC = b"scanlatch/1/mac/"
_CREDENTIAL = b"scanlatch/1/credential/"


def derive(d, bridge, device):
    """(mac key 32 bytes, credential key 16 bytes, bridge's kid 8 bytes).

    `d` is the device's agreement key (32 bytes), `bridge` the bridge's agreement point (65 bytes), `device`
    its own id (bytes). Takes about a second on the chip: when provisioned or told of a new bridge key only.
    Raises ValueError where the point is not on the curve.
    """
    z = p256.shared_x(d, bridge)
    return (
        hashes.hkdf_sha256(z, _MAC + device, 32),
        hashes.hkdf_sha256(z, _CREDENTIAL + device, 16),
        hashes.sha256(bridge)[:8],
    )
