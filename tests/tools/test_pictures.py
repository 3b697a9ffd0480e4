"""Barcodes that are drawn read back as what they were, with the AIM identifier that an engine would give."""

from pathlib import Path

import pytest
from PIL import Image
from scanlatch_tools.twin import pictures
from scanlatch_tools.twin.pictures import PictureError, Symbol

CODE = "83386520001941653320"
GS1 = b"010690123456789221ABC123\x1d1727123110B7"


@pytest.mark.parametrize(
    ("content", "kind", "data", "aim"),
    [
        (CODE, "code128", CODE.encode(), "]C0"),
        ("6901234567892", "ean13", b"6901234567892", "]E0"),
        ("https://example.cn/a", "qr", b"https://example.cn/a", "]Q1"),
        ("hello", "datamatrix", b"hello", "]d1"),
        (b"\x00\x01\xff", "datamatrix", b"\x00\x01\xff", "]d1"),
        ("(01)06901234567892(21)ABC123(17)271231(10)B7", "gs1-datamatrix", GS1, "]d2"),
        (GS1, "gs1-datamatrix", GS1, "]d2"),
        (b"\x1d" + GS1, "gs1-datamatrix", GS1, "]d2"),
        (b"010690123456789221A(B)C", "gs1-datamatrix", b"010690123456789221A(B)C", "]d2"),
        (
            b"01069012345678921727123121A1\x1d91XY",
            "gs1-datamatrix",
            b"01069012345678921727123121A1\x1d91XY",
            "]d2",
        ),
    ],
)
def test_drawn_reads_back(tmp_path: Path, content: str | bytes, kind: pictures.Kind, data: bytes, aim: str) -> None:
    picture = tmp_path / "code.png"
    pictures.draw(content, kind, picture)
    [symbol] = pictures.read_picture(picture)
    assert (symbol.data, symbol.aim) == (data, aim)


def test_torn_is_the_first_digits(tmp_path: Path) -> None:
    whole, torn = tmp_path / "whole.png", tmp_path / "torn.png"
    pictures.draw(CODE, "code128", whole)
    pictures.tear(whole, torn)
    assert pictures.read_picture(torn) == [Symbol(CODE[:14].encode(), "]C0", "Code 128")]


def test_nothing_to_tear_is_told(tmp_path: Path) -> None:
    pictures.draw("hello", "qr", tmp_path / "qr.png")
    with pytest.raises(PictureError, match="no linear barcode"):
        pictures.tear(tmp_path / "qr.png", tmp_path / "torn.png")


def test_a_missing_picture_is_told(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no such file"):
        pictures.read_picture(tmp_path / "none.png")


def test_a_file_that_is_no_picture_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(PictureError, match="not a picture"):
        pictures.read_picture(tmp_path / "text.png")


def test_a_picture_without_barcode_holds_none(tmp_path: Path) -> None:
    Image.new("L", (50, 50), 255).save(tmp_path / "white.png")
    assert pictures.read_picture(tmp_path / "white.png") == []


@pytest.mark.parametrize(
    ("content", "kind"),
    [("6901234567893", "ean13"), (b"hello", "gs1-datamatrix"), ("(01)1", "gs1-datamatrix"), ("x" * 9000, "qr")],
)
def test_content_that_does_not_fit_is_told(tmp_path: Path, content: str | bytes, kind: pictures.Kind) -> None:
    with pytest.raises(PictureError):
        pictures.draw(content, kind, tmp_path / "code.png")
