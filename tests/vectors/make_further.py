"""Makes further.json: valid messages at the edges that wire.json leaves out, under wire.json's keys."""

import hashlib
import json
import sys
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.vectors import third

GIVEN = third.load("wire.json")
DEVICE = GIVEN["device"]
SIGNING = third.private_key(int(GIVEN["signing"]["private"], 16))
MAC_KEY = bytes.fromhex(GIVEN["mac_key"])
CREDENTIAL_KEY = bytes.fromhex(GIVEN["credential_key"])
BRIDGE_KID = bytes.fromhex(GIVEN["bridge"]["kid"])
LAST = GIVEN["scans"][-1]
AT = 1799600600000  # some minute of 2027, ms UTC
MAX = (1 << 63) - 1
LONGEST_ID = "d-" + "0123456789" * 3


def record(seq: int, prev: bytes, **other: Any) -> dict[int, Any]:
    """A plain sale with some of its fields changed; names as in the contract's table."""
    names = {
        "captured_at": 4, "clock": 5, "boot": 6, "uptime": 7, "operation": 8, "symbology": 9, "data": 10,
        "family": 11, "session": 12, "operator": 13, "offline": 14, "site": 15, "target": 16,
    }  # fmt: skip
    values: dict[int, Any] = {
        1: 1, 2: seq, 3: prev, 4: AT, 5: 2, 6: 15, 7: 90_000, 8: 1, 9: "]C0", 10: b"83386520001941653320", 11: 1,
        14: False, 15: GIVEN["site"],
    }  # fmt: skip
    values.update({names[name]: value for name, value in other.items()})
    return dict(sorted(values.items()))


def scans() -> list[dict[str, Any]]:
    cases: list[tuple[str, dict[str, Any]]] = [
        ("session without operator", {"session": "S-20270111-0001"}),
        ("operator without session", {"operator": "op-2"}),
        ("void with operator and session", {"operation": 7, "family": 5, "data": b"GSL:VOID", "session": "S",
                                            "operator": "op-2", "target": 12}),
        ("void of the highest seq", {"operation": 7, "family": 5, "data": b"GSL:VOID", "target": MAX}),
        ("one byte of data, zero", {"data": b"\0", "family": 3, "symbology": ""}),
        ("every byte value as data", {"data": bytes(range(256)), "family": 3, "symbology": "]d1"}),
        ("session and operator of 32 characters", {"session": "A" * 32, "operator": "z9-" * 10 + "Z9"}),
        ("site of 32 characters", {"site": "a0-" * 10 + "zz"}),
        ("integers where CBOR heads grow", {"captured_at": 0, "boot": 23, "uptime": 24}),
        ("integers of one and two bytes", {"captured_at": 255, "boot": 256, "uptime": 65_535}),
        ("integers of four and eight bytes", {"captured_at": 65_536, "boot": (1 << 32) - 1, "uptime": 1 << 32}),
        ("highest times", {"captured_at": MAX, "uptime": MAX}),
    ]  # fmt: skip
    made: list[dict[str, Any]] = []
    prev = bytes.fromhex(LAST["digest"])
    for seq, (name, other) in enumerate(cases, start=len(GIVEN["scans"]) + 1):
        made.append(scan(name, record(seq, prev, **other)))
        prev = bytes.fromhex(made[-1]["digest"])
    made.append(scan("highest seq", record(MAX, prev)))
    made.append(scan("device id of one character", record(1, bytes(32)), device="d"))
    made.append(scan("device id of 32 characters", record(1, bytes(32)), device=LONGEST_ID))
    return made


def scan(name: str, values: dict[int, Any], device: str = DEVICE) -> dict[str, Any]:
    payload = third.dumps(values)
    protected = third.dumps({1: third.ES256, 4: device.encode()})
    message = third.sign1(payload, "scan", device.encode(), SIGNING)
    return {
        "name": name,
        **({"device": device} if device != DEVICE else {}),
        "payload": payload.hex(),
        "to_be_signed": third.to_be_signed(protected, third.aad("scan"), payload).hex(),
        "message": message.hex(),
        "digest": hashlib.sha256(message).hexdigest(),
    }


def heads() -> list[dict[str, Any]]:
    newest = bytes.fromhex(LAST["digest"])
    ranges = [[100 + 4 * number, 101 + 4 * number] for number in range(16)]
    cases = [
        ("sixteen ranges missing", [300, newest, 50, ranges]),
        ("the newest itself missing", [11, newest, 9, [[9, 9], [11, 11]]]),
        ("nothing readable, records before", [11, newest, 12, []]),
        ("highest newest", [MAX - 1, newest, MAX - 1, []]),
    ]
    return [
        signed(name, "head", {1: 1, 2: 16, 3: 1 + number, 4: 5000, 5: at, 6: digest, 7: oldest, 8: missing, 9: "0.3.0"})
        for number, (name, (at, digest, oldest, missing)) in enumerate(cases)
    ]


def signed(name: str, kind: str, values: dict[int, Any]) -> dict[str, Any]:
    payload = third.dumps(values)
    return {
        "name": name,
        "payload": payload.hex(),
        "message": third.sign1(payload, kind, DEVICE.encode(), SIGNING).hex(),
    }


def tagged(name: str, kind: str, values: dict[int, Any], kid: bytes = BRIDGE_KID) -> dict[str, Any]:
    payload = third.dumps(values)
    return {"name": name, "payload": payload.hex(), "message": third.mac0(payload, kind, kid, MAC_KEY).hex()}


