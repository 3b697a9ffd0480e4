"""HMAC, HKDF and AES-CCM on the device, against the standards' own vectors and OpenSSL's answers."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from tests.firmware.interpreters import Device, Devices

# RFC 4231 4.2 to 4.8, without the truncated one: key, data, HMAC-SHA-256.
_HMAC = [
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (bytes(range(1, 26)), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        b"\xaa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data. "
        b"The key needs to be hashed before being used by the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
]

_CCM_KEY = bytes(range(0xC0, 0xD0))
# RFC 3610 8, packet vectors 1 to 6: first bytes of the nonce, header, end of the packet's count, sealed packet.
_CCM = [
    ("00000003020100", 8, 0x1F, "588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0"),
    ("00000004030201", 8, 0x20, "72c91a36e135f8cf291ca894085c87e3cc15c439c9e43a3ba091d56e10400916"),
    ("00000005040302", 8, 0x21, "51b1e5f44a197d1da46b0f8e2d282ae871e838bb64da8596574adaa76fbd9fb0c5"),
    ("00000006050403", 12, 0x1F, "a28c6865939a9a79faaa5c4c2a9d4a91cdac8c96c861b9c9e61ef1"),
    ("00000007060504", 12, 0x20, "dcf1fb7b5d9e23fb9d4e131253658ad86ebdca3e51e83f077d9c2d93"),
    ("00000008070605", 12, 0x21, "6fc1b011f006568b5171a42d953d469b2570a4bd87405a0443ac91cb94"),
]


@pytest.fixture(scope="module")
def with_aes(devices: Devices) -> Device:
    """MicroPython's unix port: the only one of the three that has AES."""
    return devices.get("unix", "prove_desk")


def test_hmac_gives_rfc_4231(desk: Device) -> None:
    for key, data, expected in _HMAC:
        assert desk.call("hashes.hmac_sha256", key, data).hex() == expected
        assert desk.call("hashes.hmac_sha256", key, data[:5], b"", data[5:]).hex() == expected


def test_hmac_agrees_at_every_key_length_around_a_block(desk: Device) -> None:
    for size in (0, 1, 31, 32, 63, 64, 65, 128):
        key = bytes(range(1, size + 1))
        assert desk.call("hashes.hmac_sha256", key, b"scan") == hmac.digest(key, b"scan", "sha256")


def test_hkdf_gives_rfc_5869_without_salt(desk: Device) -> None:
    expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    for length in (1, 16, 32, 33, 42):
        assert desk.call("keys.hkdf_sha256", b"\x0b" * 22, b"", length).hex() == expected[: 2 * length]


def test_hkdf_refuses_a_length_that_it_cannot_give(desk: Device) -> None:
    for length in (0, 255 * 32 + 1):
        assert desk.refusal("keys.hkdf_sha256", b"secret", b"", length)


def test_comparison_sees_a_difference_anywhere(desk: Device) -> None:
    tag = hashlib.sha256(b"tag").digest()
    assert desk.call("hashes.same", tag, tag)
    assert not desk.call("hashes.same", tag, tag[:31])
    assert not desk.call("hashes.same", tag, b"")
    for at in range(32):
        assert not desk.call("hashes.same", tag, tag[:at] + bytes([tag[at] ^ 1]) + tag[at + 1 :])


def test_ccm_gives_rfc_3610(with_aes: Device) -> None:
    for first, header, end, sealed in _CCM:
        nonce = bytes.fromhex(first) + bytes(range(0xA0, 0xA6))
        packet = bytes(range(end))
        assert with_aes.call("seal", _CCM_KEY, nonce, packet[:header], packet[header:]).hex() == sealed


def test_ccm_agrees_with_openssl_at_every_length(with_aes: Device) -> None:
    other = AESCCM(_CCM_KEY, tag_length=8)
    nonce = bytes(range(13))
    for size in range(66):
        for aad in (b"", b"a", bytes(14), bytes(range(40))):
            text = bytes(range(size))
            assert with_aes.call("seal", _CCM_KEY, nonce, aad, text) == other.encrypt(nonce, text, aad), (size, aad)


def test_ccm_refuses_wrong_lengths(with_aes: Device) -> None:
    key, nonce = bytes(16), bytes(13)
    assert with_aes.refusal("seal", bytes(32), nonce, b"", b"x")
    assert with_aes.refusal("seal", key, bytes(12), b"", b"x")
    assert with_aes.refusal("seal", key, nonce, bytes(4097), b"x")
    assert with_aes.refusal("seal", key, nonce, b"", bytes(4097))
