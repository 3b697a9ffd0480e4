# The TLS context of the link: mutual, and always checked.
import ssl


def context(ca, certificate, key):
    """Client context from DER bytes: the site's CA, this terminal's certificate and its private key (SEC 1).

    MicroPython does not check the server by default (`verify_mode` is CERT_NONE): it is set here, and nowhere else.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_verify_locations(cadata=ca)
    made.load_cert_chain(certificate, key)
    return made