def verdicts() -> list[dict[str, Any]]:
    digest = bytes.fromhex(LAST["digest"])

    def verdict(outcome: int, reason: int, **text: str) -> dict[int, Any]:
        values = {1: 1, 2: 11, 3: digest, 4: outcome, 5: reason, 6: AT, 7: outcome != 3, 8: True}
        return values | ({9: text["text"]} if text else {})

    made = [tagged(f"rejected, reason {reason}", "verdict", verdict(1, reason)) for reason in range(1, 25)]
    made.append(tagged("the site's own reason", "verdict", verdict(1, 64)))
    made.append(tagged("the site's own reason, highest", "verdict", verdict(1, MAX)))
    made.append(tagged("text of one byte", "verdict", verdict(0, 0, text="!")))
    made.append(tagged("text of 64 bytes", "verdict", verdict(1, 13, text="一二三四五六七八九十" * 2 + "一x")))
    made.append(tagged("quarantined, seq read", "verdict", {**verdict(5, 20), 8: False}))
    return made


def receipts() -> list[dict[str, Any]]:
    return [tagged("highest seq", "receipt", {1: 1, 2: MAX, 3: bytes.fromhex(LAST["digest"]), 4: MAX})]


def commands() -> list[dict[str, Any]]:
    bridge = bytes.fromhex(GIVEN["bridge"]["public"])
    refused = {"id": "", "kind": "", "until": 0, "reason": 17}
    cases: list[tuple[str, dict[str, Any]]] = [
        ("session", refused),
        ("acknowledge", {}),
        ("settings", {"light": 40, "names": ["a", b"b", True, None, -1]}),
        ("settings", {"light": {"red": 40, "blue": 40}}),
        ("bridge-key", {"public": bridge}),
        ("health", {}),
        ("restart", {}),
        ("resend", {"from": 4}),
        ("update-begin", {}),
        ("update-chunk", {}),
        ("update-commit", {}),
        ("retire", {}),
    ]
    return [
        tagged(f"{name} {number}", "command", {1: 1, 2: number, 3: name, 4: in_order(arguments), 5: AT})
        for number, (name, arguments) in enumerate(cases, start=3)
    ]


def in_order(arguments: dict[str, Any]) -> dict[str, Any]:
    """Texts as keys in bytewise order of their encodings: the shorter first."""
    return {
        key: in_order(value) if isinstance(value, dict) else value
        for key, value in sorted(arguments.items(), key=lambda item: (len(item[0]), item[0]))
    }


def replies() -> list[dict[str, Any]]:
    device = DEVICE.encode()
    return [
        tagged("counter too low", "reply", {1: 1, 2: 1, 3: "counter", 4: 12, 5: {}}, device),
        tagged("health told", "reply", {1: 1, 2: 7, 3: "ok", 4: 13, 5: {"heap": 70000, "rssi": -61}}, device),
    ]


def credentials() -> list[dict[str, Any]]:
    payload = third.dumps({1: 1, 2: AT, 3: b"\x1d" + bytes(range(200, 240))})
    nonce = bytes.fromhex("fffffffffffffffe0102030405")
    message = third.encrypt0(payload, DEVICE.encode(), CREDENTIAL_KEY, nonce)
    return [{"name": "highest boot", "nonce": nonce.hex(), "payload": payload.hex(), "message": message.hex()}]


def agreements() -> list[dict[str, Any]]:
    """ECDH and HKDF from private numbers to both keys, one with a shared secret that begins with a zero."""
    bridge = third.private_key(int(GIVEN["bridge"]["private"], 16))
    made = [
        agreement("second device", 0xD0C5, bridge, "d-dock-02"),
        agreement("longest id", 0xD0C6, bridge, LONGEST_ID),
    ]
    zero = next(n for n in range(2, 5000) if third.private_key(n).exchange(ec.ECDH(), bridge.public_key())[0] == 0)
    made.append(agreement("shared secret begins with a zero byte", zero, bridge, DEVICE))
    return made


def agreement(name: str, number: int, bridge: ec.EllipticCurvePrivateKey, device: str) -> dict[str, Any]:
    own = third.private_key(number)
    z = own.exchange(ec.ECDH(), bridge.public_key())

    def expand(purpose: str, size: int) -> str:
        info = f"scanlatch/1/{purpose}/{device}".encode()
        return HKDF(hashes.SHA256(), size, salt=b"", info=info).derive(z).hex()

    return {
        "name": name,
        "device": device,
        "private": f"{number:064x}",
        "public": own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex(),
        "ecdh_z": z.hex(),
        "mac_key": expand("mac", 32),
        "credential_key": expand("credential", 16),
    }


def statuses() -> list[dict[str, Any]]:
    birth = {"v": 1, "online": True, "boot": 12, "connection": 3, "fw": "0.3.0", "board": "esp32-devkit",
             "engine": "grow", "operation": "sale"}  # fmt: skip
    death = {"v": 1, "online": False, "boot": 12, "connection": 3}
    return [
        {"name": name, "json": json.dumps(value, separators=(",", ":"))}
        for name, value in (("birth", birth), ("will", death))
    ]


def made() -> str:
    return third.text_of(
        {
            "about": "Valid messages at the edges, made by make_further.py under wire.json's keys.",
            "scans": scans(),
            "heads": heads(),
            "verdicts": verdicts(),
            "receipts": receipts(),
            "credentials": credentials(),
            "commands": commands(),
            "replies": replies(),
            "statuses": statuses(),
            "agreements": agreements(),
        }
    )


if __name__ == "__main__":
    (third.FOLDER / "further.json").write_text(made(), encoding="utf-8")
    sys.exit(0)
