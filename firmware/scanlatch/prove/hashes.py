"""SHA-256 and what is built on it: HMAC (RFC 2104) and a comparison without early exit."""

import hashlib

from micropython import const

_BLOCK = const(64)
# Whole blocks as integers: one exclusive-or, where a loop over bytes would cost half a millisecond.
_INNER = int.from_bytes(b"\x36" * _BLOCK, "big")
_OUTER = int.from_bytes(b"\x5c" * _BLOCK, "big")


def sha256(data):
    """Digest of `data`, 32 bytes."""
    return hashlib.sha256(data).digest()


def hmac_sha256(key, *parts):
    """HMAC-SHA-256 over the parts as one message, 32 bytes."""
    if len(key) > _BLOCK:
        key = sha256(key)
    block = int.from_bytes(key + bytes(_BLOCK - len(key)), "big")
    inner = hashlib.sha256((block ^ _INNER).to_bytes(_BLOCK, "big"))
    for part in parts:
        inner.update(part)
    outer = hashlib.sha256((block ^ _OUTER).to_bytes(_BLOCK, "big"))
    outer.update(inner.digest())
    return outer.digest()


def same(a, b):
    """Whether two byte strings are equal, in a time that depends on their length only."""
    if len(a) != len(b):
        return False
    difference = 0
    for x, y in zip(a, b):
        difference |= x ^ y
    return difference == 0
