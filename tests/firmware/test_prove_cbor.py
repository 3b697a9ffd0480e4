"""Deterministic CBOR on the device: one form goes out, and only that form comes in."""

import pytest

from tests.firmware.interpreters import Device

# RFC 8949 appendix A, the rows whose types the contract knows.
_RFC: list[tuple[object, str]] = [
    (0, "00"),
    (1, "01"),
    (10, "0a"),
    (23, "17"),
    (24, "1818"),
    (25, "1819"),
    (100, "1864"),
    (1000, "1903e8"),
    (1000000, "1a000f4240"),
    (1000000000000, "1b000000e8d4a51000"),
    (18446744073709551615, "1bffffffffffffffff"),
    (-18446744073709551616, "3bffffffffffffffff"),
    (-1, "20"),
    (-10, "29"),
    (-100, "3863"),
    (-1000, "3903e7"),
    (False, "f4"),
    (True, "f5"),
    (None, "f6"),
    (b"", "40"),
    (b"\x01\x02\x03\x04", "4401020304"),
    ("", "60"),
    ("a", "6161"),
    ("IETF", "6449455446"),
    ('"\\', "62225c"),
    ("\u00fc", "62c3bc"),
    ("\u6c34", "63e6b0b4"),
    ("\U00010151", "64f0908591"),
    ([], "80"),
    ([1, 2, 3], "83010203"),
    ([1, [2, 3], [4, 5]], "8301820203820405"),
    (list(range(1, 26)), "98190102030405060708090a0b0c0d0e0f101112131415161718181819"),
    ({}, "a0"),
    ({1: 2, 3: 4}, "a201020304"),
    ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
    (["a", {"b": "c"}], "826161a161626163"),
    ({"a": "A", "b": "B", "c": "C", "d": "D", "e": "E"}, "a56161614161626142616361436164614461656145"),
]
_EDGES = [1 << 8, 1 << 16, 1 << 32, (1 << 63) - 1]

_REFUSED = {
    "nothing": "",
    "bytes left over": "0000",
    "integer that fits a shorter form, 1 byte": "1817",
    "integer that fits a shorter form, 2 bytes": "1900ff",
    "integer that fits a shorter form, 4 bytes": "1a0000ffff",
    "integer that fits a shorter form, 8 bytes": "1b00000000ffffffff",
    "length that fits a shorter form": "5801ff",
    "array count that fits a shorter form": "980101",
    "map count that fits a shorter form": "b8010101",
    "tag that fits a shorter form": "d81200",
    "reserved additional information": "1c",
    "reserved additional information 28 with 16 bytes": "1c80" + "00" * 15,
    "reserved additional information 29 with 32 bytes": "1d80" + "00" * 31,
    "reserved additional information 31 with 128 bytes": "1f80" + "00" * 127,
    "indefinite byte string": "5f4101ff",
    "indefinite text": "7f6161ff",
    "indefinite array": "9f01ff",
    "indefinite map": "bf0102ff",
    "break alone": "ff",
    "integer cut short": "19ff",
    "byte string cut short": "420a",
    "byte string far longer than the message": "5bffffffffffffffff",
    "text cut short": "6261",
    "array cut short": "8201",
    "array far longer than the message": "9bffffffffffffffff",
    "map cut short": "a101",
    "map of more pairs than bytes": "baffffffff",
    "tag with nothing": "d2",
    "map keys out of order": "a203010102",
    "the same map key twice": "a201010102",
    "longer key before a shorter": "a2626161016162 02",
    "true where the key 1 stands": "a20101f502",
    "map key that is bytes": "a1410101",
    "map key that is an array": "a18001",
    "float of 16 bits": "f90000",
    "float of 32 bits": "fa00000000",
    "float of 64 bits": "fb0000000000000000",
    "undefined": "f7",
    "simple value of one byte": "f8ff",
    "simple value 0": "e0",
    "text that is not UTF-8": "61ff",
    "text cut inside a character": "62e6b0",
    "text with an overlong form": "62c0af",
    "text with an overlong form of three bytes": "63e080af",
    "text with a surrogate": "63eda080",
    "text above U+10FFFF": "64f4908080",
}


def test_rows_of_rfc_8949_go_out_and_come_in(desk: Device) -> None:
    for value, encoded in _RFC:
        assert desk.call("cbor.dumps", value).hex() == encoded, value
        assert desk.call("cbor.loads", bytes.fromhex(encoded)) == value, encoded


def test_no_integer_at_an_edge_of_the_forms_changes(desk: Device) -> None:
    for edge in _EDGES:
        for value in (edge - 1, edge, -edge, -edge - 1):
            assert desk.call("cbor.loads", desk.call("cbor.dumps", value)) == value


def test_map_keys_go_out_in_bytewise_order(desk: Device) -> None:
    mixed = {"b": 0, 100: 0, -1: 0, "aa": 0, 9: 0, "": 0, 10: 0}
    assert desk.call("cbor.dumps", mixed).hex() == "a709000a001864002000600061620062616100"


@pytest.mark.parametrize("what", _REFUSED)
def test_not_deterministic_is_refused(desk: Device, what: str) -> None:
    refused = desk.refusal("cbor.loads", bytes.fromhex(_REFUSED[what]))
    assert refused and refused.kind == "CborError"


def test_nesting_is_bounded(desk: Device) -> None:
    assert desk.call("cbor.loads", b"\x81" * 7 + b"\x80")
    refused = desk.refusal("cbor.loads", b"\x81" * 8 + b"\x80")
    assert refused and refused.kind == "CborError"


def test_size_is_bounded(desk: Device) -> None:
    longest = b"\x59\x0f\xfd" + bytes(4093)
    assert len(longest) == 4096
    assert desk.call("cbor.loads", longest) == bytes(4093)
    refused = desk.refusal("cbor.loads", b"\x59\x0f\xfe" + bytes(4094))
    assert refused and refused.kind == "CborError"


def test_what_cbor_cannot_hold_is_refused(desk: Device) -> None:
    for value in (1 << 64, -(1 << 64) - 1, 1.5):
        refused = desk.refusal("cbor.dumps", value)
        assert refused and refused.kind == "CborError", value
