"""The bridge refuses what the contract does not know, and keeps what a device did sign as evidence."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from host_bridge import wire
from host_bridge.wire import WireError
from tests.bridge.test_wire_vectors import BRIDGE_KID, CREDENTIAL_KEY, DEVICE, GIVEN, MAC_KEY, PEER, SIGNER
from tests.vectors import third

MALFORMED = third.load("malformed.json")["messages"]
CLAIMING = [entry for entry in MALFORMED if entry["claims"] is not None]
REFUSED = [entry for entry in MALFORMED if entry["claims"] is None]

OPEN: dict[str, Callable[[bytes], object]] = {
    "scan": lambda message: wire.open_scan(message, DEVICE, SIGNER),
    "head": lambda message: wire.open_head(message, DEVICE, SIGNER),
    "reply": lambda message: wire.open_reply(message, MAC_KEY, DEVICE),
    "credential": lambda message: wire.open_credential(message, CREDENTIAL_KEY, DEVICE),
    "verdict": PEER.open_verdict,
    "receipt": PEER.open_receipt,
    "command": PEER.open_command,
}
GOOD = {
    kind: bytes.fromhex(GIVEN[entries][0]["message"])
    for kind, entries in {"scan": "scans", "head": "heads", "reply": "replies", "credential": "credentials"}.items()
}


@pytest.mark.parametrize("entry", REFUSED, ids=[f"{entry['kind']}: {entry['name']}" for entry in REFUSED])
def test_a_malformed_message_is_refused_for_its_fault(entry: dict[str, Any]) -> None:
    with pytest.raises(WireError) as refused:
        OPEN[entry["kind"]](bytes.fromhex(entry["message"]))
    assert refused.value.why == entry["why"], refused.value


@pytest.mark.parametrize("entry", CLAIMING, ids=[entry["name"] for entry in CLAIMING])
def test_a_malformed_record_of_the_device_itself_claims_its_seq(entry: dict[str, Any]) -> None:
    message = bytes.fromhex(entry["message"])
    opened = wire.open_scan(message, DEVICE, SIGNER)
    assert opened.scan is None
    assert opened.fault is not None
    assert opened.fault.startswith(entry["why"])
    assert opened.seq == entry["claims"]
    assert opened.digest == wire.digest(message)
    assert opened.prev == (None if entry["name"] == "prev of 31 bytes" else bytes.fromhex(GIVEN["scans"][-1]["digest"]))


def test_a_message_for_another_device_is_refused() -> None:
    for kind, message in GOOD.items():
        open_as_other: dict[str, Callable[[bytes], object]] = {
            "scan": lambda message: wire.open_scan(message, "d-window-02", SIGNER),
            "head": lambda message: wire.open_head(message, "d-window-02", SIGNER),
            "reply": lambda message: wire.open_reply(message, MAC_KEY, "d-window-02"),
            "credential": lambda message: wire.open_credential(message, CREDENTIAL_KEY, "d-window-02"),
        }
        with pytest.raises(WireError) as refused:
            open_as_other[kind](message)
        assert refused.value.why == "kid", kind


def test_another_device_is_told_apart_whatever_its_ids_length() -> None:
    for device in ("d", "d-" + "0123456789" * 3):
        with pytest.raises(WireError) as refused:
            wire.open_scan(GOOD["scan"], device, SIGNER)
        assert refused.value.why == "kid"


def test_every_flipped_bit_of_a_message_is_refused() -> None:
    for kind, message in GOOD.items():
        for bit in range(8 * len(message)):
            altered = bytearray(message)
            altered[bit // 8] ^= 1 << (bit % 8)
            with pytest.raises(WireError):
                OPEN[kind](bytes(altered))


def test_every_cut_message_is_refused() -> None:
    for kind, message in GOOD.items():
        for size in range(len(message)):
            with pytest.raises(WireError):
                OPEN[kind](message[:size])


@given(some.binary(max_size=300), some.sampled_from(sorted(OPEN)))
@settings(max_examples=500, deadline=None)
def test_noise_is_refused(noise: bytes, kind: str) -> None:
    with pytest.raises(WireError):
        OPEN[kind](noise)


# Tags whose decoders in cbor2 raise, loop or build what nobody asked for, signed by a device gone bad.
HOSTILE = {
    "an array in itself": "d81c81d81d00",
    "a big float beyond the range of decimals": "c5821b7fffffffffffffff01",
    "a fraction over zero": "d81e820100",
    "a broken regular expression": "d8236528282828 28",
    "four hundred lists": "81" * 400 + "00",
    "a text of 2^63 bytes": "7b7fffffffffffffff",
    "an array of 2^63 items": "9b7fffffffffffffff",
    "a map as a key": "a1a000",
    "a key of one": "a1fb3ff000000000000001",
    "a break": "ff",
    "a reserved length": "1c",
    "two-byte true": "f815",
    "simple value 32": "f820",
    "a date": "c06a323032362d31312d3232",
    "a bignum of 65 bits": "c249010000000000000000",
    "minus 2^64 - 1": "3bffffffffffffffff",
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_payload_is_evidence_at_most(value: str) -> None:
    seq, hostile = b"\x02\x05", bytes.fromhex(value)
    alone = PEER.seal_scan_payload(hostile)
    with pytest.raises(WireError):
        wire.open_scan(alone, DEVICE, SIGNER)
    try:
        opened = wire.open_scan(PEER.seal_scan_payload(b"\xa2" + seq + b"\x18\x40" + hostile), DEVICE, SIGNER)
    except WireError as error:
        assert error.why in ("encoding", "fields")
    else:
        assert (opened.seq, opened.scan) == (5, None)


@given(some.binary(max_size=120))
@settings(max_examples=500, deadline=None)
def test_a_signed_payload_of_noise_never_is_a_scan(noise: bytes) -> None:
    try:
        opened = wire.open_scan(PEER.seal_scan_payload(noise), DEVICE, SIGNER)
    except WireError:
        return
    assert opened.scan is None
    assert opened.seq >= 1


@pytest.mark.parametrize(
    ("payload", "seq"),
    [
        ("bf0205ff", 5),
        ("bf02051840f97e00ff", 5),
        ("a11b000000000000000205", 5),
        ("b80102187f", 127),
        ("a2025f4101ff0300", None),
        ("a20205", None),
        ("bf0205", None),
        ("bf02ff", None),
        ("a102ff", None),
        ("a2ff0205", None),
        ("a202050206", None),
        ("a1c20205", None),
        ("a102c24105", None),
        ("", None),
        ("820205", None),
    ],
)
def test_the_seq_is_read_from_any_well_formed_map_and_no_other(payload: str, seq: int | None) -> None:
    message = PEER.seal_scan_payload(bytes.fromhex(payload))
    if seq is not None:
        assert wire.open_scan(message, DEVICE, SIGNER).seq == seq
        return
    with pytest.raises(WireError):
        wire.open_scan(message, DEVICE, SIGNER)


VERDICT = wire.Verdict(1, bytes(32), wire.Outcome.ACCEPTED, wire.Reason.NONE, 1, final=True, kept=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"seq": -1},
        {"seq": 1 << 63},
        {"digest": bytes(31)},
        {"reason": 25},
        {"final": False},
        {"outcome": wire.Outcome.PENDING},
        {"text": ""},
        {"text": "x" * 65},
        {"text": "\ud800"},
        {"seq": 0},
        {"decided_at": 1.5},
        {"kept": 1},
    ],
    ids=str,
)
def test_a_verdict_beyond_its_limits_is_not_sealed(wrong: dict[str, Any]) -> None:
    with pytest.raises(WireError) as refused:
        wire.seal_verdict(replace(VERDICT, **wrong), MAC_KEY, BRIDGE_KID)
    assert refused.value.why == "fields"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (wire.Command(0, "identify", {}, 1), "fields"),
        (wire.Command(1, "open-door", {}, 1), "fields"),
        (wire.Command(1, "settings", {"a": 1.5}, 1), "encoding"),
        (wire.Command(1, "settings", {1: 1}, 1), "fields"),  # type: ignore[dict-item]
        (wire.Command(1, "settings", {"a": b"x" * 4096}, 1), "size"),
        (wire.Command(1, "settings", {"a": b"x" * 100_000}, 1), "size"),
        (wire.Command(1, "settings", {"a": object()}, 1), "encoding"),
        (wire.Command(1, "settings", {"a": 1 << 64}, 1), "encoding"),
    ],
    ids=["counter", "name", "float", "key", "long", "longer", "object", "number"],
)
def test_a_command_beyond_its_limits_is_not_sealed(command: wire.Command, why: str) -> None:
    with pytest.raises(WireError) as refused:
        wire.seal_command(command, MAC_KEY, BRIDGE_KID)
    assert refused.value.why == why
