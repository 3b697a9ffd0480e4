"""Verifies an ES256 signature, a slice at a time. Loaded for each: what a release key has signed comes rarely."""

from micropython import const

from scanlatch import load
from scanlatch.prove import p256

_SLICE = const(200)  # field multiplications at 60-80 us each, and what surrounds them: at most 20 ms
_DOUBLE = const(8)  # field multiplications of a doubling
_ADD = const(11)


def steps(point, digest, signature):
    """Yields None behind each slice of the work, at most 20 ms on the chip; at last, whether `signature` is good.

    point: 65 bytes, uncompressed; digest: SHA-256 of what is signed; signature: r || s. As in the contract, s above
    N / 2 is refused, so that a message has one form (FIPS 186-5 6.4.2 for the rest).
    """
    n, prime = p256.N, p256.P
    r = int.from_bytes(signature[:32], "big")
    s = int.from_bytes(signature[32:], "big")
    if len(signature) != 64 or not 0 < r < n or not 0 < s <= n // 2:
        yield False
        return
    try:
        x, y = load("prove.keys").on_curve(point)
    except ValueError:
        yield False
        return
    w = p256.inverse(s, n)
    yield None
    u, v = int.from_bytes(digest, "big") * w % n, r * w % n
    mask = 1 << 255
    while not v & mask:
        mask >>= 1
    result = (x, y, 1)
    budget = _SLICE
    while mask > 1:
        mask >>= 1
        result = p256.double(*result)
        budget -= _DOUBLE
        if v & mask:  # never the point itself nor its opposite: the multiple is even, and below N - 1
            result = p256.add_affine(*result, x, y)
            budget -= _ADD
        if budget < _DOUBLE + _ADD:
            budget = _SLICE
            yield None
    yield None
    if u:
        comb = p256.Comb(u)
        while not comb.step(_SLICE):
            yield None
        yield None
        result = _sum(result, comb.x, comb.y)
    x, _, z = result
    zz = z * z % prime  # 0: the point at infinity, which has no x
    # x modulo N: x itself is r, or r + N where that is a coordinate still.
    yield zz > 0 and (r * zz % prime == x or (r + n < prime and (r + n) * zz % prime == x))


def _sum(point, x, y):
    # Both come from outside, so they may well be equal here; opposite ones make z 0.
    px, py, pz = point
    zz = pz * pz % p256.P
    if (x * zz - px) % p256.P or (y * (pz * zz) - py) % p256.P:
        return p256.add_affine(px, py, pz, x, y)
    return p256.double(px, py, pz)
