"""A third writer of the contract's frames, on cbor2 and cryptography alone, for vectors and test peers.

It shares no code with the bridge or the device, and takes wrong headers and wrong payloads without a word.
"""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

FOLDER = Path(__file__).parent
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ES256, HMAC_256, CCM = -7, 5, 10


def load(name: str) -> Any:
    """One of the vector files."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def text_of(value: object) -> str:
    """A vector file's text."""
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def private_key(number: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(number, ec.SECP256R1())


def dumps(value: object) -> bytes:
    """CBOR with keys in the order that they are given in."""
    return cbor2.dumps(value)


def raw_map(pairs: list[tuple[bytes, bytes]]) -> bytes:
    """A map of up to 23 ready-made keys and values, in any order and with any of them twice."""
    return bytes((0xA0 | len(pairs),)) + b"".join(key + value for key, value in pairs)


def swapped(data: bytes, old: bytes, new: bytes) -> bytes:
    """`data` with the one place where `old` stands holding `new`."""
    if data.count(old) != 1:
        raise ValueError(f"{old.hex()} stands {data.count(old)} times")
    return data.replace(old, new)


def aad(kind: str) -> bytes:
    return f"scanlatch/1/{kind}".encode()


def signature(key: ec.EllipticCurvePrivateKey, data: bytes, high: bool = False) -> bytes:
    """ES256, 64 bytes, RFC 6979 (so that vectors can be made again), s low unless told otherwise."""
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
    if (s > ORDER // 2) is not high:
        s = ORDER - s
    return r.to_bytes(32) + s.to_bytes(32)


def to_be_signed(protected: bytes, external_aad: bytes, payload: bytes) -> bytes:
    """Sig_structure, RFC 9052 4.4."""
    return dumps(["Signature1", protected, external_aad, payload])


def sign1(
    payload: bytes,
    kind: str,
    kid: bytes,
    key: ec.EllipticCurvePrivateKey,
    *,
    alg: int = ES256,
    tag: int = 18,
    unprotected: dict[int, object] | None = None,
    high: bool = False,
) -> bytes:
    """COSE_Sign1 for one of the contract's topics."""
    protected = dumps({1: alg, 4: kid})
    proof = signature(key, to_be_signed(protected, aad(kind), payload), high)
    return dumps(cbor2.CBORTag(tag, [protected, unprotected or {}, payload, proof]))


def mac0(
    payload: bytes,
    kind: str,
    kid: bytes,
    key: bytes,
    *,
    alg: int = HMAC_256,
    tag: int = 17,
    unprotected: dict[int, object] | None = None,
) -> bytes:
    """COSE_Mac0 for one of the contract's topics (RFC 9052 6.3)."""
    protected = dumps({1: alg, 4: kid})
    proof = hmac.digest(key, dumps(["MAC0", protected, aad(kind), payload]), hashlib.sha256)
    return dumps(cbor2.CBORTag(tag, [protected, unprotected or {}, payload, proof]))


def encrypt0(
    payload: bytes,
    kid: bytes,
    key: bytes,
    nonce: bytes,
    *,
    kind: str = "credential",
    alg: int = CCM,
    tag_bytes: int = 8,
) -> bytes:
    """COSE_Encrypt0 (RFC 9052 5.3)."""
    protected = dumps({1: alg, 4: kid})
    sealed = AESCCM(key, tag_length=tag_bytes).encrypt(nonce, payload, dumps(["Encrypt0", protected, aad(kind)]))
    return dumps(cbor2.CBORTag(16, [protected, {5: nonce}, sealed]))
