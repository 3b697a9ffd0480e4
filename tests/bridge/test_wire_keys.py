"""The bridge's keys, and the primitives under them, against published vectors and the contract's own."""

import hmac
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from host_bridge import wire
from host_bridge.wire import WireError
from tests.vectors import third
from tests.wire_peer import point

GIVEN = third.load("wire.json")
PRIMITIVES = third.load("primitives.json")
BRIDGE = third.private_key(int(GIVEN["bridge"]["private"], 16))
AGREEMENTS = [
    {
        "name": "given",
        "device": GIVEN["device"],
        **GIVEN["agreement"],
        "ecdh_z": GIVEN["ecdh_z"],
        "mac_key": GIVEN["mac_key"],
        "credential_key": GIVEN["credential_key"],
    },
    *third.load("further.json")["agreements"],
]


def raw(case: dict[str, Any], *names: str) -> list[bytes]:
    return [bytes.fromhex(case[name]) for name in names]


@pytest.mark.parametrize("case", AGREEMENTS, ids=lambda case: case["name"])
def test_both_sides_derive_the_same_keys(case: dict[str, str]) -> None:
    device_key = third.private_key(int(case["private"], 16))
    for keys in (
        wire.derive(BRIDGE, bytes.fromhex(case["public"]), case["device"]),
        wire.derive(device_key, point(BRIDGE), case["device"]),
    ):
        assert (keys.mac.hex(), keys.credential.hex()) == (case["mac_key"], case["credential_key"])
        assert case["mac_key"] not in repr(keys)
    assert BRIDGE.exchange(ec.ECDH(), device_key.public_key()).hex() == case["ecdh_z"]


def test_the_bridges_key_id_is_of_its_point() -> None:
    assert wire.bridge_kid(point(BRIDGE)).hex() == GIVEN["bridge"]["kid"]


@pytest.mark.parametrize("case", PRIMITIVES["points_off_p256"]["cases"], ids=lambda case: case["name"])
def test_a_point_that_is_none_is_refused(case: dict[str, str]) -> None:
    with pytest.raises(WireError) as refused:
        wire.derive(BRIDGE, bytes.fromhex(case["point"]), "d-1")
    assert refused.value.why == "key"


@pytest.mark.parametrize("case", PRIMITIVES["aes_ccm_16_64_128"]["cases"], ids=lambda case: case["name"])
def test_aes_ccm_is_as_published(case: dict[str, str]) -> None:
    key, nonce, aad, plaintext, ciphertext = raw(case, "key", "nonce", "aad", "plaintext", "ciphertext")
    assert AESCCM(key, tag_length=8).encrypt(nonce, plaintext, aad) == ciphertext


@pytest.mark.parametrize("case", PRIMITIVES["hmac_sha256"]["cases"], ids=range(4))
def test_hmac_is_as_published(case: dict[str, str]) -> None:
    key, data, tag = raw(case, "key", "data", "tag")
    assert hmac.digest(key, data, "sha256") == tag


@pytest.mark.parametrize("case", PRIMITIVES["hkdf_sha256"]["cases"], ids=range(1))
def test_hkdf_is_as_published(case: dict[str, Any]) -> None:
    ikm, info, okm = raw(case, "ikm", "info", "okm")
    assert HKDF(hashes.SHA256(), case["length"], salt=None, info=info).derive(ikm) == okm


@pytest.mark.parametrize("case", PRIMITIVES["ecdh_p256"]["cases"], ids=range(1))
def test_ecdh_is_as_published(case: dict[str, str]) -> None:
    own, peer = (third.private_key(int(case[name], 16)) for name in ("private", "peer_private"))
    assert (point(own).hex(), point(peer).hex()) == (case["public"], case["peer_public"])
    assert own.exchange(ec.ECDH(), peer.public_key()).hex() == case["z"]


@pytest.mark.parametrize("case", PRIMITIVES["ecdsa_p256_sha256"]["cases"], ids=range(2))
def test_rfc_6979_is_as_published_but_for_the_low_s(case: dict[str, str]) -> None:
    key = third.private_key(int(PRIMITIVES["ecdsa_p256_sha256"]["private"], 16))
    assert point(key).hex() == PRIMITIVES["ecdsa_p256_sha256"]["public"]
    assert third.signature(key, bytes.fromhex(case["message"])).hex() == case["r"] + case["low_s"]
    assert int(case["low_s"], 16) in (int(case["s"], 16), third.ORDER - int(case["s"], 16))
