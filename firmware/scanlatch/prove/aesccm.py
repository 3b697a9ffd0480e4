"""AES-CCM-16-64-128 (RFC 3610 with L = 2 and M = 8; RFC 9053 4.2), built from the ECB that the chip has."""

from cryptolib import aes
from micropython import const

_ECB = const(1)
_KEY = const(16)
_NONCE = const(13)
_TAG = const(8)
_LONGEST = const(4096)  # bytes of text or of additional data; RFC 3610's short forms reach beyond


def seal(key, nonce, aad, plaintext):
    """Ciphertext with its 8-byte tag. Key 16 bytes, nonce 13 bytes, never twice under one key.

    Raises ValueError where a length is wrong.
    """
    if len(key) != _KEY or len(nonce) != _NONCE or len(aad) > _LONGEST or len(plaintext) > _LONGEST:
        raise ValueError("CCM length")
    cipher = aes(key, _ECB)
    size = len(plaintext)
    # RFC 3610 2.2: flags = 64 for additional data | (M - 2) / 2 << 3 | L - 1
    mac = cipher.encrypt(bytes(((64 if aad else 0) | 0x19,)) + nonce + size.to_bytes(2, "big"))
    if aad:
        mac = _chain(cipher, mac, len(aad).to_bytes(2, "big") + aad)
    mac = _chain(cipher, mac, plaintext)

    # RFC 3610 2.3: counter block 0 hides the tag, 1 and on the text
    stream = b"".join(
        cipher.encrypt(b"\x01" + nonce + count.to_bytes(2, "big")) for count in range(1 + (size + 15) // 16)
    )
    return _xor(plaintext, stream[16:]) + _xor(mac[:_TAG], stream)


def _chain(cipher, mac, data):
    for at in range(0, len(data), 16):
        block = data[at : at + 16]
        mac = cipher.encrypt(_xor(mac, block + bytes(16 - len(block))))
    return mac


def _xor(data, mask):
    return bytes(x ^ y for x, y in zip(data, mask))
