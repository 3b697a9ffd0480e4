"""P-256 on the device: keys, agreement and signatures, against the standards' vectors and OpenSSL."""

import hashlib
import itertools
import random
import runpy
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from tests.firmware.interpreters import Device

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_GENERATOR = Path(__file__).parents[2] / "tools" / "scripts" / "make_p256_table.py"

# RFC 6979 A.2.5
_KEY = bytes.fromhex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721")
_PUBLIC = (
    "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
)
_SIGNED = [  # message, r, s for SHA-256
    (
        b"sample",
        0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
        0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8,
    ),
    (
        b"test",
        0xF1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367,
        0x019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083,
    ),
]

# RFC 5903 8.1
_ECDH = {
    "mine": "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
    "theirs": "04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
    "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
    "x": "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de",
}

# Scalars at which a comb or a ladder goes wrong first: ends of the range, single teeth, all ones, runs of zeros.
_EDGES = [
    *(1, 2, 3, N - 1, N - 2, N // 2, N // 2 + 1),
    *((1 << 255) - 1, 1 << 255, N - (1 << 215), (1 << 128) - 1, ((1 << 43) - 1) << 172),
    *(1 << 43 * tooth for tooth in range(1, 6)),
    *((1 << 43 * tooth) - 1 for tooth in range(1, 6)),
    sum(1 << 43 * tooth for tooth in range(6)),
    *((N - (1 << 43 * tooth)) for tooth in range(1, 6)),
]

# What the last column of the comb may add: every power of two at its foot, with either sign.
_LAST = [sum(sign << 43 * tooth for tooth, sign in enumerate(signs)) for signs in itertools.product((1, -1), repeat=6)]


def _public(d: int) -> ec.EllipticCurvePublicKey:
    return ec.derive_private_key(d, ec.SECP256R1()).public_key()


def _point(d: int) -> bytes:
    numbers = _public(d).public_numbers()
    return b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def _scalars(seed: int, count: int) -> list[int]:
    return [random.Random(seed + number).randrange(1, N) for number in range(count)]


def test_the_table_is_what_its_generator_writes() -> None:
    module = runpy.run_path(str(_GENERATOR))
    target: Path = module["_TARGET"]
    assert target.read_text() == module["source"]()


def test_public_keys_agree_with_openssl(desk: Device) -> None:
    assert desk.call("keys.public_key", _KEY).hex() == _PUBLIC
    for d in _EDGES + _scalars(1, 20):
        assert desk.call("keys.public_key", d.to_bytes(32, "big")) == _point(d), hex(d)


def test_the_last_sum_of_the_comb_is_never_a_doubling() -> None:
    # It would be where the scalar is twice what that column adds; one that is odd, and the comb takes no other, is then
    # N away from it.
    near = [k for last in _LAST for k in (2 * last - N, 2 * last + N) if 0 < k < N]
    assert len(near) == len(_LAST) // 2
    for k in near:
        signs = (k >> 1) + (1 << 257)
        assert sum((2 * (signs >> 43 * tooth & 1) - 1) << 43 * tooth for tooth in range(6)) != (k - N) // 2, hex(k)


def test_scalars_near_what_the_last_column_adds_give_their_points(desk: Device) -> None:
    for last in _LAST:
        for k in (last % N, 2 * last % N):
            assert desk.call("keys.public_key", k.to_bytes(32, "big")) == _point(k), hex(k)


def test_the_comb_in_small_steps_gives_the_same_point(desk: Device) -> None:
    for k in (_EDGES[0], _EDGES[3], _scalars(2, 1)[0]):
        assert desk.call("comb_x", k) == _public(k).public_numbers().x


def test_signatures_give_rfc_6979_with_low_s(desk: Device) -> None:
    for message, r, s in _SIGNED:
        expected = r.to_bytes(32, "big") + min(s, N - s).to_bytes(32, "big")
        assert desk.call("rfc6979.sign", _KEY, hashlib.sha256(message).digest()) == expected


def test_signatures_over_edge_digests_verify(desk: Device) -> None:
    for d in (1, N - 1, _scalars(3, 1)[0]):
        for number in (0, 1, N - 1, N, N + 1, (1 << 256) - 1):
            digest = number.to_bytes(32, "big")
            signature = desk.call("rfc6979.sign", d.to_bytes(32, "big"), digest)
            r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            assert s <= N // 2
            scheme = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
            _public(d).verify(utils.encode_dss_signature(r, s), digest, scheme)


def test_shared_secret_gives_rfc_5903(desk: Device) -> None:
    mine, theirs = bytes.fromhex(_ECDH["mine"]), bytes.fromhex(_ECDH["theirs"])
    assert desk.call("keys.shared_x", mine, theirs).hex() == _ECDH["x"]


def test_shared_secrets_agree_with_openssl(desk: Device) -> None:
    peer = _scalars(4, 1)[0]
    for d in _EDGES + _scalars(5, 5):
        expected = ec.derive_private_key(d, ec.SECP256R1()).exchange(ec.ECDH(), _public(peer))
        assert desk.call("keys.shared_x", d.to_bytes(32, "big"), _point(peer)) == expected, hex(d)


_GOOD = bytes.fromhex(_ECDH["theirs"])
_X, _Y = int.from_bytes(_GOOD[1:33], "big"), int.from_bytes(_GOOD[33:], "big")


def _raw(x: int, y: int) -> bytes:
    return b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(_raw(_X, _Y ^ 1), id="beside the curve"),
        pytest.param(_raw(_Y, _X), id="coordinates exchanged"),
        pytest.param(_raw(0, 0), id="zero"),
        pytest.param(_raw(5, P + 12), id="y not reduced"),
        pytest.param(_raw(P + 5, 12), id="x not reduced"),
        pytest.param(b"\x02" + _GOOD[1:33], id="compressed"),
        pytest.param(b"\x06" + _GOOD[1:], id="hybrid"),
        pytest.param(b"\x00", id="at infinity"),
        pytest.param(_GOOD[:-1], id="cut short"),
        pytest.param(_GOOD + b"\x00", id="too long"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_no_secret_is_shared_with_what_is_no_point(desk: Device, point: bytes) -> None:
    refused = desk.refusal("keys.shared_x", _KEY, point)
    assert refused and refused.kind == "ValueError"


@pytest.mark.parametrize(
    "d",
    [
        pytest.param(bytes(32), id="zero"),
        pytest.param(N.to_bytes(32, "big"), id="the order"),
        pytest.param(b"\xff" * 32, id="above the order"),
        pytest.param(_KEY[1:], id="cut short"),
        pytest.param(b"\x00" + _KEY, id="too long"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_is_no_private_key_is_refused(desk: Device, d: bytes) -> None:
    for name, *arguments in (("keys.public_key", d), ("keys.shared_x", d, _GOOD), ("rfc6979.sign", d, bytes(32))):
        assert desk.refusal(str(name), *arguments), name
