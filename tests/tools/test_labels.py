"""What is printed can be read: every page is rendered, and every symbol on it read back."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from PIL import Image
from scanlatch_tools import cli
from scanlatch_tools.errors import ToolError
from scanlatch_tools.labels import calibration, control, device, sheet

from tests.documents import BIN

_TOKEN = "K7M2QX"
_DPI = 200  # a cheap office printer does 600
_LONGEST_OPERATOR = "Abcdefghijklmnopqrstuvwxyz-12345"


def rendered(pdf: Path) -> list[Image.Image]:
    """Pages of a PDF as pictures."""
    pages: Any = pypdfium2.PdfDocument(pdf)
    return [page.render(scale=_DPI / 72, grayscale=True).to_pil() for page in pages]


def symbols(page: Image.Image) -> list[tuple[bytes, str]]:
    """(data, AIM identifier) of all symbols on a page."""
    return [(bytes(found.bytes), found.symbology_identifier) for found in zxingcpp.read_barcodes(page)]


def test_a_full_disk_leaves_no_half_sheet(tmp_path: Path) -> None:
    narrow = ["bash", "-c", 'ulimit -f 1; exec "$0" labels calibration sheet.pdf', str(BIN / "scanlatch")]
    done = subprocess.run(narrow, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, "scanlatch: sheet.pdf can't be written: File too large\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["labels calibration", "board draw twin --to"])
def test_only_an_older_file_of_its_kind_is_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    def run(path: Path) -> int | str | None:
        with pytest.raises(SystemExit) as end:
            cli.main([*command.split(), str(path)])
        return end.value.code

    pipe, dear, drawn, link = (tmp_path / name for name in ("pipe", "ca.key", "drawn", "link"))
    os.mkfifo(pipe)
    dear.write_text("dear")
    link.symlink_to(drawn)
    assert [run(pipe), run(tmp_path), run(dear)] == [1, 1, 1]
    assert [run(drawn), run(drawn), run(link)] == [0, 0, 0]
    said = capsys.readouterr().err
    assert f"{pipe} is there, and no file" in said
    assert f"{dear} is there and holds something else" in said
    assert (pipe.is_fifo(), dear.read_text(), link.is_symlink()) == (True, "dear", True)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["ca.key", "drawn", "link"]


def test_every_control_code_of_the_sheet_is_read_back_and_nothing_else(tmp_path: Path) -> None:
    pages = sheet.draw(tmp_path / "sheet.pdf", "clinic-7", _TOKEN, "第七门诊药房", ["zhang-wei", _LONGEST_OPERATOR])
    first, badges = rendered(tmp_path / "sheet.pdf")
    assert pages == 2
    words = [one.word for one in (*control.OPERATIONS, *control.OTHERS)]
    assert sorted(symbols(first)) == sorted((f"SL/{_TOKEN}/{word}".encode(), "]C0") for word in words)
    assert [data for data, _ in symbols(badges)] == [
        f"SL/{_TOKEN}/BADGE/{operator}".encode() for operator in ("zhang-wei", _LONGEST_OPERATOR)
    ]


def test_more_operators_than_a_page_holds_go_on_the_next(tmp_path: Path) -> None:
    operators = [f"operator-{i}" for i in range(13)]
    assert sheet.draw(tmp_path / "sheet.pdf", "clinic-7", _TOKEN, operators=operators) == 3
    found = [data for page in rendered(tmp_path / "sheet.pdf")[1:] for data, _ in symbols(page)]
    assert sorted(found) == sorted(f"SL/{_TOKEN}/BADGE/{operator}".encode() for operator in operators)


def test_the_device_label_says_which_terminal_it_is(tmp_path: Path) -> None:
    device.draw(tmp_path / "labels.pdf", "clinic-7", ["window-1", "a" * 32], "第七门诊药房")
    found = [symbols(page) for page in rendered(tmp_path / "labels.pdf")]
    assert found == [[(f"SL/DEVICE/clinic-7/{name}".encode(), "]Q1")] for name in ("window-1", "a" * 32)]


def test_the_calibration_sheet_holds_what_its_list_says(tmp_path: Path) -> None:
    calibration.draw(tmp_path / "calibration.pdf")
    (page,) = rendered(tmp_path / "calibration.pdf")
    assert sorted(symbols(page)) == sorted((one.data, one.aim) for one in calibration.SYMBOLS)


@pytest.mark.parametrize(
    ("token", "operator", "name"),
    [
        ("K7M2Q", "zhang", ""),
        ("K7M2QI", "zhang", ""),  # an I that could be a 1
        (_TOKEN, "zhang wei", ""),
        (_TOKEN, "a" * 33, ""),
        (_TOKEN, "li110101199003074530", ""),  # an identity number has no place in records
        (_TOKEN, "zhang", "Apotheke 💊"),
    ],
)
def test_what_can_not_be_printed_or_scanned_is_refused_with_a_reason(
    tmp_path: Path, token: str, operator: str, name: str
) -> None:
    with pytest.raises(ToolError, match=r"Crockford|1 to 32|GB 2312"):
        sheet.draw(tmp_path / "sheet.pdf", "clinic-7", token, name, [operator])
    assert not (tmp_path / "sheet.pdf").exists()
