"""Makes malformed.json: messages that must be refused, each with one thing wrong, under wire.json's keys."""

import sys
from typing import Any

import cbor2

from tests.vectors import third
from tests.vectors.make_further import AT, BRIDGE_KID, CREDENTIAL_KEY, MAC_KEY
from tests.vectors.malformed_scans import (
    KID,
    PREV,
    TAKEN_AWAY,
    changed,
    entry,
    of_scan_frame,
    of_scan_payload,
    scan,
)

HEAD: dict[int, Any] = {1: 1, 2: 16, 3: 1, 4: 5000, 5: 11, 6: PREV, 7: 1, 8: [[4, 5]], 9: "0.3.0"}
VERDICT: dict[int, Any] = {1: 1, 2: 11, 3: PREV, 4: 0, 5: 0, 6: AT, 7: True, 8: True}
RECEIPT: dict[int, Any] = {1: 1, 2: 11, 3: PREV, 4: AT}
CREDENTIAL: dict[int, Any] = {1: 1, 2: AT, 3: b"24400000000000000000000000000"}
COMMAND: dict[int, Any] = {1: 1, 2: 20, 3: "resend", 4: {"from": 4}, 5: AT}
REPLY: dict[int, Any] = {1: 1, 2: 7, 3: "ok", 4: 13, 5: {}}
FROM_4 = b"\xa1\x64from\x04"  # the command's arguments as bytes
NONCE = bytes.fromhex("0000000f00000002a1b2c3d4e5")


def of_heads() -> list[dict[str, Any]]:
    def wrong(name: str, payload: bytes, why: str = "fields", shape: bool = True) -> dict[str, Any]:
        return entry(name, "head", why, scan(payload, kind="head"), shape=shape)

    ranges = [[1 + 2 * number, 1 + 2 * number] for number in range(17)]
    return [
        entry("signed as a scan", "head", "signature", scan(third.dumps(HEAD))),
        wrong("connection 0", changed(HEAD, k3=0)),
        wrong("oldest above newest + 1", changed(HEAD, k7=13, k8=[]), shape=False),
        wrong("no record, but a digest", changed(HEAD, k5=0, k7=1, k8=[]), shape=False),
        wrong("missing key 8", changed(HEAD, k8=TAKEN_AWAY)),
        wrong("seventeen ranges missing", changed(HEAD, k5=99, k8=ranges)),
        wrong("range upside down", changed(HEAD, k8=[[5, 4]]), shape=False),
        wrong("ranges out of order", changed(HEAD, k8=[[7, 8], [4, 5]]), shape=False),
        wrong("range above newest", changed(HEAD, k8=[[10, 12]]), shape=False),
        wrong("range below oldest", changed(HEAD, k7=5), shape=False),
        wrong("range of three", changed(HEAD, k8=[[4, 5, 6]])),
        wrong("firmware empty", changed(HEAD, k9="")),
    ]


