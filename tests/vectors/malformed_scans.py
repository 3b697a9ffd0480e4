"""The malformed scans: wrong frames, which claim nothing, and wrong payloads that the device did sign."""

from typing import Any

import cbor2

from tests.vectors import third
from tests.vectors.make_further import AT, DEVICE, GIVEN, SIGNING, record

KID = DEVICE.encode()
PREV = bytes.fromhex(GIVEN["scans"][-1]["digest"])
SEQ = len(GIVEN["scans"]) + 1
SCAN = record(SEQ, PREV)
TAKEN_AWAY = object()


def changed(values: dict[int, Any], **other: Any) -> bytes:
    """Payload with some keys (k1=, k16= ...) set to other values, or taken away."""
    values = values | {int(key[1:]): value for key, value in other.items()}
    return third.dumps({key: values[key] for key in sorted(values) if values[key] is not TAKEN_AWAY})


def entry(
    name: str, kind: str, why: str, message: bytes, *, shape: bool = False, claims: int | None = None
) -> dict[str, Any]:
    """`shape`: a wrong structure, that CDDL can see. `claims`: the seq that a scan claims nevertheless."""
    return {"name": name, "kind": kind, "why": why, "shape": shape, "claims": claims, "message": message.hex()}


def scan(payload: bytes, **frame: Any) -> bytes:
    return third.sign1(payload, frame.pop("kind", "scan"), frame.pop("kid", KID), frame.pop("key", SIGNING), **frame)


def of_scan_frame() -> list[dict[str, Any]]:
    good = scan(third.dumps(SCAN))
    frame = cbor2.loads(good).value
    payload = third.dumps(SCAN)
    flipped = bytearray(good)
    flipped[-1] ^= 1
    altered = bytearray(good)
    altered[good.index(b"83386520001941653320")] ^= 1
    order = third.ORDER.to_bytes(32)
    size = bytes((len(payload),)) + payload[:1]

    def rebuilt(protected: bytes = frame[0], proof: bytes = frame[3], more: tuple[Any, ...] = ()) -> bytes:
        return third.dumps(cbor2.CBORTag(18, [protected, {}, payload, proof, *more]))

    head = third.dumps({1: third.ES256, 4: KID})
    long_kid = b"\xa2\x01\x26\x04\x58\x0b" + KID
    return [
        entry("empty message", "scan", "frame", b"", shape=True),
        entry("tag of COSE_Mac0", "scan", "frame", scan(payload, tag=17), shape=True),
        entry("no tag", "scan", "frame", good[1:], shape=True),
        entry("tag in two bytes", "scan", "frame", b"\xd8\x12" + good[1:]),
        entry("another algorithm (EdDSA)", "scan", "frame", scan(payload, alg=-8), shape=True),
        entry("key id of another device", "scan", "kid", scan(payload, kid=b"d-window-02")),
        entry("key id as a text", "scan", "frame", scan(payload, kid=DEVICE), shape=True),
        entry("key id's length in two bytes", "scan", "frame", rebuilt(protected=long_kid)),
        entry("no key id", "scan", "frame", rebuilt(protected=third.dumps({1: third.ES256})), shape=True),
        entry("algorithm twice", "scan", "frame", rebuilt(protected=b"\xa3\x01\x26\x01\x26" + head[3:])),
        entry("headers in the wrong order", "scan", "frame", rebuilt(protected=b"\xa2" + head[3:] + b"\x01\x26")),
        entry("unprotected header not empty", "scan", "frame", scan(payload, unprotected={4: KID}), shape=True),
        entry("array of indefinite length", "scan", "frame", b"\xd2\x9f" + good[2:] + b"\xff"),
        entry("five items", "scan", "frame", rebuilt(more=(b"",)), shape=True),
        entry("cut off in the payload", "scan", "frame", good[:100], shape=True),
        entry("cut off in the signature", "scan", "frame", good[:-1], shape=True),
        entry("a byte behind the message", "scan", "frame", good + b"\0"),
        entry("payload length in two bytes", "scan", "frame", third.swapped(good, b"\x58" + size, b"\x59\x00" + size)),
        entry("signature of 63 bytes", "scan", "frame", rebuilt(proof=frame[3][:-1]), shape=True),
        entry("signature in DER", "scan", "frame", rebuilt(proof=b"\x30\x44" + frame[3][:68]), shape=True),
        entry("over 4,096 bytes", "scan", "size", scan(changed(SCAN, k10=bytes(4096))), shape=True),
        entry("high s", "scan", "signature", scan(payload, high=True)),
        entry("r is zero", "scan", "signature", rebuilt(proof=bytes(32) + frame[3][32:])),
        entry("s is zero", "scan", "signature", rebuilt(proof=frame[3][:32] + bytes(32))),
        entry("r is the order", "scan", "signature", rebuilt(proof=order + frame[3][32:])),
        entry("last bit of the signature flipped", "scan", "signature", bytes(flipped)),
        entry("one bit of the data flipped", "scan", "signature", bytes(altered)),
        entry("signed by another key", "scan", "signature", scan(payload, key=third.private_key(7))),
        entry("signed as a head", "scan", "signature", scan(payload, kind="head")),
    ]


