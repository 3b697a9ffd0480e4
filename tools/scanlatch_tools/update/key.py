"""A site's release key: what it signs, terminals of the site run. It lies apart, as the CA's; its public half not."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from scanlatch_tools import certificates
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import why

FOLDER = "release"
PRIVATE, PUBLIC = f"{FOLDER}/release.key", f"{FOLDER}/release.pem"
_POINT = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
_PEM = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo


def make(folder: Path) -> bytes:
    """A release key for a site that has none; its public point, 65 bytes.

    Raises:
        ToolError: it has one: terminals that know it would take nothing that another one signed.
    """
    if (folder / PUBLIC).exists() or (folder / PRIVATE).exists():
        raise ToolError(
            _(
                "{folder} has a release key, and its terminals take nothing that another one signed. To change it all "
                "the same, move {name} away, make another, and provision each terminal again"
            ).format(folder=folder, name=FOLDER)
        )
    (folder / FOLDER).mkdir(mode=0o755, exist_ok=True)
    key = certificates.new_key()
    certificates.write_key(folder / PRIVATE, key)
    (folder / PUBLIC).write_bytes(key.public_key().public_bytes(*_PEM))
    return certificates.public_point(key)


def public(folder: Path) -> bytes | None:
    """Its public point, 65 bytes; None where the site has none. Raises ToolError."""
    path = folder / PUBLIC
    return point_of(path) if path.exists() else None


def point_of(path: Path) -> bytes:
    """Public point, 65 bytes, of a key in PEM. Raises ToolError."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise ToolError(_("{path} can't be read: {error}").format(path=path, error=why(error))) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ToolError(
            _("{path} holds no public key (PEM): a site's is {public}").format(path=path, public=PUBLIC)
        ) from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ToolError(_("{path} holds a key of another kind; P-256 is needed").format(path=path))
    return key.public_bytes(*_POINT)


def needed(folder: Path) -> bytes:
    """Its public point. Raises ToolError where the site has none."""
    found = public(folder)
    if found is None:
        raise ToolError(_("{folder} has no release key: scanlatch update key --site {folder}").format(folder=folder))
    return found


def private(folder: Path) -> ec.EllipticCurvePrivateKey:
    """The key itself. Raises ToolError where it is not there, or not the one whose public half is."""
    key = certificates.read_key(folder / PRIVATE)
    if certificates.public_point(key) != needed(folder):
        raise ToolError(
            _("{private} does not belong to {public}").format(private=folder / PRIVATE, public=folder / PUBLIC)
        )
    return key