def of_bridge_messages() -> list[dict[str, Any]]:
    def wrong(kind: str, name: str, payload: bytes, why: str = "fields", shape: bool = True) -> dict[str, Any]:
        return entry(name, kind, why, third.mac0(payload, kind, BRIDGE_KID, MAC_KEY), shape=shape)

    good = third.dumps(VERDICT)

    def mac(kind: str = "verdict", kid: bytes = BRIDGE_KID, **frame: Any) -> bytes:
        return third.mac0(good, kind, kid, MAC_KEY, **frame)

    message = mac()
    flipped = message[:-1] + bytes((message[-1] ^ 0x80,))
    short = bytearray(message[:-1])
    short[-32] = 31
    command = third.dumps(COMMAND)
    return [
        entry("last byte of the tag changed", "verdict", "mac", flipped),
        entry("tag cut to 31 bytes", "verdict", "frame", bytes(short), shape=True),
        entry("tag of COSE_Sign1", "verdict", "frame", mac(tag=18), shape=True),
        entry("HMAC 256/64", "verdict", "frame", mac(alg=4), shape=True),
        entry("key id of another bridge", "verdict", "kid", mac(kid=bytes(8))),
        entry("unprotected header not empty", "verdict", "frame", mac(unprotected={1: 5}), shape=True),
        entry("a receipt on the verdict topic", "verdict", "mac", mac(kind="receipt")),
        entry("a byte behind the message", "verdict", "frame", message + b"\0"),
        wrong("command", "over 4,096 bytes", changed(COMMAND, k3="settings", k4={"a": bytes(4096)}), "size", False),
        wrong("verdict", "final with pending", changed(VERDICT, k4=3, k5=14, k7=True)),
        wrong("verdict", "not final, but accepted", changed(VERDICT, k7=False)),
        wrong("verdict", "kept for seq 0", changed(VERDICT, k2=0, k4=5, k5=20), shape=False),
        wrong("verdict", "outcome 6", changed(VERDICT, k4=6)),
        wrong("verdict", "reserved reason", changed(VERDICT, k4=1, k5=25)),
        wrong("verdict", "text empty", changed(VERDICT, k9="")),
        wrong("verdict", "text of 65 bytes", changed(VERDICT, k9="x" * 65)),
        wrong("verdict", "text of 22 characters in 66 bytes", changed(VERDICT, k9="药" * 22)),
        wrong("verdict", "kept missing", changed(VERDICT, k8=TAKEN_AWAY)),
        wrong("verdict", "digest of 20 bytes", changed(VERDICT, k3=bytes(20))),
        wrong("verdict", "outcome in two bytes", third.swapped(good, b"\x04\x00\x05", b"\x04\x18\x00\x05"),
              "encoding", False),
        wrong("receipt", "upto 2^63", changed(RECEIPT, k2=1 << 63)),
        wrong("receipt", "digest missing", changed(RECEIPT, k3=TAKEN_AWAY)),
        wrong("receipt", "upto 0 with a digest", changed(RECEIPT, k2=0), shape=False),
        wrong("receipt", "unknown key", changed(RECEIPT, k6=0)),
        wrong("receipt", "head of 31 bytes", changed(RECEIPT, k5=bytes(31))),
        wrong("command", "counter 0", changed(COMMAND, k2=0)),
        wrong("command", "unknown name", changed(COMMAND, k3="open-door", k4={})),
        wrong("command", "arguments a list", changed(COMMAND, k4=[4])),
        wrong("command", "argument a float", changed(COMMAND, k4={"from": 4.0}), "encoding"),
        wrong("command", "argument's name twice",
              third.swapped(command, FROM_4, b"\xa2\x64from\x04\x64from\x05"), "encoding", False),
        wrong("command", "arguments' names in the order of the alphabet",
              changed(COMMAND, k3="settings", k4={"bb": 1, "c": 2}), "encoding", False),
        wrong("command", "arguments of indefinite length",
              third.swapped(command, FROM_4, b"\xbf\x64from\x04\xff"), "encoding", False),
        wrong("command", "seventeen lists inside each other",
              changed(COMMAND, k3="settings", k4={"a": nested(17)}), "encoding", False),
    ]  # fmt: skip


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


def of_device_messages() -> list[dict[str, Any]]:
    def wrong(name: str, payload: bytes) -> dict[str, Any]:
        return entry(name, "reply", "fields", third.mac0(payload, "reply", KID, MAC_KEY), shape=True)

    def sealed(
        name: str, why: str, shape: bool = False, payload: bytes = third.dumps(CREDENTIAL), **frame: Any
    ) -> dict[str, Any]:
        kid, nonce = frame.pop("kid", KID), frame.pop("nonce", NONCE)
        return entry(name, "credential", why, third.encrypt0(payload, kid, CREDENTIAL_KEY, nonce, **frame), shape=shape)

    reply = third.dumps(REPLY)
    good = third.encrypt0(third.dumps(CREDENTIAL), KID, CREDENTIAL_KEY, NONCE)
    short = third.dumps(cbor2.CBORTag(16, [cbor2.loads(good).value[0], {5: NONCE}, b"1234567"]))
    return [
        entry("a reply tagged as a command", "reply", "mac", third.mac0(reply, "command", KID, MAC_KEY)),
        entry("key id of the bridge", "reply", "kid", third.mac0(reply, "reply", BRIDGE_KID, MAC_KEY)),
        wrong("result empty", changed(REPLY, k3="")),
        wrong("details missing", changed(REPLY, k5=TAKEN_AWAY)),
        wrong("details with numbers as names", changed(REPLY, k5={1: 1})),
        sealed("nonce of 12 bytes", "frame", nonce=NONCE[:12], shape=True),
        sealed("tag of 16 bytes", "frame", alg=30, tag_bytes=16, shape=True),
        sealed("key id of another device", "kid", kid=b"d-window-02"),
        sealed("encrypted as another kind", "mac", kind="command"),
        sealed("no credential", "fields", payload=changed(CREDENTIAL, k3=b"")),
        sealed("credential as a text", "fields", payload=changed(CREDENTIAL, k3="2440")),
        entry("last bit of the tag flipped", "credential", "mac", good[:-1] + bytes((good[-1] ^ 1,))),
        entry("last bit of the nonce flipped", "credential", "mac",
              third.swapped(good, NONCE, NONCE[:-1] + bytes((NONCE[-1] ^ 1,)))),
        entry("shorter than its tag", "credential", "mac", short, shape=True),
        entry("a byte behind the message", "credential", "frame", good + b"\0"),
    ]  # fmt: skip


def made() -> str:
    return third.text_of(
        {
            "about": "Messages that must be refused, one fault each, made by make_malformed.py; see README.md.",
            "messages": of_scan_frame() + of_scan_payload() + of_heads() + of_bridge_messages() + of_device_messages(),
        }
    )


if __name__ == "__main__":
    (third.FOLDER / "malformed.json").write_text(made(), encoding="utf-8")
    sys.exit(0)
