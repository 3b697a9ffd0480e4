"""Makes the site's certificates: a CA, what it signs, and nothing that leaves a key readable to others.

Profile: RFC 5280 v3, ECDSA P-256 with SHA-256. Every certificate carries the CA's own notBefore, so that a
terminal whose clock starts at its own certificate's notBefore never meets one that "starts in the future".
"""

import ipaddress
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import why

CA_DAYS = 20 * 365
SERVICE_DAYS = 2 * 365
DEVICE_DAYS = 5 * 365
_CA_HEAD_START = timedelta(hours=1)  # hosts of one site whose clocks differ a little must all accept it at once
_PRIVATE = 0o600

_SERVER = [ExtendedKeyUsageOID.SERVER_AUTH]
_CLIENT = [ExtendedKeyUsageOID.CLIENT_AUTH]


class RequestRefusedError(ToolError):
    """A certificate signing request is not one that we sign."""


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh P-256 private key."""
    return ec.generate_private_key(ec.SECP256R1())


def write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Write a private key as PKCS#8 PEM, readable to its owner alone from the first byte on."""
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE), "wb") as file:
        file.write(pem)


def read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Read a P-256 private key from PEM.

    Raises:
        ToolError: it is not there, or is no P-256 key.
    """
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError:
        raise ToolError(
            _("{path} is not there: put the key back for as long as this takes").format(path=path)
        ) from None
    except ValueError as error:
        raise ToolError(_("{path} holds no private key in PEM: {error}").format(path=path, error=why(error))) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ToolError(_("{path} holds a key of another kind; P-256 is needed").format(path=path))
    return key


def public_point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public key as an uncompressed point, 65 bytes (SEC 1, 2.3.3)."""
    return key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def write_certificate(path: Path, certificate: x509.Certificate) -> None:
    """Write PEM, or DER where the name ends in `.der`; the old one stands until the new one is whole.

    Who could read the old one can read the new one.
    """
    der = path.suffix == ".der"
    new = path.with_name(path.name + ".new")
    new.write_bytes(certificate.public_bytes(serialization.Encoding.DER if der else serialization.Encoding.PEM))
    if path.exists():
        old = path.stat()
        new.chmod(old.st_mode & 0o777)
        if os.geteuid() == 0:
            os.chown(new, old.st_uid, old.st_gid)
    new.replace(path)


def make_ca(key: ec.EllipticCurvePrivateKey, name: str) -> x509.Certificate:
    """A self-signed CA certificate that may sign certificates, but no further CA."""
    now = datetime.now(UTC).replace(microsecond=0)
    subject = _name(name)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CA_HEAD_START)
        .not_valid_after(now + timedelta(days=CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def issue_server(
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    public: ec.EllipticCurvePublicKey,
    hosts: Sequence[str],
    days: int = SERVICE_DAYS,
) -> x509.Certificate:
    """A server certificate for `hosts`, each a DNS name or an address; the first is the common name."""
    names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
    builder = _leaf(ca, public, hosts[0], days, _SERVER).add_extension(names, critical=False)
    return builder.sign(ca_key, hashes.SHA256())


def issue_client(
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    public: ec.EllipticCurvePublicKey,
    name: str,
    days: int = DEVICE_DAYS,
    revoked_at: x509.CRLDistributionPoints | None = None,
) -> x509.Certificate:
    """A client certificate with the MQTT user and client id as common name; revoked_at: the CRL that may name it."""
    builder = _leaf(ca, public, name, days, _CLIENT)
    if revoked_at is not None:
        builder = builder.add_extension(revoked_at, critical=False)
    return builder.sign(ca_key, hashes.SHA256())


def check_request(der: bytes) -> tuple[str, ec.EllipticCurvePublicKey]:
    """Common name and public key of a certificate signing request (PKCS#10, RFC 2986) that proves its key.

    Raises:
        RequestRefusedError: no request, not signed by its own key, not P-256, or not exactly one name.
    """
    try:
        request = x509.load_der_x509_csr(der)
        public = request.public_key()
        names = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        signed = request.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise RequestRefusedError(
            _("the certificate request can't be read: {error}").format(error=why(error))
        ) from error
    if not signed:
        raise RequestRefusedError(_("the certificate request is not signed by the key that it names"))
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise RequestRefusedError(_("the certificate request is for a key that is not P-256"))
    if len(names) != 1 or not isinstance(names[0].value, str):
        raise RequestRefusedError(_("the certificate request must have exactly one common name"))
    return names[0].value, public


def _leaf(
    ca: x509.Certificate,
    public: ec.EllipticCurvePublicKey,
    name: str,
    days: int,
    purposes: list[x509.ObjectIdentifier],
) -> x509.CertificateBuilder:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
    issuer_key = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(ca.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(ca.not_valid_before_utc)
        .not_valid_after(min(until, ca.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
