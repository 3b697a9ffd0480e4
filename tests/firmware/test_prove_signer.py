"""The signer on the device: every signature verifies, and no nonce is ever used twice."""

import os

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from tests.firmware.interpreters import Device, Devices

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
LIMIT = 16
_KEY = bytes.fromhex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721")
_PUBLIC = ec.derive_private_key(int.from_bytes(_KEY, "big"), ec.SECP256R1()).public_key()
_A_CALL = 25  # signatures at a time


@pytest.fixture(scope="module", params=["unix", "wasm"])
def terminal(request: pytest.FixtureRequest, devices: Devices) -> Device:
    """MicroPython with big-number digits of 32 bits, then of 16 bits as on the ESP32."""
    return devices.get(request.param, "prove_desk")


@pytest.fixture(scope="module")
def unix(devices: Devices) -> Device:
    return devices.get("unix", "prove_desk")


def _sign(device: Device, count: int, pool: bool) -> list[tuple[bytes, bytes]]:
    """Message and signature, `count` times."""
    made: list[bytes] = []
    for first in range(0, count, _A_CALL):
        made += device.call("sign_many", first, min(_A_CALL, count - first), pool)
    return [(number.to_bytes(4, "big"), signature) for number, signature in enumerate(made)]


def _verify(message: bytes, signature: bytes) -> None:
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    assert len(signature) == 64
    assert s <= N // 2
    _PUBLIC.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))


def _nonces(device: Device, boot: int, seed: bytes | None) -> list[bytes]:
    device.call("new_signer", _KEY, boot, seed)
    return [signature[:32] for _, signature in _sign(device, 200, pool=True)]


def test_a_thousand_signatures_verify(terminal: Device) -> None:
    seed = os.urandom(32)
    terminal.call("new_signer", _KEY, 1, seed)
    for pool in (True, False):
        for message, signature in _sign(terminal, 1000, pool):
            try:
                _verify(message, signature)
            except Exception as error:
                raise AssertionError(f"message {message.hex()}, pool {pool}, seed {seed.hex()}") from error


def test_a_stuck_random_generator_repeats_no_nonce(unix: Device) -> None:
    used = [r for boot in (1, 2, 3) for r in _nonces(unix, boot, None)]
    assert len(used) == 600
    assert len(set(used)) == 600


def test_a_stuck_boot_counter_repeats_no_nonce(unix: Device) -> None:
    seeds = [os.urandom(32) for _ in range(3)]
    used = [r for seed in seeds for r in _nonces(unix, 7, seed)]
    assert len(used) == 600
    assert len(set(used)) == 600, seeds


def test_only_generator_and_counter_stuck_together_repeat_a_nonce(unix: Device) -> None:
    assert _nonces(unix, 7, None) == _nonces(unix, 7, None)


def test_a_pair_lost_to_a_fault_never_comes_back(desk: Device) -> None:
    desk.call("new_signer", _KEY, 1, None)
    desk.call("fill")
    lost = [desk.call("sign_without_memory", b"box") for _ in range(3)]
    assert desk.call("ready") == LIMIT - 3
    assert desk.call("wiped")
    signed = _sign(desk, 2 * LIMIT, pool=True)
    used = [signature[:32] for _, signature in signed]
    assert len({*used, *lost}) == len(used) + len(lost)
    for message, signature in signed:
        _verify(message, signature)


def test_a_slice_that_fails_takes_its_nonce_with_it(desk: Device) -> None:
    desk.call("new_signer", _KEY, 1, None)
    assert desk.call("fill_with_faults", 97) > 5
    signed = _sign(desk, LIMIT, pool=True)
    assert len({signature[:32] for _, signature in signed}) == LIMIT
    for message, signature in signed:
        _verify(message, signature)


def test_the_pool_holds_no_more_than_its_limit(desk: Device) -> None:
    desk.call("new_signer", _KEY, 1, b"seed")
    assert desk.call("ready") == 0
    desk.call("fill")
    desk.call("fill")
    assert desk.call("ready") == LIMIT


def test_an_empty_pool_signs_without_randomness(desk: Device) -> None:
    desk.call("new_signer", _KEY, 1, b"seed")
    first = desk.call("sign", b"box")
    desk.call("new_signer", _KEY, 2, b"other seed")
    assert desk.call("sign", b"box") == first
    _verify(b"box", first)


def test_a_signer_without_a_proper_key_or_boot_is_refused(desk: Device) -> None:
    for key, boot in ((bytes(32), 1), (_KEY[1:], 1), (N.to_bytes(32, "big"), 1), (_KEY, -1), (_KEY, 1 << 32)):
        refused = desk.refusal("new_signer", key, boot, b"seed")
        assert refused and refused.kind == "ValueError"
