"""COSE_Encrypt0 (RFC 9052 5.2), in which a person's credential goes to the bridge. Loaded for each."""

from micropython import const

from scanlatch.prove import aesccm, cbor

# Header labels (RFC 9052 3.1), algorithm (RFC 9053 4.2), tag (RFC 9052 2).
_ALG = const(1)
_KID = const(4)
_IV = const(5)
_AES_CCM_16_64_128 = const(10)
_ENCRYPT0 = const(16)


def encrypt0(kid, nonce, payload, aad, key):
    """COSE_Encrypt0 of `payload`: key 16 bytes, nonce 13 bytes, never twice under one key."""
    protected = cbor.dumps({_ALG: _AES_CCM_16_64_128, _KID: kid})
    sealed = aesccm.seal(key, nonce, cbor.dumps(("Encrypt0", protected, aad)), payload)
    return cbor.dumps(cbor.Tag(_ENCRYPT0, (protected, {_IV: nonce}, sealed)))