def of_scan_payload() -> list[dict[str, Any]]:
    """Signed by the device itself: those whose seq reads claim it, and are error 20."""

    def wrong(name: str, why: str, payload: bytes, claims: int | None = SEQ, shape: bool = True) -> dict[str, Any]:
        return entry(name, "scan", why, scan(payload), shape=shape, claims=claims)

    good = third.dumps(SCAN)
    pairs = [(third.dumps(key), third.dumps(value)) for key, value in SCAN.items()]
    seq = pairs[1][1]
    swapped = [*pairs[:3], pairs[4], pairs[3], *pairs[5:]]
    return [
        # encoding
        wrong(
            "seq in two bytes",
            "encoding",
            third.swapped(good, b"\x02" + seq + b"\x03", b"\x02\x18" + seq + b"\x03"),
            shape=False,
        ),
        wrong("key in two bytes", "encoding", third.raw_map([(b"\x18\x01", b"\x01"), *pairs[1:]]), shape=False),
        wrong("map of indefinite length", "encoding", b"\xbf" + good[1:] + b"\xff", shape=False),
        wrong(
            "data of indefinite length",
            "encoding",
            third.swapped(changed(SCAN, k10=b"A"), b"\x41A", b"\x5f\x41A\xff"),
            shape=False,
        ),
        wrong("keys in the wrong order", "encoding", third.raw_map(swapped), shape=False),
        wrong("site twice", "encoding", third.raw_map([*pairs, pairs[-1]]), shape=False),
        wrong(
            "seq twice", "encoding", third.raw_map([*pairs[:2], (b"\x02", b"\x18\x63"), *pairs[2:]]), None, shape=False
        ),
        wrong("a byte behind the payload's map", "encoding", good + b"\0", None, shape=False),
        wrong("payload cut off", "encoding", good[:-1], None),
        wrong("payload empty", "encoding", b"", None),
        wrong("payload an array", "fields", third.dumps(list(SCAN.values())), None),
        wrong("uptime a float", "encoding", changed(SCAN, k7=90_000.5)),
        wrong("symbology in a tag", "encoding", changed(SCAN, k9=cbor2.CBORTag(1000, "]C0"))),
        wrong(
            "captured_at a bignum",
            "encoding",
            third.swapped(good, third.dumps(AT), b"\xc2\x46" + AT.to_bytes(6)),
            shape=False,
        ),
        wrong("session null", "fields", changed(SCAN, k12=None)),
        wrong("session undefined", "encoding", changed(SCAN, k12=cbor2.undefined)),
        wrong("site not UTF-8", "encoding", third.swapped(good, b"clinic-7", b"clinic-\xff")),
        wrong("key true for 1", "encoding", third.raw_map([(b"\xf5", b"\x01"), *pairs[1:]])),
        # fields
        wrong("unknown key", "fields", changed(SCAN, k17=0)),
        wrong("offline missing", "fields", changed(SCAN, k14=TAKEN_AWAY)),
        wrong("version 2", "fields", changed(SCAN, k1=2)),
        wrong("version true", "fields", changed(SCAN, k1=True)),
        wrong("seq 0", "fields", changed(SCAN, k2=0), None),
        wrong("seq 2^63", "fields", changed(SCAN, k2=1 << 63), None),
        wrong("seq negative", "fields", changed(SCAN, k2=-1), None),
        wrong("seq true", "fields", changed(SCAN, k2=True), None),
        wrong("seq missing", "fields", changed(SCAN, k2=TAKEN_AWAY), None),
        wrong("prev of 31 bytes", "fields", changed(SCAN, k3=bytes(31))),
        wrong("captured_at negative", "fields", changed(SCAN, k4=-1)),
        wrong("clock 3", "fields", changed(SCAN, k5=3)),
        wrong("boot true", "fields", changed(SCAN, k6=True)),
        wrong("operation 9", "fields", changed(SCAN, k8=9)),
        wrong("symbology as bytes", "fields", changed(SCAN, k9=b"]C0")),
        wrong("no data", "fields", changed(SCAN, k10=b"")),
        wrong("513 bytes of data", "fields", changed(SCAN, k10=bytes(513))),
        wrong("data as a text", "fields", changed(SCAN, k10="83386520001941653320")),
        wrong("family 0", "fields", changed(SCAN, k11=0)),
        wrong("session empty", "fields", changed(SCAN, k12="")),
        wrong("session of 33 characters", "fields", changed(SCAN, k12="A" * 33)),
        wrong("session with a space", "fields", changed(SCAN, k12="S 1")),
        wrong("operator with a letter beyond ASCII", "fields", changed(SCAN, k13="op-é")),
        wrong("offline 0", "fields", changed(SCAN, k14=0)),
        wrong("site in capitals", "fields", changed(SCAN, k15="Clinic-7")),
        wrong("site with a line feed", "fields", changed(SCAN, k15="clinic-7\n")),
        wrong("target without operation 7", "fields", changed(SCAN, k16=2)),
        wrong("operation 7 without target", "fields", changed(SCAN, k8=7, k11=5)),
        wrong("target 0", "fields", changed(SCAN, k8=7, k11=5, k16=0)),
    ]
