"""ECDSA with the nonce of RFC 6979, for who has no pair and no haste. Loaded for each signature."""

from scanlatch.prove import hashes, p256


def sign(d, digest):
    """Signature of a 32-byte digest with the private key `d` (32 bytes): r || s, 64 bytes, s <= N / 2.

    Raises ValueError where `d` is no private key.
    """
    n = p256.N
    key = p256.scalar(d)
    z = int.from_bytes(digest, "big") % n
    nonces = _nonces(d, z)
    while True:
        k = next(nonces)
        point = p256.Comb(k)
        while not point.step(p256.UNBOUNDED):
            pass
        r = point.x % n
        blind = next(nonces)
        s = p256.inverse(k * blind % n, n) * blind % n * ((z + r * key) % n) % n
        if r and s:
            return p256.signature(r, s)


def _nonces(d, z):
    # RFC 6979 3.2 b to h: the nonce, and what would come after it.
    seed = d + z.to_bytes(32, "big")
    key = bytes(32)
    value = b"\x01" * 32
    for mark in (b"\x00", b"\x01"):
        key = hashes.hmac_sha256(key, value, mark, seed)
        value = hashes.hmac_sha256(key, value)
    while True:
        value = hashes.hmac_sha256(key, value)
        k = int.from_bytes(value, "big")
        if 0 < k < p256.N:
            yield k
        key = hashes.hmac_sha256(key, value, b"\x00")
        value = hashes.hmac_sha256(key, value)
