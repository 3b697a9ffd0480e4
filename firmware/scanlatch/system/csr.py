# A certificate signing request in DER (RFC 2986).

from micropython import const

_OID_EC_KEY = const(b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01")
_OID_P256 = const(b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07")
_OID_COMMON_NAME = const(b"\x06\x03\x55\x04\x03")
_OID_ECDSA_SHA256 = const(b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02")


def request(common_name, public, sign):
    """PKCS#10 request for `common_name` (ASCII), `public` being the 65-byte point.

    sign: callable(bytes) -> r || s, 64 bytes, over the SHA-256 of the bytes.
    """
    name = _sequence(_tlv(0x31, _sequence(_OID_COMMON_NAME, _tlv(0x0C, common_name.encode()))))
    key = _sequence(_sequence(_OID_EC_KEY, _OID_P256), _tlv(0x03, b"\x00" + public))
    info = _sequence(b"\x02\x01\x00", name, key, b"\xa0\x00")
    signature = sign(info)
    pair = _sequence(_integer(signature[:32]), _integer(signature[32:]))
    return _sequence(info, _sequence(_OID_ECDSA_SHA256), _tlv(0x03, b"\x00" + pair))


def _tlv(tag, body):
    size = len(body)
    if size < 0x80:
        head = bytes((tag, size))
    elif size < 0x100:
        head = bytes((tag, 0x81, size))
    else:
        head = bytes((tag, 0x82, size >> 8, size & 0xFF))
    return head + body


def _sequence(*parts):
    return _tlv(0x30, b"".join(parts))


def _integer(big_endian):
    start = 0
    while start < len(big_endian) - 1 and big_endian[start] == 0:
        start += 1
    body = big_endian[start:]
    if body[0] & 0x80:
        body = b"\x00" + body
    return _tlv(0x02, body)
