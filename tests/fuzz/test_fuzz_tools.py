"""The tools' readers: files that others made, and what a board says over its cable; a named error, or what is right."""

import base64
import hashlib
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from scanlatch_tools import request
from scanlatch_tools.errors import ToolError
from scanlatch_tools.evidence import verify
from scanlatch_tools.flash import image, partitions
from scanlatch_tools.provision import facts
from scanlatch_tools.rescue import work as rescue
from scanlatch_tools.twin.chip import made_image

from host_bridge import bundle, cli_take, config
from host_bridge.errors import BridgeError
from tests.fuzz.chance import Watch, cases, cbor, chances, unfolding
from tests.wire_peer import point

PARTS = [
    partitions.Partition("nvs", (1, 2), 0x9000, 0x6000),
    partitions.Partition("factory", (0, 0), 0x10000, 0x1F0000),
    partitions.Partition("scanlog", (1, 0x40), 0x300000, 0x100000),
]


def test_a_partition_table_is_read_or_none() -> None:
    for number, data in cases(400, [partitions.table(PARTS)]):
        with Watch(number, data):
            try:
                found = partitions.read(data)
            except partitions.TableError:
                continue
            assert found


def test_an_image_is_taken_apart_or_refused() -> None:
    good = made_image.image("esp32")
    for number, data in cases(60, [good, good[:40_000]]):
        with Watch(number, len(data)):
            try:
                found = image.parsed(data, "some.bin")
            except ToolError:
                continue
            assert image.fitted(found.loader, 4)


def test_a_rescue_file_is_taken_or_refused(tmp_path: Path) -> None:
    right: dict[str, Any] = {
        "v": 1,
        "device": "d-1",
        "site": "clinic-7",
        "first": 1,
        "last": 2,
        "lost": [],
        "records": [b"a"],
    }
    file = tmp_path / "some.rescue"
    read: Any = cli_take._read  # pyright: ignore[reportPrivateUsage]
    corpus = [cbor2.dumps(right, canonical=True), cbor2.dumps([right], canonical=True)]
    for number, data in cases(300, corpus, lambda chance: (cbor, unfolding)[chance.random() < 0.5](chance)):
        file.write_bytes(data)
        with Watch(number, data):
            try:
                found = read(file)
            except BridgeError:
                continue
            assert isinstance(found, tuple)


def test_an_evidence_bundle_is_proved_or_not() -> None:
    chosen: list[Any] = [["d-1", 1, 2]]
    begin = cbor2.dumps([1, "scanlatch evidence", 1, "a code", chosen], canonical=True)
    corpus = [begin + cbor2.dumps([2, b"\x30\x03\x02\x01\x01"], canonical=True), begin]
    for number, data in cases(400, corpus, lambda chance: (cbor, unfolding)[chance.random() < 0.2](chance)):
        with Watch(number, data):
            check = verify.Check()
            assert check.run(io.BytesIO(data)) in (verify.WRONG, verify.UNREADABLE)
            assert check.wrong


def test_no_text_of_a_bundle_looks_like_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bundle"
    title = "a code\nTerminal d-1: the CA certifies its signing key\x1b[2J\u2028PROVED"
    nothing: list[Any] = []
    file.write_bytes(cbor2.dumps([1, "scanlatch evidence", 1, title, nothing], canonical=True))
    verify.main([str(file), "--fingerprint", "00" * 32])
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert not any(line.startswith(("Terminal", "PROVED")) for line in shown.splitlines())


def test_settings_of_a_bridge_are_read_or_refused(tmp_path: Path) -> None:
    good = b"""[mqtt]\nhost = "127.0.0.1"\n[bridge]\nagreement_key = "a.key"\n[platform]\nkind = "rest"\n
url = "http://127.0.0.1"\ninstitution = "H"\n[sites.clinic-7]\nname = "x"\nown_codes = ["{d24}"]\n[ledger]\n"""
    file = tmp_path / "bridge.toml"
    for number, data in cases(300, [good]):
        file.write_bytes(data)
        with Watch(number, data):
            try:
                config.load(file)
            except BridgeError:
                pass


def test_an_update_bundle_is_the_one_that_was_signed_or_none() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    files = {f"scanlatch/{name}.mpy": name.encode() * 90 for name in ("app", "keep/journal", "send/mqtt")}
    content = bundle.packed(files)
    manifest = bundle.Manifest("1.2", 7, "esp32", len(content), hashlib.sha256(content).digest(), 1, len(files))
    good = bundle.seal(manifest, content, key)
    public = point(key)
    for number, data in cases(300, [good, content]):
        with Watch(number, data):
            try:
                bundle.read(data, public)
            except bundle.BundleError:
                assert data != good
            else:
                assert data == good


FAULTS: list[tuple[Callable[[bytes], bytes], str]] = [
    (lambda good: good[:7], "begins otherwise"),
    (lambda good: b"SLB2" + good[4:], "begins otherwise"),
    (lambda good: good[:4] + bytes(4) + good[8:], "can't have 0 bytes"),
    (lambda good: good[:4] + (513).to_bytes(4) + good[8:], "can't have 513 bytes"),
    (lambda good: good[:60], "can't have"),
    (lambda good: good[:-1], "not those that were signed"),
    (lambda good: good[:100] + bytes([good[100] ^ 1]) + good[101:], "altered"),
]


