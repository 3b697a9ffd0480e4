"""The three COSE frames of the contract (RFC 9052, RFC 9053), opened and sealed byte for byte.

A frame is wholly determined by its algorithm and key id, so what comes in is compared with the one right
beginning; no decoder sees a byte before signature or tag have been verified.
"""

import hmac
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from host_bridge.cbor_strict import WireError, encode

MAX_MESSAGE: Final = 4096  # bytes, on every topic
_FRAME_BYTES: Final = 128  # of those, what a frame takes at most: headers with a key id of 32, heads and proof
P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SIGNATURE_BYTES: Final = 64
_MAC_BYTES: Final = 32
_NONCE_BYTES: Final = 13
_TAG_BYTES: Final = 8
_ES256: Final = ec.ECDSA(hashes.SHA256())
_FRONTS: Final = 65_536  # terminals whose frames are remembered


class _Kind(NamedTuple):
    tag: int  # CBOR tag
    items: int  # of the array
    algorithm: int  # header parameter 1
    context: str  # of Sig_structure, MAC_structure, Enc_structure


_SIGN1: Final = _Kind(18, 4, -7, "Signature1")
_MAC0: Final = _Kind(17, 4, 5, "MAC0")
_ENCRYPT0: Final = _Kind(16, 3, 10, "Encrypt0")


def open_sign1(message: bytes, kid: bytes, aad: bytes, key: ec.EllipticCurvePublicKey) -> bytes:
    """Payload of a COSE_Sign1 whose ES256 signature with low s verifies (RFC 9052 4.4).

    Raises:
        WireError: `size`, `frame`, `kid` or `signature`.
    """
    front, structure = _front(_SIGN1, kid, aad)
    payload, whole, signature = _split(message, front, _SIGNATURE_BYTES)
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    if not (0 < r < P256_ORDER and 0 < s <= P256_ORDER // 2):
        raise WireError("signature", "r or s out of range, or s above half the order")
    try:
        key.verify(encode_dss_signature(r, s), structure + whole, _ES256)
    except InvalidSignature:
        raise WireError("signature", "does not verify") from None
    return payload


def seal_sign1(payload: bytes, kid: bytes, aad: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """COSE_Sign1 with ES256 and a low s around a payload (RFC 9052 4.4)."""
    front, structure = _front(_SIGN1, kid, aad)
    if len(payload) > MAX_MESSAGE - _FRAME_BYTES:
        raise WireError("size", f"a payload of {len(payload)} bytes")
    whole = _wrap(payload)
    r, s = decode_dss_signature(key.sign(structure + whole, _ES256))
    return front + whole + _wrap(r.to_bytes(32) + min(s, P256_ORDER - s).to_bytes(32))


def seal_mac0(payload: bytes, kid: bytes, aad: bytes, key: bytes) -> bytes:
    """COSE_Mac0 with HMAC 256/256 around a payload (RFC 9052 6.3)."""
    front, structure = _front(_MAC0, kid, aad)
    if len(payload) > MAX_MESSAGE - _FRAME_BYTES:
        raise WireError("size", f"a payload of {len(payload)} bytes")
    whole = _wrap(payload)
    return front + whole + _wrap(hmac.digest(key, structure + whole, "sha256"))


def open_mac0(message: bytes, kid: bytes, aad: bytes, key: bytes) -> bytes:
    """Payload of a COSE_Mac0 whose tag holds.

    Raises:
        WireError: `size`, `frame`, `kid` or `mac`.
    """
    front, structure = _front(_MAC0, kid, aad)
    payload, whole, tag = _split(message, front, _MAC_BYTES)
    if not hmac.compare_digest(tag, hmac.digest(key, structure + whole, "sha256")):
        raise WireError("mac", "does not hold")
    return payload


def open_encrypt0(message: bytes, kid: bytes, aad: bytes, key: bytes) -> tuple[bytes, bytes]:
    """Nonce and plaintext of a COSE_Encrypt0 under AES-CCM-16-64-128 (RFC 9052 5.3, RFC 9053 4.2).

    Raises:
        WireError: `size`, `frame`, `kid` or `mac`.
    """
    front, structure = _front(_ENCRYPT0, kid, aad)
    _check_front(message, front)
    nonce, at = _bytes_at(message, len(front))
    ciphertext, end = _bytes_at(message, at)
    if len(nonce) != _NONCE_BYTES or end != len(message):
        raise WireError("frame", "a nonce of another length, or bytes left over")
    try:
        return nonce, AESCCM(key, tag_length=_TAG_BYTES).decrypt(nonce, ciphertext, structure)
    except InvalidTag:
        raise WireError("mac", "does not hold") from None


@lru_cache(maxsize=_FRONTS)
def _front(kind: _Kind, kid: bytes, aad: bytes) -> tuple[bytes, bytes]:
    """How such a message begins up to its payload (or nonce), and how what is proved begins."""
    protected = encode({1: kind.algorithm, 4: kid})
    unprotected = b"\xa1\x05" if kind is _ENCRYPT0 else b"\xa0"
    front = bytes((0xC0 | kind.tag, 0x80 | kind.items)) + _wrap(protected) + unprotected
    structure = encode([kind.context, protected, aad, b""])
    if kind is _ENCRYPT0:
        return front, encode([kind.context, protected, aad])
    return front, structure[:-1]  # without the empty payload, to be followed by the real one


def _split(message: bytes, front: bytes, proof_bytes: int) -> tuple[bytes, bytes, bytes]:
    """Payload, payload with its CBOR head, and proof of a four-item frame."""
    _check_front(message, front)
    payload, at = _bytes_at(message, len(front))
    proof, end = _bytes_at(message, at)
    if len(proof) != proof_bytes or end != len(message):
        raise WireError("frame", "a proof of another length, or bytes left over")
    return payload, message[len(front) : at], proof


def _check_front(message: bytes, front: bytes) -> None:
    if len(message) > MAX_MESSAGE:
        raise WireError("size", f"a message of {len(message)} bytes")
    if message.startswith(front):
        return
    if message[:2] == front[:2]:
        ours, theirs = _bytes_at(front, 2)[0], _bytes_at(message, 2)[0]
        same_algorithm = theirs[:4] == ours[:4]  # a2 01 algorithm 04, then the key id
        if same_algorithm and theirs != ours and _bytes_at(theirs, 4)[1] == len(theirs):
            raise WireError("kid", "speaks for another key id")
    raise WireError("frame", "not this kind of COSE message, or other headers than the contract's")


def _wrap(data: bytes) -> bytes:
    """A byte string of up to 4,096 bytes with its shortest head."""
    size = len(data)
    if size < 24:
        return bytes((0x40 | size,)) + data
    if size < 256:
        return bytes((0x58, size)) + data
    return b"\x59" + size.to_bytes(2) + data


def _bytes_at(message: bytes, at: int) -> tuple[bytes, int]:
    """The byte string that starts at `at`, in its shortest form, and where it ends."""
    head = message[at : at + 3]
    if head and 0x40 <= head[0] < 0x58:
        size, start = head[0] & 31, at + 1
    elif len(head) > 1 and head[0] == 0x58 and head[1] >= 24:
        size, start = head[1], at + 2
    elif len(head) > 2 and head[0] == 0x59 and head[1] > 0:
        size, start = int.from_bytes(head[1:]), at + 3
    else:
        raise WireError("frame", "no byte string, or not in its shortest form")
    if start + size > len(message):
        raise WireError("frame", "cut off")
    return message[start : start + size], start + size
