"""The contract's vectors, made again and accepted by the device's code."""

import json
from pathlib import Path
from typing import Any

import cbor2
import pytest

from tests.firmware.interpreters import Device, Devices

_VECTORS = Path(__file__).parents[1] / "vectors"
_WIRE: dict[str, Any] = json.loads((_VECTORS / "wire.json").read_text())
_FURTHER: dict[str, Any] = json.loads((_VECTORS / "further.json").read_text())
_MALFORMED: list[dict[str, Any]] = json.loads((_VECTORS / "malformed.json").read_text())["messages"]

_SCAN = {
    "seq": 2,
    "prev": 3,
    "captured_at": 4,
    "clock": 5,
    "boot": 6,
    "uptime": 7,
    "operation": 8,
    "symbology": 9,
    "data": 10,
    "family": 11,
    "session": 12,
    "operator": 13,
    "offline": 14,
    "site": 15,
    "target": 16,
}
_HEAD = {
    "boot": 2,
    "connection": 3,
    "uptime": 4,
    "newest": 5,
    "digest": 6,
    "oldest": 7,
    "missing": 8,
    "firmware": 9,
}

_SIGNING = bytes.fromhex(_WIRE["signing"]["private"])
_MAC_KEY = bytes.fromhex(_WIRE["mac_key"])
_BRIDGE_KID = bytes.fromhex(_WIRE["bridge"]["kid"])


def _aad(kind: str) -> bytes:
    return f"scanlatch/1/{kind}".encode()


def _all(plural: str) -> list[tuple[str, bytes, bytes, bytes]]:
    """Name, device id, payload and message of every vector of a kind."""
    rows: list[dict[str, str]] = _WIRE[plural] + _FURTHER.get(plural, [])
    return [
        (
            row["name"],
            row.get("device", str(_WIRE["device"])).encode(),
            bytes.fromhex(row["payload"]),
            bytes.fromhex(row["message"]),
        )
        for row in rows
    ]


def _kinds(*kinds: str) -> list[Any]:
    return [pytest.param(row, id=f"{row['kind']}: {row['name']}") for row in _MALFORMED if row["kind"] in kinds]


def test_every_scan_is_made_to_the_byte(desk: Device) -> None:
    for name, device, payload, message in _all("scans"):
        fields = cbor2.loads(payload)
        made = desk.call("record.scan", *(fields.get(key) for key in _SCAN.values()))
        assert made == payload, name
        assert desk.call("sign1", device, made, _aad("scan"), _SIGNING) == message, name


def test_every_head_is_made_to_the_byte(desk: Device) -> None:
    for name, device, payload, message in _all("heads"):
        fields = cbor2.loads(payload)
        made = desk.call("head.payload", *(fields[key] for key in _HEAD.values()))
        assert made == payload, name
        assert desk.call("sign1", device, made, _aad("head"), _SIGNING) == message, name


@pytest.mark.parametrize("kind", ["verdict", "receipt", "command"])
def test_every_message_of_the_bridge_opens(desk: Device, kind: str) -> None:
    for name, _, payload, message in _all(f"{kind}s"):
        assert desk.call("cose.open_mac0", message, _aad(kind), _MAC_KEY, _BRIDGE_KID) == cbor2.loads(payload), name


def test_every_reply_is_made_to_the_byte(desk: Device) -> None:
    for name, device, payload, message in _all("replies"):
        made = desk.call("cbor.dumps", cbor2.loads(payload))
        assert desk.call("cose.mac0", device, made, _aad("reply"), _MAC_KEY) == message, name


def test_every_credential_is_sealed_to_the_byte(devices: Devices) -> None:
    key = bytes.fromhex(_WIRE["credential_key"])
    for row in _WIRE["credentials"] + _FURTHER["credentials"]:
        device, nonce, payload = _WIRE["device"].encode(), bytes.fromhex(row["nonce"]), bytes.fromhex(row["payload"])
        sealed = devices.get("unix", "prove_desk").call("encrypt0", device, nonce, payload, _aad("credential"), key)
        assert sealed.hex() == row["message"], row["name"]


def test_keys_are_agreed_and_derived(desk: Device) -> None:
    bridge = bytes.fromhex(_WIRE["bridge"]["public"])
    first = {"device": _WIRE["device"], **_WIRE["agreement"]}
    first |= {name: _WIRE[name] for name in ("ecdh_z", "mac_key", "credential_key")}
    for row in [first, *_FURTHER["agreements"]]:
        d, device = bytes.fromhex(row["private"]), row["device"].encode()
        assert desk.call("keys.public_key", d).hex() == row["public"]
        z = desk.call("keys.shared_x", d, bridge)
        assert z.hex() == row["ecdh_z"]
        assert desk.call("keys.hkdf_sha256", z, b"scanlatch/1/mac/" + device, 32).hex() == row["mac_key"]
        credential = desk.call("keys.hkdf_sha256", z, b"scanlatch/1/credential/" + device, 16)
        assert credential.hex() == row["credential_key"]
    assert desk.call("hashes.sha256", bridge)[:8] == _BRIDGE_KID


