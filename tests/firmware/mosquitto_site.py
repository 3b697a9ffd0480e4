"""Real mosquitto with certificates that are right, or wrong in one way each."""

import datetime
import ipaddress
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.now(datetime.UTC)
HOST = "broker.test"

Signed = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def issue(name: str, by: Signed | None = None, days: tuple[int, int] = (-1, 365)) -> Signed:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = [x509.DNSName(HOST), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder(
            issuer_name=by[0].subject if by else subject,
            subject_name=subject,
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=NOW + datetime.timedelta(days=days[0]),
            not_valid_after=NOW + datetime.timedelta(days=days[1]),
        )
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(by[1] if by else key, hashes.SHA256())
    )
    return certificate, key


def store(folder: Path, name: str, signed: Signed) -> None:
    certificate, key = signed
    for suffix, encoding in ((".pem", Encoding.PEM), (".der", Encoding.DER)):
        (folder / f"{name}{suffix}").write_bytes(certificate.public_bytes(encoding))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    (folder / f"{name}-key.pem").write_bytes(private)
    (folder / f"{name}-secret").write_bytes(key.private_numbers().private_value.to_bytes(32, "big"))


@contextmanager
def mosquitto(folder: Path, settings: list[str], ports: list[int]) -> Iterator[subprocess.Popen[bytes]]:
    (folder / "mosquitto.conf").write_text("\n".join(["allow_anonymous true", "user root", *settings]) + "\n")
    with (folder / "mosquitto.log").open("w") as log:
        broker = subprocess.Popen(["/usr/sbin/mosquitto", "-c", str(folder / "mosquitto.conf")], stderr=log)
    try:
        for port in ports:
            wait_for_port(port)
        yield broker
    finally:
        broker.kill()
        broker.wait()


def wait_for_port(port: int) -> None:
    end = time.monotonic() + 5
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            assert time.monotonic() < end, "mosquitto did not start"
            time.sleep(0.01)
