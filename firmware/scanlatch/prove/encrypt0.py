"""COSE_Encrypt0 (RFC 9052 5.2), in which a person's credential goes to the bridge. Loaded for each."""

from micropython import const

from scanlatch.prove import aesccm, cbor

# Header labels (RFC 9052 3.1) and tag (RFC 9052 2). The protected header is {1 (alg): 10 (RFC 9053 4.2), 4 (kid): kid}:
# all but the kid is always the same, and a constant object in a module keeps its table of names off the block's end.
_PROTECTED = const(b"\xa2\x01\x0a\x04")
_IV = const(5)
_ENCRYPT0 = const(16)


def encrypt0(kid, nonce, payload, aad, key):
    """COSE_Encrypt0 of `payload`: key 16 bytes, nonce 13 bytes, never twice under one key."""
    protected = _PROTECTED + cbor.dumps(kid)
    sealed = aesccm.seal(key, nonce, cbor.dumps(("Encrypt0", protected, aad)), payload)
    return cbor.dumps(cbor.Tag(_ENCRYPT0, (protected, {_IV: nonce}, sealed)))
