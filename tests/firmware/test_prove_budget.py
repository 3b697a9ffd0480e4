"""What a signature costs on the scan path, and how long a slice of preparing one can take."""

import random

import pytest

from tests.firmware import signatures
from tests.firmware.interpreters import Device, Devices

_A_SLICE = 250  # field multiplications at 60-80 us: 20 ms; a division of Euclid costs less than one


@pytest.fixture(scope="module")
def counts(devices: Devices) -> Device:
    return devices.get("cpython", "prove_counts")


def test_a_signature_with_a_pair_is_one_hash_and_at_most_three_multiplications(counts: Device) -> None:
    for cost in counts.call("pooled"):
        assert cost["hashes"] == 1
        assert 1 <= cost["multiplications"] <= 3
        assert cost["divisions"] == 0


def test_a_signature_without_a_pair_is_at_most_900_multiplications(counts: Device) -> None:
    costs = counts.call("fallback", 50)
    assert min(cost["multiplications"] for cost in costs) > 700  # the counter counts
    assert max(cost["multiplications"] for cost in costs) <= 900
    assert counts.call("dearest_point")["multiplications"] <= 890


def test_no_slice_holds_the_loop_for_more_than_20_ms(counts: Device) -> None:
    costs = counts.call("slices")
    assert max(cost["multiplications"] + cost["divisions"] for cost in costs) <= _A_SLICE
    assert sum(cost["multiplications"] for cost in costs) > 16 * 700


def test_no_slice_of_a_verification_holds_the_loop_for_more_than_20_ms(counts: Device) -> None:
    for seed in range(5):
        costs, good = counts.call("verification", *signatures.good(random.Random(seed)))
        assert good
        assert max(cost["multiplications"] + cost["divisions"] for cost in costs) <= _A_SLICE
        assert 3_500 < sum(cost["multiplications"] for cost in costs) < 6_000  # 0.4 s on the chip