@pytest.mark.parametrize(("change", "said"), FAULTS)
def test_each_fault_of_a_bundle_is_told_as_what_it_is(change: Callable[[bytes], bytes], said: str) -> None:
    key, content = ec.generate_private_key(ec.SECP256R1()), bundle.packed({"scanlatch/app.mpy": b"x" * 600})
    manifest = bundle.Manifest("1.2", 7, "esp32", len(content), hashlib.sha256(content).digest(), 1, 1)
    with pytest.raises(bundle.BundleError, match=said):
        bundle.read(change(bundle.seal(manifest, content, key)), point(key))


def test_no_content_is_packed_or_signed_that_no_slot_takes() -> None:
    key, most, half = ec.generate_private_key(ec.SECP256R1()), bundle.FILE_MAX, bundle.CONTENT_MAX // 2
    many = {f"scanlatch/{number}": b"x" for number in range(bundle.FILES_MAX)}
    full = {f"scanlatch/{number}": bytes(most) for number in range(7)} | {"scanlatch/7": bytes(most - 8 * 16)}
    assert bundle.unpacked(bundle.packed(many)) == many
    assert len(bundle.packed(full)) == 2 * half
    for files in ({}, {**many, "scanlatch/more": b"x"}, {**full, "scanlatch/7": bytes(most - 8 * 16 + 1)},
                  {"scanlatch/a": b""}, {"scanlatch/a": bytes(most + 1)}):  # fmt: skip
        with pytest.raises(bundle.BundleError):
            bundle.packed(files)
    content = bundle.packed({"scanlatch/a": b"x"})
    for size in (0, len(content) - 1, len(content) + 1):
        manifest = bundle.Manifest("1.2", 7, "esp32", size or 1, hashlib.sha256(content).digest(), 1, 1)
        with pytest.raises(bundle.BundleError):
            bundle.read(bundle.seal(manifest, content, key), point(key))


def test_files_of_a_content_stand_in_order_and_once() -> None:
    one, two = (bundle.packed({f"scanlatch/{name}": b"x"}) for name in "ab")
    assert len(bundle.unpacked(one + two)) == 2
    for content in (two + one, one + one):
        with pytest.raises(bundle.BundleError):
            bundle.unpacked(content)


def test_the_content_of_an_update_has_one_form_and_no_path_outside_its_slot() -> None:
    content = bundle.packed({"scanlatch/app.mpy": b"x" * 40, "scanlatch/keep/journal.mpy": b"y"})
    for number, data in cases(400, [content, b"\x08/etc/x.y\0\0\0\1z", b"\x12scanlatch/../../x.y\0\0\0\1z"]):
        with Watch(number, data):
            try:
                files = bundle.unpacked(data)
                whole = bundle.packed(files)
            except bundle.BundleError:
                continue
            assert whole == data
            assert all(path.startswith("scanlatch/") and ".." not in path.split("/") for path in files)


class Board:
    """A board that says what it likes."""

    port = "/dev/ttyUSB9"

    def __init__(self, chance: random.Random, right: list[str]) -> None:
        self._chance = chance
        self._right = right

    def run(self, _code: str, **_: object) -> str:
        said = self._chance.choice(self._right)
        match self._chance.randrange(6):
            case 0:
                return said
            case 1:
                return ""
            case 2:
                at = self._chance.randrange(len(said))
                return said[:at] + self._chance.choice(('"', "[", "\x1b[2J", "9" * 20, "null", "-", "\n")) + said[at:]
            case 3:
                return "[" * 100_000
            case _:
                return json.dumps(_changed(self._chance, json.loads(said))) if said[0] in "[{" else said


def _changed(chance: random.Random, value: Any) -> Any:
    places: list[Any] = [*value] if isinstance(value, dict) else [*range(len(value))]  # pyright: ignore[reportUnknownVariableType]
    odd: tuple[Any, ...] = (None, "", "../../etc/x", "\x1b[2J", [], {}, 1.5, -1, 1 << 62, True, [None], "0" * 130, "²")
    changed: Any = value  # pyright: ignore[reportUnknownVariableType]
    changed[chance.choice(places)] = chance.choice(odd)
    return changed


FACTS = json.dumps(
    {
        "version": [1, 28], "mpy": 6, "chip": "a1b2c3d4e5f6", "scanlog": [[0x300000, 0x100000]], "device": "d-1",
        "machine": "Generic ESP32 module with ESP32", "settings": {"board": {"name": "twin"}, "wifi": {"ssid": "x"}},
    }
)  # fmt: skip


def test_what_a_board_tells_of_itself_is_taken_or_refused() -> None:
    for number, chance in chances(300):
        board: Any = Board(chance, [FACTS])
        with Watch(number, "facts"):
            try:
                found = facts.ask(board)
            except ToolError:
                continue
            assert "/" not in found.board + found.device + found.chip


def test_what_a_board_says_of_its_records_is_taken_or_refused() -> None:
    record = base64.b64encode(b"a record").decode()
    for number, chance in chances(300):
        board: Any = Board(chance, ['["d-1", "clinic-7", 1, 0, 9]', f"{record}\n-\n" * 4, record])
        with Watch(number, "rescue"):
            try:
                found = rescue.read(board, chance.random() < 0.5, lambda _done, _total: None)
            except ToolError:
                continue
            assert "/" not in found.device
            assert len(found.records) <= found.last


def test_public_keys_that_a_board_gives_are_taken_or_refused() -> None:
    point = (
        "04"
        + "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        + ("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
    )
    right = json.dumps({"device": "d-1", "signing": point, "agreement": "04" + point[66:] + point[2:66], "csr": "3003"})
    for number, chance in chances(300):
        board = Board(chance, [right, right.replace(point[66:], point[2:66])])
        with Watch(number, "publics"):
            try:
                request.heard(board.run(""), "d-1")
            except ToolError:
                continue
