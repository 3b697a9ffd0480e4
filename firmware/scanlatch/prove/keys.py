"""What a key is made for: its public point, the secret shared with the bridge, the keys derived from that."""

from scanlatch.prove.hashes import hmac_sha256
from scanlatch.prove.p256 import UNBOUNDED, Comb, P, add_affine, double, inverse, scalar

_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


def public_key(d):
    """The public point of the private key `d` (32 bytes): 65 bytes, uncompressed (SEC 1 2.3.3)."""
    point = Comb(scalar(d))
    while not point.step(UNBOUNDED):
        pass
    return b"\x04" + point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")


def shared_x(d, point):
    """ECDH (SP 800-56A 5.7.1.2): x of d * point, 32 bytes.

    Raises ValueError where `point` (65 bytes, uncompressed) is not on the curve.
    By double and add, four times the work of a signature: about half a second on the chip.
    """
    k = scalar(d)
    x, y = on_curve(point)
    mask = 1 << 255
    while not k & mask:
        mask >>= 1
    result = (x, y, 1)
    while mask > 1:
        mask >>= 1
        result = double(*result)
        if k & mask:  # never the point itself nor its opposite: the multiple is even, and below N - 1
            result = add_affine(*result, x, y)
    z = inverse(result[2], P)
    return (result[0] * (z * z % P) % P).to_bytes(32, "big")


def shared(d, point, device):
    """(MAC key, credential key) that `device` shares with the bridge of this public point (WIRE: Keys).

    Raises ValueError as shared_x.
    """
    secret = shared_x(d, point)
    info = "/" + device
    return tuple(
        hkdf_sha256(secret, ("scanlatch/1/" + purpose + info).encode(), size)
        for purpose, size in (("mac", 32), ("credential", 16))
    )


def hkdf_sha256(ikm, info, length):
    """`length` bytes of key (at most 8,160) from the secret `ikm`, salt empty (RFC 5869)."""
    if not 0 < length <= 255 * 32:
        raise ValueError("HKDF length")
    secret = hmac_sha256(b"", ikm)
    out = b""
    last = b""
    count = 0
    while len(out) < length:
        count += 1
        last = hmac_sha256(secret, last, info, bytes((count,)))
        out += last
    return out[:length]


def on_curve(point):
    """Coordinates of a public point (65 bytes, uncompressed). Raises ValueError where it is not on the curve."""
    if len(point) != 65 or point[0] != 4:
        raise ValueError("not an uncompressed point")
    x = int.from_bytes(point[1:33], "big")
    y = int.from_bytes(point[33:], "big")
    if x >= P or y >= P or (y * y - (x * x - 3) * x - _B) % P:
        raise ValueError("point is not on the curve")
    return x, y
