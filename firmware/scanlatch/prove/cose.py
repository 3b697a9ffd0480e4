"""The COSE messages of the contract (RFC 9052): Sign1 and Mac0, each in its one allowed shape; Encrypt0 is apart."""

from micropython import const

from scanlatch.prove import cbor, hashes

# Header labels (RFC 9052 3.1), algorithms (RFC 9053 2.1, 3.1), tags (RFC 9052 2).
_ALG = const(1)
_KID = const(4)
_ES256 = const(-7)
_HMAC_256 = const(5)
_MAC0 = const(17)
_SIGN1 = const(18)
_MAC_SIZE = const(32)  # bytes: HMAC 256/256


class CoseError(ValueError):
    """A message that is refused; says why: "cbor", "frame", "header" (algorithm or kid), "tag" or "payload"."""


def sign1(kid, payload, aad, sign):
    """COSE_Sign1 over `payload`; `sign` makes 64 bytes r || s of the bytes it is given."""
    protected = _protected(_ES256, kid)
    signature = sign(cbor.dumps(("Signature1", protected, aad, payload)))
    return cbor.dumps(cbor.Tag(_SIGN1, (protected, {}, payload, signature)))


def mac0(kid, payload, aad, key):
    """COSE_Mac0 over `payload` with a 32-byte key."""
    protected = _protected(_HMAC_256, kid)
    return cbor.dumps(cbor.Tag(_MAC0, (protected, {}, payload, _mac(protected, payload, aad, key))))


def open_mac0(message, aad, key, kid):
    """The payload, a dict, of a COSE_Mac0 that holder `kid` of `key` made. Raises CoseError."""
    outer = _loads(message, "cbor")
    if not isinstance(outer, cbor.Tag) or outer.tag != _MAC0:
        raise CoseError("frame")
    parts = outer.value
    if not isinstance(parts, list) or len(parts) != 4 or parts.pop(1) != {}:
        raise CoseError("frame")
    for part in parts:
        if not isinstance(part, bytes):
            raise CoseError("frame")
    protected, payload, tag = parts
    if len(tag) != _MAC_SIZE:
        raise CoseError("frame")
    if protected != _protected(_HMAC_256, kid):
        raise CoseError("header")
    if not hashes.same(tag, _mac(protected, payload, aad, key)):
        raise CoseError("tag")
    content = _loads(payload, "payload")
    if not isinstance(content, dict):
        raise CoseError("payload")
    return content


def _loads(buf, what):
    try:
        return cbor.loads(buf)
    except cbor.CborError:
        raise CoseError(what)


def _protected(algorithm, kid):
    return cbor.dumps({_ALG: algorithm, _KID: kid})


def _mac(protected, payload, aad, key):
    return hashes.hmac_sha256(key, cbor.dumps(("MAC0", protected, aad, payload)))
