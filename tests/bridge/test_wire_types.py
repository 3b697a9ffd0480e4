"""What is validly sealed is read strictly all the same: no value of another type, and no size beyond the contract's."""

from collections.abc import Callable
from typing import Any

import cbor2
import pytest

from host_bridge import cose, wire
from host_bridge.wire import WireError
from tests.bridge.test_wire_refusals import OPEN
from tests.bridge.test_wire_vectors import BRIDGE_KID, DEVICE, GIVEN, MAC_KEY, PEER, SIGNER
from tests.vectors import third

KINDS = ["scans", "heads", "replies", "credentials", "verdicts", "receipts", "commands"]
SEAL: dict[str, Callable[[bytes], bytes]] = {
    "scan": PEER.seal_scan_payload,
    "head": lambda payload: third.sign1(payload, "head", PEER.kid, PEER.signing),
    "reply": lambda payload: third.mac0(payload, "reply", PEER.kid, MAC_KEY),
    "credential": lambda payload: third.encrypt0(payload, PEER.kid, PEER.keys.credential, bytes(13)),
    "verdict": lambda payload: third.mac0(payload, "verdict", BRIDGE_KID, MAC_KEY),
    "receipt": lambda payload: third.mac0(payload, "receipt", BRIDGE_KID, MAC_KEY),
    "command": lambda payload: third.mac0(payload, "command", BRIDGE_KID, MAC_KEY),
}
OTHERS: list[object] = [True, False, 0, 1, 2, -1, 1.0, b"\1" * 8, b"\1" * 32, "1", "sale", [], [1], [[1, 2]], {}, None]
NO_RANGES: list[list[object]] = [
    *([1], [[1]], [[1, 2, 3]], [["1", 2]], [[True, 2]], [[1, 2.0]], [b"\1\2"]),
    *([[2, 1]], [[1, 2], [2, 3]], [[0, 1]]),
]
HEAD_SIZES = [1, 23, 24, 255, 256]  # at which the length of a byte string takes a byte more


def _is_read(kind: str, payload: dict[int, object]) -> bool:
    try:
        opened: Any = OPEN[kind](SEAL[kind](third.dumps(payload)))
    except WireError as error:
        assert error.why in ("fields", "encoding"), error
        return False
    return kind != "scan" or opened.scan is not None


@pytest.mark.parametrize("entries", KINDS)
def test_a_value_of_another_type_is_never_read(entries: str) -> None:
    kind = "reply" if entries == "replies" else entries[:-1]
    payloads: list[dict[int, object]] = [cbor2.loads(bytes.fromhex(one["payload"])) for one in GIVEN[entries]]
    for payload in {frozenset(one): one for one in payloads}.values():  # one for each choice of fields
        assert _is_read(kind, payload)
        for key, value in payload.items():
            for other in OTHERS:
                if type(other) is not type(value):
                    assert not _is_read(kind, {**payload, key: other}), (key, other)


@pytest.mark.parametrize("ranges", NO_RANGES, ids=str)
def test_what_are_no_ranges_in_order_is_not_taken_for_lost_records(ranges: list[object]) -> None:
    payload: dict[int, object] = cbor2.loads(bytes.fromhex(GIVEN["heads"][2]["payload"]))
    (key,) = [key for key, value in payload.items() if isinstance(value, list)]
    assert _is_read("head", payload)
    assert not _is_read("head", {**payload, key: ranges})


@pytest.mark.parametrize("size", [*HEAD_SIZES, cose.MAX_MESSAGE - 128])
def test_a_payload_at_each_edge_of_its_head_goes_both_ways(size: int) -> None:
    payload = b"\x7f" * size
    assert cose.seal_mac0(payload, BRIDGE_KID, third.aad("reply"), MAC_KEY) == third.mac0(
        payload, "reply", BRIDGE_KID, MAC_KEY
    )
    signed = cose.seal_sign1(payload, PEER.kid, third.aad("scan"), PEER.signing)
    assert cose.open_sign1(signed, PEER.kid, third.aad("scan"), SIGNER) == payload


@pytest.mark.parametrize("seal", [cose.seal_mac0, cose.seal_sign1])
def test_a_payload_beyond_the_limit_is_not_sealed(seal: Callable[..., bytes]) -> None:
    key = MAC_KEY if seal is cose.seal_mac0 else PEER.signing
    with pytest.raises(WireError) as refused:
        seal(bytes(cose.MAX_MESSAGE - 127), PEER.kid, third.aad("scan"), key)
    assert refused.value.why == "size"


def test_a_message_of_the_most_bytes_is_read_and_one_of_a_byte_more_is_not() -> None:
    frame = len(third.mac0(bytes(1000), "reply", PEER.kid, MAC_KEY)) - 1000
    for more in (0, 1):
        message = third.mac0(bytes(wire.MAX_MESSAGE - frame + more), "reply", PEER.kid, MAC_KEY)
        assert len(message) == 4096 + more
        with pytest.raises(WireError) as refused:
            wire.open_reply(message, MAC_KEY, DEVICE)
        assert refused.value.why == ("size" if more else "encoding")
