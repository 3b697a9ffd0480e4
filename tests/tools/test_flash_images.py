"""Images of MicroPython: what a file must be, what is recorded of it, and which a board gets."""

import hashlib
import tomllib
from pathlib import Path

import pytest
from scanlatch_tools.flash import images
from scanlatch_tools.flash.image import ImageError, fitted, load
from scanlatch_tools.flash.image_cli import app
from scanlatch_tools.twin.chip import made_image
from typer.testing import CliRunner

from tests.tools.flash_case import image


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def _unmarked(folder: Path, name: str, chip: str = "esp32", version: str = "v1.26.1") -> Path:
    """An image as MicroPython's would be: without the mark of those made for tests."""
    path = folder / name
    monkey = made_image.MARK
    try:
        made_image.MARK = "micropython"
        path.write_bytes(made_image.image(chip, version=version))
    finally:
        made_image.MARK = monkey
    return path


def test_what_is_recorded_is_what_the_file_holds(tmp_path: Path) -> None:
    path = _unmarked(tmp_path, "ESP32_GENERIC-20250911-v1.26.1.bin")
    said = CliRunner().invoke(app, ["add", str(path)])
    assert said.exit_code == 0, said.output
    assert "added: ESP32_GENERIC v1.26.1 for esp32" in said.output
    (row,) = tomllib.loads((images.store() / "images.toml").read_text())["image"]
    assert row == {
        "build": "ESP32_GENERIC", "chip": "esp32", "version": "v1.26.1", "date": "2026-11-22", "mode": "dio",
        "speed": "40m", "flash_mb": 4, "size": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }  # fmt: skip
    assert "was there" in CliRunner().invoke(app, ["add", str(path)]).output
    assert "v1.26.1" in CliRunner().invoke(app, ["list"]).output


def test_a_board_gets_the_newest_image_of_its_build(tmp_path: Path) -> None:
    for version in ("v1.24.0", "v1.26.1", "v1.25.0"):
        images.add(_unmarked(tmp_path, f"{version}.bin", version=version), None)
    images.add(_unmarked(tmp_path, "other.bin", version="v1.27.0"), "ESP32_GENERIC-SPIRAM")
    assert images.for_board("ESP32_GENERIC", "esp32").version == "v1.26.1"
    kept = images.known()[1].file
    assert kept
    kept.write_bytes(_unmarked(tmp_path, "x.bin", version="v1.24.0").read_bytes())
    with pytest.raises(images.NoFitError, match="not what was added"):
        images.for_board("ESP32_GENERIC", "esp32")


def test_without_an_image_it_says_where_to_get_one() -> None:
    assert "no images" in CliRunner().invoke(app, ["list"]).output
    with pytest.raises(images.NoFitError, match=r"micropython.org/download/ESP32_GENERIC_C3 \(nothing is downloaded"):
        images.for_board("ESP32_GENERIC_C3", "esp32c3")


def test_images_made_for_tests_do_not_get_into_the_list(tmp_path: Path) -> None:
    with pytest.raises(images.NoFitError, match="made for tests"):
        images.add(image(tmp_path, "esp32"), None)
    assert made_image.MARK not in images.SHIPPED.read_text()


def test_the_list_that_is_shipped_holds_only_whole_rows() -> None:
    assert all(len(one.sha256) == 64 and one.build for one in images.known())


def _other_checksum(raw: bytes) -> bytes:
    body = raw[:-33] + bytes((raw[-33] ^ 1,))
    return body + hashlib.sha256(body).digest()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda raw: b"\x7fELF" + raw[4:], "no image for an ESP32"),
        (lambda raw: raw[:12] + b"\x02\0" + raw[14:], "no image for an ESP32"),
        (lambda raw: raw[0xF000:], "a program alone"),
        (lambda raw: raw[:-1], "damaged"),
        (_other_checksum, "its checksum is another"),
        (lambda raw: raw[:0x10000] + b"\0\0" + raw[0x10002:], "program is damaged"),
        (lambda raw: raw[:0x200] + b"\0\0" + raw[0x202:], "loader is damaged"),
        (lambda raw: raw[:0xF100], "damaged: "),
        (lambda raw: b"", "no image for an ESP32"),
    ],
)
def test_what_is_no_whole_image_is_refused(tmp_path: Path, spoil: object, says: str) -> None:
    path = tmp_path / "spoilt.bin"
    path.write_bytes(spoil(made_image.image("esp32")))  # type: ignore[operator]
    with pytest.raises(ImageError, match=says) as refused:
        load(path)
    assert refused.value.status == 4


@pytest.mark.parametrize(("version", "says"), [("v1.23.0", "v1.24 or newer"), ("1.26", "nowhere says its version")])
def test_other_versions_are_refused(tmp_path: Path, version: str, says: str) -> None:
    with pytest.raises(ImageError, match=says):
        load(image(tmp_path, "esp32", version=version))


@pytest.mark.parametrize("size", [4, 8, 16])
def test_the_loader_learns_the_flash_s_size_and_stays_whole(tmp_path: Path, size: int) -> None:
    loader = load(image(tmp_path, "esp32s3")).loader
    made = fitted(loader, size)
    assert made[3] >> 4 == size.bit_length() - 1
    assert made[-32:] == hashlib.sha256(made[:-32]).digest()
    assert (fitted(made, 4)) == loader
