"""An update bundle's bytes: a manifest that the site's release key signed, and the files that it vouches for.

Magic, length of the manifest (32 bits, big-endian), manifest (COSE_Sign1), then the files one after another: length of
the path (8 bits), path, size (32 bits), bytes; in order of path. The terminal reads the same by itself.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from host_bridge import cose
from host_bridge.cbor_strict import WireError
from host_bridge.errors import PermanentError
from host_bridge.texts import Text, text
from host_bridge.wire_fields import DIGEST, SEQ, UINT, Field, Table, matching, uint
from host_bridge.wire_keys import bridge_kid, public_key

MAGIC: Final = b"SLB1"
MANIFEST_MAX: Final = 512  # bytes
CONTENT_MAX: Final = 512 * 1024  # a slot of a 4 MB board
PATH_MAX: Final = 63
FILES_MAX: Final = 200
FILE_MAX: Final = 65_536
PACKAGE: Final = "scanlatch/"  # what every path begins with
_AAD: Final = b"scanlatch/1/update"
_LENGTH: Final = 4  # bytes of a length or size
_PATH: Final = re.compile(r"[A-Za-z0-9_./-]+\Z")


class BundleError(PermanentError):
    """Bytes that are no bundle, or not one of this site's release key."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is signed. `made_at` in ms UTC; `counter` grows from release to release."""

    version: str
    counter: int
    family: str
    size: int
    content: bytes  # SHA-256 of the content
    made_at: int
    files: int


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose manifest fits its content. `signed`: the manifest's whole message."""

    manifest: Manifest
    signed: bytes
    content: bytes = field(repr=False)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the manifest's message: the bundle's name everywhere."""
        return hashlib.sha256(self.signed).digest()


_MANIFEST: Final = Table(
    "manifest",
    Manifest,
    [
        Field(2, "version", matching("[A-Za-z0-9.+_-]{1,16}")),
        Field(3, "counter", SEQ),
        Field(4, "family", matching("[A-Za-z0-9._-]{1,32}")),
        Field(5, "size", uint(1, CONTENT_MAX)),
        Field(6, "content", DIGEST),
        Field(7, "made_at", UINT),
        Field(8, "files", uint(1, FILES_MAX)),
    ],
)


def packed(files: Mapping[str, bytes]) -> bytes:
    """The content: files by their paths in a slot. Raises BundleError."""
    parts: list[bytes] = []
    for path in sorted(files, key=str.encode):
        _check_path(path)
        data = files[path]
        _check_size(path, len(data))
        parts += [bytes((len(path),)), path.encode(), len(data).to_bytes(_LENGTH), data]
    content = b"".join(parts)
    if not 0 < len(content) <= CONTENT_MAX or len(files) > FILES_MAX:
        raise BundleError(
            text(
                "{files} files of {size} bytes: a slot takes at most {most_files} of {most} bytes",
                files=len(files),
                size=len(content),
                most_files=FILES_MAX,
                most=CONTENT_MAX,
            )
        )
    return content


def unpacked(content: bytes) -> dict[str, bytes]:
    """The files of a content. Raises BundleError where it is not exactly as `packed` writes it."""
    files: dict[str, bytes] = {}
    at, before = 0, ""
    while at < len(content):
        name, at = _taken(content, at + 1, content[at])
        path = name.decode("latin-1")
        _check_path(path)
        if path <= before:
            raise BundleError(text("its files are not in order: {path} behind {before}", path=path, before=before))
        length, at = _taken(content, at, _LENGTH)
        size = int.from_bytes(length)
        _check_size(path, size)
        files[path], at = _taken(content, at, size)
        before = path
    return files


def seal(manifest: Manifest, content: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """A bundle's file. Raises BundleError."""
    public = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    try:
        signed = cose.seal_sign1(_MANIFEST.write(manifest), kid_of(public), _AAD, key)
    except WireError as error:
        raise BundleError(text("no manifest can say this: {detail}", detail=error.detail)) from error
    return MAGIC + len(signed).to_bytes(_LENGTH) + signed + content


def kid_of(public: bytes) -> bytes:
    """Key id of a release key: 8 bytes, from its public point as the bridge's."""
    return bridge_kid(public)


def read(data: bytes, public: bytes) -> Bundle:
    """A bundle's file, verified against a release key's public point (65 bytes) and down to the last of its bytes.

    Raises BundleError.
    """
    signed, content = parts(data)
    try:
        manifest = _MANIFEST.read(cose.open_sign1(signed, kid_of(public), _AAD, public_key(public)))
    except WireError as error:
        raise BundleError(_why(error)) from error
    if len(content) != manifest.size or hashlib.sha256(content).digest() != manifest.content:
        raise BundleError(text("its files are not those that were signed: it was cut off or altered"))
    if len(unpacked(content)) != manifest.files:
        raise BundleError(text("it says that it has {files} files, and has not", files=manifest.files))
    return Bundle(manifest, signed, content)


def parts(data: bytes) -> tuple[bytes, bytes]:
    """The manifest's message and the content of a bundle's file; nothing is verified. Raises BundleError."""
    start = len(MAGIC) + _LENGTH
    if not data.startswith(MAGIC) or len(data) < start:
        raise BundleError(text("no update bundle: it begins otherwise"))
    size = int.from_bytes(data[len(MAGIC) : start])
    if not 0 < size <= MANIFEST_MAX or start + size > len(data):
        raise BundleError(text("no update bundle: its manifest can't have {size} bytes", size=size))
    return data[start : start + size], data[start + size :]


def _why(error: WireError) -> Text:
    if error.why == "kid":
        return text("it is signed by another release key than this site's")
    if error.why == "signature":
        return text("its signature does not verify: it was altered")
    return text("its manifest can't be used: {detail}", detail=error.detail)


def _taken(content: bytes, at: int, size: int) -> tuple[bytes, int]:
    if at + size > len(content):
        raise BundleError(text("its files are cut off"))
    return content[at : at + size], at + size


def _check_path(path: str) -> None:
    wrong = len(path) > PATH_MAX or not path.startswith(PACKAGE) or not _PATH.match(path)
    if wrong or any(part in ("", ".", "..") for part in path.split("/")):
        raise BundleError(text("{path!r} is no path in a slot", path=path[:40]))


def _check_size(path: str, size: int) -> None:
    if not 0 < size <= FILE_MAX:
        raise BundleError(
            text("{path} can't have {size} bytes: a file has 1 to {most}", path=path, size=size, most=FILE_MAX)
        )
