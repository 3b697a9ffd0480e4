"""What changes a terminal, on real MicroPython: manifests and contents of updates, renewed certificates."""

import datetime
import hashlib
import random
from collections.abc import Callable, Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from host_bridge import bundle
from tests.fuzz.chance import cases, cbor, plain_map, told
from tests.fuzz.test_fuzz_device import Fuzzed
from tests.vectors import third

RELEASE = ec.derive_private_key(int.from_bytes(range(1, 33)), ec.SECP256R1())  # update_desk's
FAMILY = "linux-x64-6.3"
PAYLOAD = {1: 1, 2: "9.9.9", 3: 7, 4: FAMILY, 5: 4000, 6: bytes(32), 7: 1_790_000_000_000, 8: 5}
PATHS = (b"scanlatch/app.mpy", b"scanlatch/../../a/scanlatch/app.mpy", b"/a/scanlatch/app.mpy", b"main.py", b"boot.py",
         b"scanlatch/", b"scanlatch//x", b"", b"scanlatch/\xff", b"scanlatch/" + b"x" * 200)  # fmt: skip
_UPDATE = {"scanlatch/app.mpy": b"new " * 90, "scanlatch/keep/ring.mpy": b"ring", "scanlatch/keep_.mpy": b"x"}
_TAKEN = ("scanlatch/a-b_c.9/Z.mpy", "scanlatch/..mpy", "scanlatch/a../b", "scanlatch/.a", "scanlatch/" + "x" * 53)
# Each breaks one rule of a path, and nothing else of the content. Slot a is what runs.
_REFUSED = (
    b"scanlatch/../../a/scanlatch/app.mpy", b"scanlatch/../../boot.py", b"scanlatch/../../x", b"scanlatch/../x",
    b"scanlatch/..", b"scanlatch/./x", b"scanlatch//x", b"scanlatch/x/", b"scanlatch/", b"scanlatch", b"", b"x",
    b"/a/scanlatch/app.mpy", b"/scanlatch/x", b"../a/scanlatch/app.mpy", b"main.py", b"boot.py", b"scanlatc/x",
    b"scanlatchx/x", b"whole", b"part", b"next", b"scanlatch/" + b"x" * 54, b"scanlatch/" + b"x" * 200,
    *(b"scanlatch/" + bytes([byte]) + b".mpy" for byte in b"\x00\x1f !,:;@[\\^`{\x7f\x80\xff"),
)  # fmt: skip


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
    "manifest": (40, [third.dumps(PAYLOAD)], _manifest, {"ok", "manifest", "other", "counter", "too", "no"}),
    "content": (30, [_content(random.Random(number)) for number in range(8)], _content, {"ok", "content"}),
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


def test_a_manifest_that_is_signed_and_has_another_shape_is_refused() -> None:
    wrong: list[object] = [[0] * 8, "x" * 8, bytes(8), 8, None, {}, {**PAYLOAD, 9: 1}]
    wrong += [{key: value for key, value in PAYLOAD.items() if key != gone} for gone in PAYLOAD]
    for key in PAYLOAD:
        wrong += [{**PAYLOAD, key: None}, {**PAYLOAD, key: True}, {**PAYLOAD, key: 5 if key in (2, 4, 6) else -1}]
    wrong += [{**PAYLOAD, **more} for more in ({1: 2}, {2: ""}, {2: "9" * 17}, {6: bytes(31)}, {6: bytes(33)})]
    desk = Fuzzed("fuzz_update_desk")
    try:
        for number, payload in enumerate(wrong):
            data = third.dumps(payload)
            assert desk.meet("manifest", number, data) == "manifest", told(number, data)
    finally:
        desk.close()


def _written(files: list[tuple[bytes, bytes]]) -> bytes:
    """A content as nobody checks it."""
    return b"".join(bytes([len(path)]) + path + len(data).to_bytes(4) + data for path, data in files)


def _delivery(
    content: bytes, files: int, counter: int = 7, digest: bytes | None = None, size: int | None = None
) -> bytes:
    """All of an update, signed by the release key: for met_delivery."""
    named = hashlib.sha256(content).digest() if digest is None else digest
    manifest = bundle.Manifest("9.9.9", counter, FAMILY, len(content) if size is None else size, named, 0, files)
    signed, rest = bundle.parts(bundle.seal(manifest, content, RELEASE))
    return len(signed).to_bytes(2) + signed + rest


def _is_taken_by_the_bridge(content: bytes) -> bool:
    try:
        return bool(bundle.unpacked(content))
    except bundle.BundleError:
        return False


def _deliveries() -> Iterator[tuple[bytes, bool]]:
    """(Update, whether both sides take it): each breaks at most one rule, and is signed."""
    right = [(path.encode(), data) for path, data in _UPDATE.items()]
    for path in _TAKEN:
        files = sorted([*right, (path.encode(), b"y")])
        yield _delivery(_written(files), 4), True
    for bad in _REFUSED:
        yield _delivery(_written([(bad, b"y")]), 1), False
        yield _delivery(_written(sorted([*right, (bad, b"y")])), 4), False
    content = _written(right)
    yield _delivery(content, 3), True
    yield _delivery(_written([right[1], right[0], right[2]]), 3), False
    yield _delivery(_written([right[0], right[0], *right[1:]]), 4), False
    yield _delivery(content, 2), False
    yield _delivery(content, 3, digest=bytes(32)), False
    yield _delivery(content, 3, size=len(content) - 1), False
    yield _delivery(content, 3, size=len(content) + 1), False
    yield _delivery(_written([(right[0][0], bytes(65_536))]), 1), True
    yield _delivery(_written([(right[0][0], bytes(65_537))]), 1), False


def test_an_update_is_taken_by_terminal_and_bridge_or_by_neither() -> None:
    """All of it is signed; what is wrong is one thing in the content alone. Then contents from the seed."""
    desk = Fuzzed("fuzz_update_desk")
    try:
        for number, (data, taken) in enumerate(_deliveries()):
            assert (desk.meet("delivery", number, data) == "ok") == taken, told(number, data[:2000])
        for number, content in cases(12, [_written([(b"scanlatch/a.mpy", b"x"), (b"scanlatch/b/c.mpy", b"yy")])]):
            files = max(1, content.count(b"scanlatch/"))
            if content:
                said = desk.meet("delivery", number, _delivery(content[:4000], files))
                assert said != "ok" or _is_taken_by_the_bridge(content[:4000]), told(number, content)
    finally:
        desk.close()
