"""The contract's bytes to typed values and back, as the bridge needs them.

What comes in raises WireError and claims nothing, with one exception: a scan that is the device's own but
breaks the table still claims its sequence number (see `open_scan`). What goes out is checked alike.
"""

import hashlib
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from host_bridge import cose, wire_tables
from host_bridge.cbor_peek import find
from host_bridge.cbor_strict import WireError
from host_bridge.cose import MAX_MESSAGE
from host_bridge.wire_keys import DeviceKeys, bridge_kid, derive, public_key
from host_bridge.wire_types import (
    COMMANDS,
    SITES_OWN_REASONS,
    Clock,
    Command,
    Credential,
    Family,
    Head,
    OpenedScan,
    Operation,
    Outcome,
    Reason,
    Receipt,
    Reply,
    Scan,
    UnsaidReason,
    Verdict,
)

__all__ = [
    "COMMANDS",
    "MAX_MESSAGE",
    "SITES_OWN_REASONS",
    "Clock",
    "Command",
    "Credential",
    "DeviceKeys",
    "Family",
    "Head",
    "OpenedScan",
    "Operation",
    "Outcome",
    "Reason",
    "Receipt",
    "Reply",
    "Scan",
    "UnsaidReason",
    "Verdict",
    "WireError",
    "bridge_kid",
    "derive",
    "digest",
    "open_credential",
    "open_head",
    "open_reply",
    "open_scan",
    "public_key",
    "seal_command",
    "seal_receipt",
    "seal_verdict",
]

_MAX_SEQ: Final = (1 << 63) - 1
_DIGEST_BYTES: Final = 32
_SEQ_KEY, _PREV_KEY = 2, 3


def digest(message: bytes) -> bytes:
    """SHA-256 of a whole message: the name of these bytes in chains, verdicts and receipts."""
    return hashlib.sha256(message).digest()


def open_scan(message: bytes, device: str, key: ec.EllipticCurvePublicKey) -> OpenedScan:
    """What a message on a device's `scan` topic claims; `key` is that device's signing key.

    Where frame, key id and signature are right and its sequence number reads, it claims that number; should
    anything else be wrong with it, `scan` is None and `fault` says what. Whether the site was ever given to
    this device is for the caller to check.

    Raises:
        WireError: the message claims nothing and goes to quarantine.
    """
    payload = cose.open_sign1(message, device.encode(), b"scanlatch/1/scan", key)
    try:
        scan = wire_tables.SCAN.read(payload)
    except WireError as error:
        return _evidence(message, payload, error)
    return OpenedScan(scan.seq, scan.prev, digest(message), scan, None)


def _evidence(message: bytes, payload: bytes, error: WireError) -> OpenedScan:
    seq, prev = find(payload, _SEQ_KEY), find(payload, _PREV_KEY)
    if not isinstance(seq, int) or not 1 <= seq <= _MAX_SEQ:
        raise error
    if not isinstance(prev, bytes) or len(prev) != _DIGEST_BYTES:
        prev = None
    return OpenedScan(seq, prev, digest(message), None, str(error))


def open_head(message: bytes, device: str, key: ec.EllipticCurvePublicKey) -> Head:
    """Where a device says that its chain ends. Raises WireError."""
    return wire_tables.HEAD.read(cose.open_sign1(message, device.encode(), b"scanlatch/1/head", key))


def open_reply(message: bytes, mac_key: bytes, device: str) -> Reply:
    """A device's answer to a command. Raises WireError."""
    return wire_tables.REPLY.read(cose.open_mac0(message, device.encode(), b"scanlatch/1/reply", mac_key))


def open_credential(message: bytes, credential_key: bytes, device: str) -> Credential:
    """A person's credential. That (boot, counter) grows and that it is fresh, the caller checks.

    Raises WireError.
    """
    nonce, payload = cose.open_encrypt0(message, device.encode(), b"scanlatch/1/credential", credential_key)
    captured_at, data = wire_tables.CREDENTIAL.read(payload)
    return Credential(captured_at, data, boot=int.from_bytes(nonce[:4]), counter=int.from_bytes(nonce[4:8]))


def seal_verdict(verdict: Verdict, mac_key: bytes, kid: bytes) -> bytes:
    """Message for the `verdict` topic; `kid` is the bridge's. Raises WireError `fields`."""
    return cose.seal_mac0(wire_tables.VERDICT.write(verdict), kid, b"scanlatch/1/verdict", mac_key)


def seal_receipt(receipt: Receipt, mac_key: bytes, kid: bytes) -> bytes:
    """Message for the `receipt` topic; `kid` is the bridge's. Raises WireError `fields`."""
    return cose.seal_mac0(wire_tables.RECEIPT.write(receipt), kid, b"scanlatch/1/receipt", mac_key)


def seal_command(command: Command, mac_key: bytes, kid: bytes) -> bytes:
    """Message for the `command` topic; `kid` is the bridge's. Raises WireError `fields` or `size`."""
    return cose.seal_mac0(wire_tables.COMMAND.write(command), kid, b"scanlatch/1/command", mac_key)
