"""python-cwt, a COSE implementation that is none of ours, accepts what the bridge writes and the vectors hold."""

from typing import Any

import cwt
import pytest
from cwt import COSE, COSEKey
from cwt.algs.ec2 import EC2Key

from host_bridge import wire
from tests.bridge.test_wire_vectors import BRIDGE_KID, CREDENTIAL_KEY, DEVICE, GIVEN, MAC_KEY, vectors
from tests.vectors import third


def signing_key(kid: bytes) -> Any:
    point = bytes.fromhex(GIVEN["signing"]["public"])
    return EC2Key({1: 2, 2: kid, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]})


def mac_key(kid: bytes) -> Any:
    return COSEKey.from_symmetric_key(MAC_KEY, alg="HS256", kid=kid)


def accepted(message: bytes, key: Any, kind: str) -> bytes:
    return COSE.new().decode(message, key, external_aad=third.aad(kind))


@vectors("scans")
def test_cwt_accepts_a_scan(entry: dict[str, str]) -> None:
    key = signing_key(entry.get("device", DEVICE).encode())
    assert accepted(bytes.fromhex(entry["message"]), key, "scan").hex() == entry["payload"]


@vectors("heads")
def test_cwt_accepts_a_head(entry: dict[str, str]) -> None:
    assert accepted(bytes.fromhex(entry["message"]), signing_key(DEVICE.encode()), "head").hex() == entry["payload"]


@vectors("replies")
def test_cwt_accepts_a_reply(entry: dict[str, str]) -> None:
    assert accepted(bytes.fromhex(entry["message"]), mac_key(DEVICE.encode()), "reply").hex() == entry["payload"]


@vectors("credentials")
def test_cwt_accepts_a_credential(entry: dict[str, str]) -> None:
    key = COSEKey.from_symmetric_key(CREDENTIAL_KEY, alg="AES-CCM-16-64-128", kid=DEVICE.encode())
    assert accepted(bytes.fromhex(entry["message"]), key, "credential").hex() == entry["payload"]


def test_cwt_accepts_what_the_bridge_writes() -> None:
    verdict = wire.Verdict(7, bytes(range(32)), wire.Outcome.REJECTED, wire.Reason.RECALLED, 5, True, True, "已召回")
    receipt = wire.Receipt(7, bytes(range(32)), 5, head=bytes(32))
    command = wire.Command(3, "session", {"id": "S-1", "kind": "sale", "until": 9}, 5)
    for kind, message in {
        "verdict": wire.seal_verdict(verdict, MAC_KEY, BRIDGE_KID),
        "receipt": wire.seal_receipt(receipt, MAC_KEY, BRIDGE_KID),
        "command": wire.seal_command(command, MAC_KEY, BRIDGE_KID),
    }.items():
        assert accepted(message, mac_key(BRIDGE_KID), kind)


def test_cwt_refuses_one_kind_as_another() -> None:
    message = wire.seal_receipt(wire.Receipt(7, bytes(range(32)), 5), MAC_KEY, BRIDGE_KID)
    with pytest.raises(cwt.VerifyError):
        accepted(message, mac_key(BRIDGE_KID), "verdict")
