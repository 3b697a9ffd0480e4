"""The CA's word that a terminal is revoked: given along with its certificate, so that nobody needs the CA's key later.

ca/revocations/ID.pem holds two things, neither of them secret. A CRL (RFC 5280 5) that revokes each certificate of that
terminal and is about nothing else: terminal and CRL name the same distribution point. And a certificate of the
terminal's name for the broker's own key, with which whoever runs the broker can take the terminal's place there and so
end its connection. `scanlatch fleet` puts them to use; revoked.pem is what the broker reads.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from scanlatch_tools import certificates
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import why

LIST = "revoked.pem"  # in the site's folder: the CRLs that the broker holds certificates against
_BEGIN, _END = "-----BEGIN X509 CRL-----", "-----END X509 CRL-----"
_STEP = timedelta(seconds=1)  # between CRLs of one terminal: the newest counts
_SLOW_CLOCK = timedelta(hours=1)  # of a broker, to which no CRL may lie in the future: it would refuse everybody


def path(folder: Path, device: str) -> Path:
    """Where a terminal's lies."""
    return folder / "ca" / "revocations" / f"{device}.pem"


def empty(ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey) -> str:
    """The CRL that revokes nobody, PEM. Without one the broker would refuse everybody."""
    return _pem(_builder(ca, ca.not_valid_before_utc).sign(ca_key, hashes.SHA256()))


def issue(
    folder: Path, ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey, public: ec.EllipticCurvePublicKey, name: str
) -> x509.Certificate:
    """A terminal's certificate. How to revoke it is written first, with all that was issued to it before."""
    issued = certificates.issue_client(ca, ca_key, public, name, revoked_at=_point(name))
    at = path(folder, name)
    at.parent.mkdir(exist_ok=True)
    old = _lists(at.read_text()) if at.exists() else []
    serials = {entry.serial_number for one in old for entry in one} | {issued.serial_number}
    dates = [one.last_update_utc for one in old] + [ca.not_valid_before_utc]
    made = max(datetime.now(UTC).replace(microsecond=0) - _SLOW_CLOCK, max(dates) + _STEP)
    builder = _builder(ca, made).add_extension(
        x509.IssuingDistributionPoint(_names(name), None, False, False, None, False, False), critical=True
    )
    for serial in sorted(serials):
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(made)
        builder = builder.add_revoked_certificate(entry.build())
    broker = x509.load_pem_x509_certificate((folder / "broker" / "broker.pem").read_bytes()).public_key()
    if not isinstance(broker, ec.EllipticCurvePublicKey):
        raise ToolError(_("{path} is not for a P-256 key").format(path=folder / "broker" / "broker.pem"))
    place = certificates.issue_client(ca, ca_key, broker, name)
    text = _pem(builder.sign(ca_key, hashes.SHA256())) + place.public_bytes(serialization.Encoding.PEM).decode()
    new = at.with_name(at.name + ".new")
    new.write_text(text)
    new.replace(at)
    return issued


def written(folder: Path, devices: Iterable[str]) -> set[str]:
    """Write revoked.pem, so that it revokes exactly these; gives those of them that it can revoke.

    Raises:
        ToolError: there is none, or it is none of the CA's.
    """
    at = folder / LIST
    try:
        before = at.read_text()
    except OSError as error:
        raise ToolError(
            _("{path} can't be read ({error}): `scanlatch site renew {folder}` makes it, with the CA's key").format(
                path=at, error=why(error), folder=folder
            )
        ) from error
    base = [piece for piece in _pieces(before) if not _is_about_one(piece)]
    if not base:
        raise ToolError(_("{path} has no list of the CA itself: with it the broker would refuse all").format(path=at))
    lists = {device: path(folder, device).read_text() for device in sorted(devices) if path(folder, device).exists()}
    text = "".join(base[:1] + [piece for one in lists.values() for piece in _pieces(one)])
    if text == before:
        return set(lists)
    new = at.with_name(at.name + ".new")
    new.write_text(text)
    new.chmod(0o644)
    new.replace(at)
    return set(lists)


def _builder(ca: x509.Certificate, made: datetime) -> x509.CertificateRevocationListBuilder:
    return (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.subject)
        .last_update(made)
        .next_update(ca.not_valid_after_utc)  # a list that runs out would stop a whole site
        .add_extension(x509.CRLNumber(int(made.timestamp())), critical=False)
    )


def _names(device: str) -> list[x509.GeneralName]:
    return [x509.UniformResourceIdentifier(f"scanlatch:{device}")]


def _point(device: str) -> x509.CRLDistributionPoints:
    return x509.CRLDistributionPoints([x509.DistributionPoint(_names(device), None, None, None)])


def _pem(crl: x509.CertificateRevocationList) -> str:
    return crl.public_bytes(serialization.Encoding.PEM).decode()


def _pieces(text: str) -> list[str]:
    """The CRLs in a file, each as PEM."""
    return [_BEGIN + piece.partition(_END)[0] + _END + "\n" for piece in text.split(_BEGIN)[1:]]


def _lists(text: str) -> list[x509.CertificateRevocationList]:
    return [x509.load_pem_x509_crl(piece.encode()) for piece in _pieces(text)]


def _is_about_one(piece: str) -> bool:
    crl = x509.load_pem_x509_crl(piece.encode())
    return any(isinstance(one.value, x509.IssuingDistributionPoint) for one in crl.extensions)
