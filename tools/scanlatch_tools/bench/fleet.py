"""Terminals of the load generator: keys, certificates, and records sealed before anything is measured."""

import hashlib
import ssl
import time
from collections.abc import Iterable
from pathlib import Path

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from host_bridge.devices import Registry, load_agreement_key
from host_bridge.ledger import open_ledger
from scanlatch_tools import certificates, site
from scanlatch_tools.site import Site

SALE, RECEIVE = 1, 3  # WIRE.md "Scan", key 8
SPREAD = 6_364_136_223_846_793_005
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ES256 = ec.ECDSA(hashes.SHA256())
_SYNCHRONISED, _TWENTY_DIGITS = 2, 1


class Device:
    """One terminal: makes records that follow each other."""

    def __init__(self, name: str, at: str) -> None:
        self.name = name
        self.at = at
        self.signing = certificates.new_key()
        self.agreement = certificates.new_key()
        self.seq = 0
        self._last = bytes(32)
        self._protected = cbor2.dumps({1: -7, 4: name.encode()})
        self._started = time.monotonic()

    def seal(self, operation: int, code: str, ago_ms: int = 0) -> bytes:
        """The next record, COSE_Sign1; read `ago_ms` ago, without a link; or below 0, later."""
        self.seq += 1
        payload = cbor2.dumps(
            {
                1: 1,
                2: self.seq,
                3: self._last,
                4: time.time_ns() // 1_000_000 - ago_ms,
                5: _SYNCHRONISED,
                6: 1,
                7: int((time.monotonic() - self._started) * 1000),
                8: operation,
                9: "]C0",
                10: code.encode(),
                11: _TWENTY_DIGITS,
                14: ago_ms > 0,
                15: self.at,
            }
        )
        proved = cbor2.dumps(["Signature1", self._protected, b"scanlatch/1/scan", payload])
        r, s = decode_dss_signature(self.signing.sign(proved, _ES256))
        signature = r.to_bytes(32) + min(s, _ORDER - s).to_bytes(32)
        message = cbor2.dumps(cbor2.CBORTag(18, [self._protected, {}, payload, signature]))
        self._last = hashlib.sha256(message).digest()
        return message


def code(number: int) -> str:
    """The `number`-th of the trace codes: no two alike, and neighbours far apart, as boxes in a shop are."""
    return f"8{number * SPREAD % 10**19:019}"


def enrolled(made: Site, names: Iterable[str], at: str) -> list[Device]:
    """New terminals in a site's registry."""
    ledger = open_ledger(made.ledger_url)
    registry = Registry(ledger, load_agreement_key(made.folder / "bridge" / "agreement.key"))
    devices = [Device(name, at) for name in names]
    now = time.time_ns() // 1_000_000
    for one in devices:
        signing, agreement = certificates.public_point(one.signing), certificates.public_point(one.agreement)
        registry.enrol(one.name, at, signing, agreement, now)
    ledger.close()
    return devices


def tls(made: Site, device: Device) -> ssl.SSLContext:
    """What a terminal shows to the broker, and asks of it."""
    key = certificates.new_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device.name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    der = site.issue_device_certificate(made.folder, request.public_bytes(serialization.Encoding.DER))
    folder = made.folder / "bench"
    folder.mkdir(exist_ok=True)
    pem, private = folder / f"{device.name}.pem", folder / f"{device.name}.key"
    certificates.write_certificate(pem, x509.load_der_x509_certificate(der))
    certificates.write_key(private, key)
    context = ssl.create_default_context(cafile=str(_ca(made)))
    context.load_cert_chain(pem, private)
    return context


def _ca(made: Site) -> Path:
    return made.folder / "ca" / "ca.pem"
