"""A device's side of the contract for tests: seals what a device sends, opens what it is sent.

Frames come from the vectors' own writer, tables from the bridge: it is a convenience, not a check of either.
"""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from host_bridge import cose, wire, wire_tables
from tests.vectors import third


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Public key as an uncompressed point, 65 bytes."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


class WirePeer:
    """One device with its keys, paired with one bridge (`bridge`: its agreement public point)."""

    def __init__(
        self, device: str, signing: ec.EllipticCurvePrivateKey, agreement: ec.EllipticCurvePrivateKey, bridge: bytes
    ) -> None:
        self.device = device
        self.signing = signing
        self.agreement = agreement
        self.bridge_kid = wire.bridge_kid(bridge)
        self.keys = wire.derive(agreement, bridge, device)

    @classmethod
    def new(cls, device: str, bridge: bytes) -> "WirePeer":
        """A device with fresh keys."""
        return cls(device, ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1()), bridge)

    def go_over(self, bridge: bytes) -> None:
        """Use another bridge key, and forget the one before."""
        self.bridge_kid = wire.bridge_kid(bridge)
        self.keys = wire.derive(self.agreement, bridge, self.device)

    @property
    def kid(self) -> bytes:
        return self.device.encode()

    def seal_scan(self, scan: wire.Scan) -> bytes:
        return third.sign1(wire_tables.SCAN.write(scan), "scan", self.kid, self.signing)

    def seal_scan_payload(self, payload: bytes) -> bytes:
        """A scan message around any bytes, right or wrong."""
        return third.sign1(payload, "scan", self.kid, self.signing)

    def seal_head(self, head: wire.Head) -> bytes:
        return third.sign1(wire_tables.HEAD.write(head), "head", self.kid, self.signing)

    def seal_reply(self, reply: wire.Reply) -> bytes:
        return third.mac0(wire_tables.REPLY.write(reply), "reply", self.kid, self.keys.mac)

    def seal_credential(self, credential: wire.Credential, random5: bytes = b"\x11\x22\x33\x44\x55") -> bytes:
        payload = third.dumps({1: 1, 2: credential.captured_at, 3: credential.data})
        nonce = credential.boot.to_bytes(4) + credential.counter.to_bytes(4) + random5
        return third.encrypt0(payload, self.kid, self.keys.credential, nonce)

    def open_verdict(self, message: bytes) -> wire.Verdict:
        return wire_tables.VERDICT.read(self._open(message, "verdict"))

    def open_receipt(self, message: bytes) -> wire.Receipt:
        return wire_tables.RECEIPT.read(self._open(message, "receipt"))

    def open_command(self, message: bytes) -> wire.Command:
        return wire_tables.COMMAND.read(self._open(message, "command"))

    def _open(self, message: bytes, kind: str) -> bytes:
        return cose.open_mac0(message, self.bridge_kid, third.aad(kind), self.keys.mac)
