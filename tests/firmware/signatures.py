"""ES256 signatures to hold a verifier against: good ones, and every way in which one is known to have been let pass."""

import random

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_SCHEME = ec.ECDSA(utils.Prehashed(hashes.SHA256()))

Case = tuple[bytes, bytes, bytes]  # point, digest, signature


def raw(*numbers: int) -> bytes:
    """Numbers of 32 bytes each."""
    return b"".join(number.to_bytes(32, "big") for number in numbers)


def point(k: int) -> tuple[int, int]:
    """k times the base point."""
    numbers = ec.derive_private_key(k % N, ec.SECP256R1()).public_key().public_numbers()
    return numbers.x, numbers.y


def public(k: int) -> bytes:
    """The public key of a private one."""
    return b"\x04" + raw(*point(k))


def signed(d: int, digest: bytes, k: int | None = None) -> tuple[int, int]:
    """r and the low s over a digest; k: the nonce, else a random one."""
    if k is None:
        r, s = utils.decode_dss_signature(ec.derive_private_key(d, ec.SECP256R1()).sign(digest, _SCHEME))
    else:
        r = point(k)[0] % N
        s = (int.from_bytes(digest, "big") + r * d) * pow(k, -1, N) % N
    return r, min(s, N - s)


def good(dice: random.Random) -> Case:
    """A random key, digest and signature."""
    d, digest = dice.randrange(1, N), dice.randbytes(32)
    return public(d), digest, raw(*signed(d, digest))


def openssl_takes(case: Case) -> bool:
    """Whether OpenSSL does, where s is low; a high one is refused before anybody looks, as by the contract."""
    key, digest, signature = case
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        taken = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
        taken.verify(utils.encode_dss_signature(r, s), digest, _SCHEME)
    except (InvalidSignature, ValueError):
        return False
    return s <= N // 2


def altered(dice: random.Random) -> Case:
    """A good one, of which something is another now."""
    key, digest, signature = (bytearray(part) for part in good(dice))
    part = dice.choice((digest, signature, key))
    part[dice.randrange(len(part))] ^= 1 << dice.randrange(8)
    return bytes(key), bytes(digest), bytes(signature)


def special() -> dict[str, tuple[Case, bool]]:
    """By name: what Wycheproof's ECDSA P-256 SHA-256 vectors are about, made here; and whether it is to be taken."""
    dice = random.Random(20261122)
    d, digest = dice.randrange(1, N), dice.randbytes(32)
    key, (r, s) = public(d), signed(d, digest)
    cases = {"good": ((key, digest, raw(r, s)), True), "high s": ((key, digest, raw(r, N - s)), False)}
    for name, number in {"0": 0, "1": 1, "n": N, "n + 1": N + 1, "p": P, "all ones": (1 << 256) - 1}.items():
        cases[f"r {name}"] = (key, digest, raw(number, s)), False
        cases[f"s {name}"] = (key, digest, raw(r, number)), False
        cases[f"r and s {name}"] = (key, digest, raw(number, number)), False
    cases["r + n"] = (key, digest, raw((r + N) % (1 << 256), s)), False
    cases["r and s exchanged"] = (key, digest, raw(s, r)), False
    cases["-r"] = (key, digest, raw(N - r, s)), False
    x, y = point(d)
    for name, other in {
        "another key": public(d + 1),
        "opposite key": b"\x04" + raw(x, P - y),
        "beside the curve": b"\x04" + raw(x, y ^ 1),
        "coordinates exchanged": b"\x04" + raw(y, x),
        "zero": b"\x04" + bytes(64),
        "x not reduced": b"\x04" + raw(P + 5, 12),
        "compressed": bytes((2 + y % 2,)) + raw(x),
        "hybrid": bytes((6 + y % 2,)) + raw(x, y),
        "at infinity": b"\0",
        "nothing": b"",
        "cut short": key[:-1],
    }.items():
        cases[f"key {name}"] = (other, digest, raw(r, s)), False
    for name, signature in {
        "cut": raw(r, s)[:-1],
        "longer": raw(r, s) + b"\0",
        "none": b"",
        "all zero": bytes(64),
    }.items():
        cases[f"signature {name}"] = (key, digest, signature), False
    # A digest of 0, of n, and above n: the first two leave no share of the base point.
    for name, number in {"0": 0, "n": N, "n + 1": N + 1, "all ones": (1 << 256) - 1}.items():
        cases[f"digest {name}"] = (key, raw(number), raw(*signed(d, raw(number)))), True
    # Small keys and nonces: sums of equal and of opposite points, and results at infinity.
    for one in (1, 2, 3, N - 1, N - 2):
        for nonce in (1, 2, 3, N - 1):
            cases[f"key {one % N - (N if one > 9 else 0)} nonce {nonce - (N if nonce > 9 else 0)}"] = (
                (public(one), digest, raw(*signed(one, digest, nonce))),
                True,
            )
    # Both shares alike, u1 G = u2 Q, where e = r d: the sum is a doubling. Opposite ones: it is at infinity, with no x.
    nonce = dice.randrange(1, N)
    r = point(nonce)[0] % N
    same, other = raw(r * d % N), raw(N - r * d % N)
    cases["shares alike"] = (key, same, raw(*signed(d, same, nonce))), True
    cases["shares opposite"] = (key, other, raw(r, s)), False
    return cases | _wrapped(dice)


def _wrapped(dice: random.Random) -> dict[str, tuple[Case, bool]]:
    # A point whose x is n or more: r is x - n. Its logarithm is not known, so the key is made to fit: (s R - e G) / r.
    found: dict[str, tuple[Case, bool]] = {}
    for name, x in {"least": N + 3, "any": N + dice.randrange(1 << 100)}.items():
        while pow(_right(x), (P - 1) // 2, P) != 1:
            x += 1
        r, s, digest = x - N, dice.randrange(1, N // 2), dice.randbytes(32)
        e = int.from_bytes(digest, "big")
        at = (x, pow(_right(x), (P + 1) // 4, P))
        fits = _sum(_times(s * pow(r, -1, N) % N, at), point(-e * pow(r, -1, N)))
        key = b"\x04" + raw(*fits)
        found[f"x above n, {name}"] = (key, digest, raw(r, s)), True
        found[f"x above n, {name}, itself as r"] = (key, digest, raw(x, s)), False
    return found


def _right(x: int) -> int:
    return (x**3 - 3 * x + 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B) % P


def _sum(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def _times(k: int, at: tuple[int, int]) -> tuple[int, int]:
    result = at
    for bit in bin(k)[3:]:
        result = _sum(result, result)
        if bit == "1":
            result = _sum(result, at)
    return result