@pytest.mark.parametrize("row", _kinds("verdict", "receipt", "command"))
def test_nothing_else_opens_as_the_bridges(desk: Device, row: dict[str, Any]) -> None:
    arguments = bytes.fromhex(row["message"]), _aad(row["kind"]), _MAC_KEY, _BRIDGE_KID
    refused = desk.refusal("cose.open_mac0", *arguments)
    if row["why"] == "fields":  # the bridge's own, and well-formed: whoever reads the fields refuses it
        assert refused is None
        return
    assert refused and refused.kind == "CoseError"
    said = {"mac": "tag", "kid": "header", "encoding": "payload"}.get(row["why"])
    assert refused.text == said if said else refused.text in ("cbor", "frame", "header")


def test_no_bit_of_a_verdict_can_be_changed(desk: Device) -> None:
    _, _, _, message = _all("verdicts")[0]
    for bit in range(8 * len(message)):
        changed = bytearray(message)
        changed[bit // 8] ^= 1 << bit % 8
        assert desk.refusal("cose.open_mac0", bytes(changed), _aad("verdict"), _MAC_KEY, _BRIDGE_KID), bit


def test_no_part_of_a_verdict_opens(desk: Device) -> None:
    _, _, _, message = _all("verdicts")[0]
    for end in range(len(message)):
        assert desk.refusal("cose.open_mac0", message[:end], _aad("verdict"), _MAC_KEY, _BRIDGE_KID), end


def test_an_authentic_payload_that_is_no_map_is_refused(desk: Device) -> None:
    for payload in (b"", b"\x01", b"\x80", b"\xf6", b"\xd2\xa0"):
        message = desk.call("cose.mac0", _BRIDGE_KID, payload, _aad("verdict"), _MAC_KEY)
        refused = desk.refusal("cose.open_mac0", message, _aad("verdict"), _MAC_KEY, _BRIDGE_KID)
        assert refused and refused.text == "payload", payload


def test_a_frame_of_another_shape_is_refused(desk: Device) -> None:
    _, _, _, message = _all("verdicts")[0]
    protected, unprotected, payload, tag = cbor2.loads(message).value
    shapes: list[object] = [
        *(None, 0, b"", "", {}, {0: 0}, [], [protected], [protected, unprotected, payload]),
        *([protected, unprotected, payload, tag, b""], [None, {}, payload, tag], [protected, {}, None, tag]),
        *([protected, {}, payload, None], ["", {}, "", ""], [protected, {}, payload, list(tag)]),
        *([protected, {}, payload, tag.hex()[:32]], [protected, [], payload, tag], [protected, b"", payload, tag]),
    ]
    frames = [cbor2.dumps(cbor2.CBORTag(17, shape)) for shape in shapes]
    for frame in [*frames, *(cbor2.dumps(shape) for shape in shapes), cbor2.dumps([protected, {}, payload, tag])]:
        refused = desk.refusal("cose.open_mac0", frame, _aad("verdict"), _MAC_KEY, _BRIDGE_KID)
        assert refused and (refused.kind, refused.text) == ("CoseError", "frame"), frame.hex()


_BAD_FIELDS = {
    "seq": [0, -1, 1 << 63],
    "prev": [b"", bytes(31), bytes(33)],
    "captured_at": [-1, 1 << 63],
    "clock": [-1, 3],
    "boot": [-1, 1 << 32],
    "uptime": [-1, 1 << 63],
    "operation": [0, 9],
    "data": [b"", bytes(513)],
    "family": [0, 6],
    "session": ["", "a" * 33, "S 1", "S\n", "s\u00e9ance"],
    "operator": ["", "a" * 33, "op_1", "\u533b"],
    "site": ["", "a" * 33, "Clinic", "clinic 7"],
    "target": [1],
}


@pytest.mark.parametrize("field", _BAD_FIELDS)
def test_nothing_outside_the_contract_is_made_into_a_record(desk: Device, field: str) -> None:
    good = cbor2.loads(_all("scans")[0][2])
    for value in _BAD_FIELDS[field]:
        fields = {**good, _SCAN[field]: value}
        refused = desk.refusal("record.scan", *(fields.get(key) for key in _SCAN.values()))
        assert refused and (refused.kind, refused.text) == ("RecordError", field), value


def test_a_void_names_what_it_voids(desk: Device) -> None:
    void = {**cbor2.loads(_all("scans")[0][2]), _SCAN["operation"]: 7}
    for target in (None, 0, -1):
        fields = {**void, _SCAN["target"]: target}
        refused = desk.refusal("record.scan", *(fields.get(key) for key in _SCAN.values()))
        assert refused and refused.text == "target", target
