"""The bridge reads and writes every vector of the contract to the byte."""

from typing import Any

import pytest

from host_bridge import wire
from tests.vectors import third
from tests.wire_peer import WirePeer

GIVEN = third.load("wire.json")
FURTHER = third.load("further.json")
DEVICE: str = GIVEN["device"]
SIGNER = wire.public_key(bytes.fromhex(GIVEN["signing"]["public"]))
MAC_KEY = bytes.fromhex(GIVEN["mac_key"])
CREDENTIAL_KEY = bytes.fromhex(GIVEN["credential_key"])
BRIDGE_POINT = bytes.fromhex(GIVEN["bridge"]["public"])
BRIDGE_KID = bytes.fromhex(GIVEN["bridge"]["kid"])


def private(name: str) -> Any:
    return third.private_key(int(GIVEN[name]["private"], 16))


PEER = WirePeer(DEVICE, private("signing"), private("agreement"), BRIDGE_POINT)


def vectors(kind: str) -> Any:
    entries = GIVEN[kind] + FURTHER[kind]
    return pytest.mark.parametrize("entry", entries, ids=[entry["name"] for entry in entries])


@vectors("scans")
def test_a_scan_is_read_and_its_digest_named(entry: dict[str, str]) -> None:
    device = entry.get("device", DEVICE)
    opened = wire.open_scan(bytes.fromhex(entry["message"]), device, SIGNER)
    assert opened.fault is None
    assert opened.scan is not None
    assert (opened.seq, opened.prev) == (opened.scan.seq, opened.scan.prev)
    assert opened.digest.hex() == entry["digest"]
    peer = WirePeer(device, PEER.signing, PEER.agreement, BRIDGE_POINT)
    assert peer.seal_scan(opened.scan).hex() == entry["message"]


def test_a_scan_has_the_names_of_the_table() -> None:
    scan = wire.open_scan(bytes.fromhex(GIVEN["scans"][1]["message"]), DEVICE, SIGNER).scan
    assert scan == wire.Scan(
        seq=2,
        prev=bytes.fromhex(GIVEN["scans"][0]["digest"]),
        captured_at=1795305603000,
        clock=wire.Clock.SYNCHRONISED,
        boot=12,
        uptime=63_000,
        operation=wire.Operation.SALE,
        symbology="]C0",
        data=b"81012350000000157474",
        family=wire.Family.TWENTY_DIGIT,
        session="S-20261122-0007",
        operator="op-17",
        offline=False,
        site="clinic-7",
    )


def test_the_given_scans_are_one_chain() -> None:
    prev = bytes(32)
    for number, entry in enumerate(GIVEN["scans"], start=1):
        opened = wire.open_scan(bytes.fromhex(entry["message"]), DEVICE, SIGNER)
        assert (opened.seq, opened.prev) == (number, prev)
        prev = opened.digest


@vectors("heads")
def test_a_head_is_read(entry: dict[str, str]) -> None:
    head = wire.open_head(bytes.fromhex(entry["message"]), DEVICE, SIGNER)
    assert PEER.seal_head(head).hex() == entry["message"]


def test_a_head_tells_what_the_flash_lost() -> None:
    head = wire.open_head(bytes.fromhex(GIVEN["heads"][2]["message"]), DEVICE, SIGNER)
    assert head.missing == ((4, 5),)


@vectors("verdicts")
def test_a_verdict_is_written(entry: dict[str, str]) -> None:
    verdict = PEER.open_verdict(bytes.fromhex(entry["message"]))
    assert wire.seal_verdict(verdict, MAC_KEY, BRIDGE_KID).hex() == entry["message"]


@vectors("receipts")
def test_a_receipt_is_written(entry: dict[str, str]) -> None:
    receipt = PEER.open_receipt(bytes.fromhex(entry["message"]))
    assert wire.seal_receipt(receipt, MAC_KEY, BRIDGE_KID).hex() == entry["message"]


def test_a_receipt_names_the_head_that_it_answers() -> None:
    heads = {wire.digest(bytes.fromhex(entry["message"])) for entry in GIVEN["heads"]}
    answers = [PEER.open_receipt(bytes.fromhex(entry["message"])).head for entry in GIVEN["receipts"]]
    assert {answer for answer in answers if answer} <= heads


@vectors("commands")
def test_a_command_is_written(entry: dict[str, str]) -> None:
    command = PEER.open_command(bytes.fromhex(entry["message"]))
    assert wire.seal_command(command, MAC_KEY, BRIDGE_KID).hex() == entry["message"]


def test_a_commands_arguments_are_written_in_order() -> None:
    told = {"until": 1, "kind": "sale", "id": "S"}
    sealed = wire.seal_command(wire.Command(1, "session", told, 1), MAC_KEY, BRIDGE_KID)
    assert list(PEER.open_command(sealed).arguments) == ["id", "kind", "until"]


@vectors("replies")
def test_a_reply_is_read(entry: dict[str, str]) -> None:
    reply = wire.open_reply(bytes.fromhex(entry["message"]), MAC_KEY, DEVICE)
    assert PEER.seal_reply(reply).hex() == entry["message"]


@vectors("credentials")
def test_a_credential_is_read_and_never_printed(entry: dict[str, str]) -> None:
    credential = wire.open_credential(bytes.fromhex(entry["message"]), CREDENTIAL_KEY, DEVICE)
    assert PEER.seal_credential(credential, bytes.fromhex(entry["nonce"])[8:]).hex() == entry["message"]
    assert str(credential.data) not in repr(credential)
