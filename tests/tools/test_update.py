"""Update bundles: what is built is what is read, and nothing else is taken."""

import hashlib
import os
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from scanlatch_tools import cli, site
from scanlatch_tools.update import build, shown
from scanlatch_tools.update import key as keys

from host_bridge import bundle
from host_bridge.bundle import BundleError
from host_bridge.ledger import rollouts
from host_bridge.ledger.rollouts import Package, Place, RolloutRow
from host_bridge.rollout_plan import Status
from tests.bridge.updated import FILES, KEY, PUBLIC, file_of
from tests.documents import ROOT
from tests.vectors import third
from tests.wire_peer import point


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return site.create(tmp_path_factory.mktemp("update") / "site", ["clinic-7"]).folder


@pytest.fixture(scope="module")
def data(place: Path) -> bytes:
    return build.build(keys.private(place))


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    return int(ended.value.code or 0)


def test_a_bundle_has_the_shape_that_terminals_read() -> None:
    """Made by hand from the page, without the code that makes bundles."""
    content = b"".join(
        bytes((len(path),)) + path.encode() + len(data).to_bytes(4) + data for path, data in sorted(FILES.items())
    )
    payload = {1: 1, 2: "0.2.0", 3: 2, 4: "esp32-xtensawin-6.3", 5: len(content)}
    payload |= {6: hashlib.sha256(content).digest(), 7: 1_790_000_000_000, 8: len(FILES)}
    signed = third.sign1(third.dumps(payload), "update", hashlib.sha256(PUBLIC).digest()[:8], KEY)
    by_hand = b"SLB1" + len(signed).to_bytes(4) + signed + content
    found = bundle.read(by_hand, PUBLIC)
    assert (found.manifest.version, found.manifest.counter, bundle.unpacked(found.content)) == ("0.2.0", 2, FILES)
    unsigned = slice(0, 8 + len(signed) - 64)
    ours = file_of()
    assert (ours[unsigned], bundle.parts(ours)[1]) == (by_hand[unsigned], content)


def test_every_altered_byte_is_refused() -> None:
    whole = file_of()
    for at in range(len(whole)):
        for bit in (0x01, 0x80):
            altered = bytearray(whole)
            altered[at] ^= bit
            with pytest.raises(BundleError):
                bundle.read(bytes(altered), PUBLIC)


def test_every_cut_and_every_byte_more_is_refused() -> None:
    whole = file_of()
    for end in [*range(300), *range(300, len(whole), 97), len(whole) - 1]:
        with pytest.raises(BundleError):
            bundle.read(whole[:end], PUBLIC)
    with pytest.raises(BundleError):
        bundle.read(whole + b"\0", PUBLIC)


@pytest.mark.parametrize(
    "path", ["scanlatch/../main.py", "/scanlatch/a", "boot.py", "scanlatch//a", "scanlatch/ä", "scanlatch/" + 60 * "a"]
)
def test_no_bundle_holds_a_path_outside_its_slot(path: str) -> None:
    with pytest.raises(BundleError):
        file_of(files={path: b"1"})
    content = bytes((len(path.encode()),)) + path.encode() + (1).to_bytes(4) + b"1"
    with pytest.raises(BundleError):
        bundle.unpacked(content)


def test_another_key_and_another_count_of_files_are_refused() -> None:
    with pytest.raises(BundleError, match="another release key"):
        bundle.read(file_of(), point(ec.derive_private_key(12, ec.SECP256R1())))
    with pytest.raises(BundleError, match="it says that it has 2 files"):
        bundle.read(file_of(count=2), PUBLIC)


def test_the_same_firmware_gives_the_same_content(place: Path, data: bytes) -> None:
    again = bundle.read(build.build(keys.private(place)), keys.needed(place))
    first = bundle.read(data, keys.needed(place))
    assert again.content == first.content
    assert again.manifest.counter >= first.manifest.counter
    assert b"scanlatch/app.mpy" in first.content
    assert not [path for path in bundle.unpacked(first.content) if not path.endswith(".mpy")]


