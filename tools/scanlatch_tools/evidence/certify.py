"""The CA's word on a terminal's signing key, without which a signature proves nothing to a third party.

A terminal's TLS certificate is about another key. This one bears the signing key under the terminal's id, is fit for
evidence alone (no client that shows it gets into a broker), and lies in the site's folder under ca/terminals/.
"""

from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from host_bridge.ledger.open import open_existing
from scanlatch_tools import certificates, site
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import why

EVIDENCE = x509.ObjectIdentifier("2.25.47824529592343766326981613123880821142")  # extended use: signs scan records
FOLDER = "terminals"


def certify(folder: Path, device: str, signing: bytes) -> bool:
    """Certify a terminal's signing key, 65 bytes; whether that was not done before.

    Raises:
        ToolError: the CA's key is not there, or the id was certified with another key: a key is for life.
    """
    ca = site.load(folder).ca()
    path = folder / "ca" / FOLDER / f"{device}.der"
    if path.exists():
        _must_be(path, ca, signing)
        return False
    path.parent.mkdir(exist_ok=True)
    key = certificates.read_key(folder / "ca" / "ca.key")
    certificates.write_certificate(path, issue(ca, key, device, signing))
    return True


def certify_all(folder: Path) -> dict[str, bool]:
    """The same for every terminal of the registry, by id. Raises ToolError, BridgeError."""
    from host_bridge.ledger import devices  # half a second that enrolment has paid already

    ledger = open_existing(site.load(folder).ledger_url)
    try:
        with ledger.read() as connection:
            rows = devices.every(connection)
    finally:
        ledger.close()
    return {row.id: certify(folder, row.id, row.signing_public) for row in rows}


def issue(ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey, device: str, signing: bytes) -> x509.Certificate:
    """The certificate; good as long as the CA's own, for the key is for life."""
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,  # RFC 5280 4.2.1.3: signs what is to hold against its signer
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device)]))
        .issuer_name(ca.subject)
        .public_key(ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), signing))
        .serial_number(x509.random_serial_number())
        .not_valid_before(ca.not_valid_before_utc)
        .not_valid_after(ca.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([EVIDENCE]), critical=True)
        .sign(ca_key, hashes.SHA256())
    )


def _must_be(path: Path, ca: x509.Certificate, signing: bytes) -> None:
    try:
        known = x509.load_der_x509_certificate(path.read_bytes())
        known.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise ToolError(
            _("{path} is no certificate of this site's CA ({error}): put it back, or remove it").format(
                path=path, error=why(error)
            )
        ) from error
    point = known.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    if point != signing:
        raise ToolError(
            _("{path} certifies another signing key: a terminal with a new key needs a new id").format(path=path)
        )
