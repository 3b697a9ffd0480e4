"""What changes a terminal, on real MicroPython: manifests and contents of updates, renewed certificates."""

import datetime
import random
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.fuzz.chance import cases, cbor, plain_map, told
from tests.fuzz.test_fuzz_device import Fuzzed
from tests.vectors import third

PAYLOAD = {1: 1, 2: "9.9.9", 3: 7, 4: "linux-x64-6.3", 5: 4000, 6: bytes(32), 7: 1_790_000_000_000, 8: 5}
PATHS = (b"scanlatch/app.mpy", b"scanlatch/../../a/scanlatch/app.mpy", b"/a/scanlatch/app.mpy", b"main.py", b"boot.py",
         b"scanlatch/", b"scanlatch//x", b"", b"scanlatch/\xff", b"scanlatch/" + b"x" * 200)  # fmt: skip


def _certificate() -> bytes:
    key, name = ec.derive_private_key(7, ec.SECP256R1()), x509.Name([])
    since = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, since, since.replace(year=2030))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _manifest(chance: random.Random) -> bytes:
    if chance.random() < 0.2:
        return cbor(chance)[:300]
    return third.dumps(plain_map(chance, PAYLOAD) if chance.random() < 0.7 else PAYLOAD)


def _content(chance: random.Random) -> bytes:
    made = b""
    for number in range(chance.randint(1, 3)):
        path = b"scanlatch/%d.mpy" % number if chance.random() < 0.7 else chance.choice(PATHS)
        body = chance.randbytes(chance.choice((0, 5, 300)))
        size = len(body) if chance.random() < 0.8 else chance.choice((1 << 31, 65_537, 0))
        length = len(path) if chance.random() < 0.8 else chance.choice((0, 255))
        made += bytes([length]) + path + size.to_bytes(4, "big") + body
    return made[: chance.choice((1024, 1024, 1025, 7))]


CASES: dict[str, tuple[int, list[bytes], Callable[[random.Random], bytes], set[str]]] = {
    "manifest": (60, [third.dumps(PAYLOAD)], _manifest, {"ok", "manifest", "other", "counter", "too", "no"}),
    "content": (60, [_content(random.Random(number)) for number in range(8)], _content, {"ok", "content"}),
    "certificate": (300, [_certificate()], lambda chance: chance.randbytes(chance.choice((0, 1, 40, 400))),
                    {"ok", "refused"}),
}  # fmt: skip


@pytest.mark.parametrize("kind", CASES)
def test_what_would_change_a_terminal_is_taken_or_refused_and_leaves_what_runs_alone(kind: str) -> None:
    count, corpus, make, answers = CASES[kind]
    seen: set[str] = set()
    desk = Fuzzed("fuzz_update_desk")
    try:
        for number, data in cases(count, corpus, make):
            answer = desk.meet(kind, number, data)
            assert answer in answers, f"{answer}: {told(number, data)}"
            seen.add(answer)
    finally:
        desk.close()
    assert len(seen) > 1