def test_a_bundle_is_made_and_shown_as_it_is_written(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    file = tmp_path / "new.slb"
    assert _run("update", "build", "--out", str(file)) == 0
    assert _run("update", "show", str(file)) == 0
    assert "esp32-xtensawin-6.3" in capsys.readouterr().out
    altered = bytearray(file.read_bytes())
    altered[-1] ^= 1
    file.write_bytes(altered)
    assert _run("update", "show", str(file)) == 1
    assert "altered" in capsys.readouterr().err
    assert _run("update", "--bundle", str(file), "--group", "5%") == 1
    assert _run("update", "status") == 0
    assert "no update" in capsys.readouterr().out


def test_where_a_bundle_cannot_be_written_is_said(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = place / "nowhere" / "b.slb"
    assert _run("update", "build", "--site", str(place), "--out", str(out)) == 1
    assert f"{out} can't be written" in capsys.readouterr().err


def test_a_bundle_for_nobody_and_one_over_another_file_are_not_made(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release = (place / keys.PRIVATE).read_bytes()
    for wrong, says in (
        (["--out", str(place / keys.PRIVATE)], "holds something else"),
        (["--family", "esp32"], "--family 'esp32'"),
        (["--firmware", str(tmp_path)], f"no firmware in {tmp_path}"),
    ):
        assert _run("update", "build", "--site", str(place), *wrong) == 1
        assert says in capsys.readouterr().err
    assert (place / keys.PRIVATE).read_bytes() == release
    assert _run("update", "show", "x.slb", "--public", str(place / "ca" / "ca.pem")) == 1
    assert "holds no public key" in capsys.readouterr().err


def test_figures_are_taken_as_wide_as_a_chinese_keyboard_types_them(
    place: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, data: bytes
) -> None:
    (tmp_path / "new.slb").write_bytes(data)
    start = ["update", "--site", str(place), "--bundle", str(tmp_path / "new.slb")]
    for said, wanted in (
        ("５％", "nobody is left"),
        ("２", "nobody is left"),
        ("till-1，till-2", "no device 'till-1'"),
    ):
        assert _run(*start, "--success", "９０％", "--group", said) == 1
        assert wanted in capsys.readouterr().err


def test_a_rollout_says_why_it_stands_and_for_whom_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    why = "group 1: 2 of 2 failed, 0 are borne"
    row = RolloutRow(1, b"", rollouts.STOPPED, 1, 4, False, 90, 0, False, 0, 0, why)
    ends = {
        "a": (rollouts.FAILED, "went back to 0.1.0: the new firmware did not prove itself"),
        "b": (rollouts.FAILED, "words of its own"),
        "c": (rollouts.SKIPPED, "other family: esp32-rv32imc-6.3"),
        "d": (rollouts.SKIPPED, "other family: esp32-rv32imc-6.3"),
    }
    places = {
        name: Place(1, name, 1, state, None, None, 0, 0, None, 0, 0, 0, detail, None)
        for name, (state, detail) in ends.items()
    }
    status = Status(row, Package(b"", b"", "0.2.0", 1, "f", 1), places)
    line, _table, told = shown.rollout(status)
    assert line == f"the update to 0.2.0 is stopped ({why})"
    assert told[:2] == [f"a: {ends['a'][1]}", "b: words of its own"]
    assert told[2].startswith("not for 2 terminals: other family: esp32-rv32imc-6.3; `scanlatch update build --family")
    monkeypatch.setattr(shown, "_", "<{}>".format)
    line, _table, told = shown.rollout(status)
    assert "<group 1: 2 of 2 failed, 0 are borne>" in line
    assert told[0].startswith("a: <went back to 0.1.0:")


def test_what_a_bridge_keeps_of_a_rollout_is_what_the_tools_know_to_say() -> None:
    kept = "".join(
        (ROOT / "host_bridge" / name).read_text() for name in ("rollout.py", "rollout_plan.py", "rollout_answers.py")
    )
    for sentence in shown.KEPT.values():
        longest = max(re.split(r"\{\w+\}|;.*", sentence), key=len).strip(": ")
        assert longest in kept, sentence


def test_a_release_key_is_made_once_and_readable_to_its_owner_alone(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = place / keys.PRIVATE
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert _run("update", "key", "--site", str(place)) == 1
    assert "BEGIN" not in capsys.readouterr().err
    other = file_of()
    with pytest.raises(BundleError, match="another release key"):
        bundle.read(other, keys.needed(place))


def test_every_sentence_that_is_told_in_the_readers_language_is_one_that_is_written() -> None:
    sources = [
        *(ROOT / "host_bridge").glob("rollout*.py"),
        *(ROOT / "firmware" / "scanlatch").glob("system/update*.py"),
    ]
    written = "".join(source.read_text(encoding="utf-8") for source in sources)
    for form in shown.KEPT:
        for literal in re.split(r"\(\?P<\w+>[^)]*\)", form):
            assert literal in written, form
