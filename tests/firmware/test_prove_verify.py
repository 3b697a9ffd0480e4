"""ES256 verification on the device, against RFC 6979, OpenSSL, and what verifiers are known to have let pass."""

import hashlib
import os
import random

import pytest

from tests.firmware import signatures
from tests.firmware.interpreters import Device
from tests.firmware.signatures import Case, N, raw

_RANDOM = 1000 if os.environ.get("SCANLATCH_FULL") else 8
_SPECIAL = signatures.special()
# RFC 6979 A.2.5, SHA-256: r and s as printed there.
_KEY = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
_RFC = {
    b"sample": (
        0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
        0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8,
    ),
    b"test": (
        0xF1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367,
        0x019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083,
    ),
}


def _takes(desk: Device, case: Case) -> bool:
    return desk.call("verified", *case)[0]


def test_signatures_of_rfc_6979_are_good_in_their_low_form_alone(desk: Device) -> None:
    for message, (r, s) in _RFC.items():
        digest, low = hashlib.sha256(message).digest(), min(s, N - s)
        assert _takes(desk, (signatures.public(_KEY), digest, raw(r, low)))
        assert not _takes(desk, (signatures.public(_KEY), digest, raw(r, N - low)))
        assert not _takes(desk, (signatures.public(_KEY), hashlib.sha256(message + b".").digest(), raw(r, low)))


def test_no_special_case_is_let_pass_and_none_that_is_good_refused(desk: Device) -> None:
    wrong = {name for name, (case, good) in _SPECIAL.items() if _takes(desk, case) is not good}
    assert not wrong


@pytest.mark.parametrize("seed", range(0, _RANDOM, max(1, _RANDOM // 8)))
def test_random_signatures_are_judged_as_by_openssl(desk: Device, seed: int) -> None:
    for number in range(seed, seed + max(1, _RANDOM // 8)):
        dice = random.Random(number)
        good, altered = signatures.good(dice), signatures.altered(dice)
        assert _takes(desk, good), number
        assert _takes(desk, altered) == signatures.openssl_takes(altered), number


def test_the_special_cases_are_what_openssl_says_they_are() -> None:
    forms = ("key compressed", "key hybrid")  # which it takes, and the contract does not
    for name, (case, good) in _SPECIAL.items():
        assert name in forms or len(case[2]) != 64 or signatures.openssl_takes(case) is good, name


def test_a_verification_goes_in_slices(desk: Device) -> None:
    good, slices = desk.call("verified", *signatures.good(random.Random(1)))
    assert good
    assert 20 < slices < 60
