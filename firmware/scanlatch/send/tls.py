# The TLS context of the link: mutual, and always checked.
from micropython import const
import ssl

from scanlatch import forget
from scanlatch.keep import files

# ECPrivateKey (RFC 5915) around the 32 bytes of a P-256 secret; the library finds the public point itself.
_KEY_HEAD = const(b"\x30\x31\x02\x01\x01\x04\x20")
_KEY_TAIL = const(b"\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07")


def stored(nvs, name="device.der"):
    """The context from what enrolment left; `name`: the certificate. Raises ValueError where one can't be used."""
    try:
        ca, certificate = files.read_file("ca.der"), files.read_file(name)
        key = nvs.get_bytes("tls_key")
    except OSError as error:
        raise ValueError(str(error))
    finally:
        forget(files)
    if ca is None or certificate is None:
        raise ValueError("no certificate: enrol this terminal again")
    return context(ca, certificate, key)


def context(ca, certificate, key):
    """Client context from DER bytes, the site's CA and this terminal's certificate, and its 32-byte secret.

    MicroPython does not check the server by default (`verify_mode` is CERT_NONE): it is set here, and nowhere else.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_verify_locations(cadata=ca)
    made.load_cert_chain(certificate, _KEY_HEAD + key + _KEY_TAIL)
    return made
