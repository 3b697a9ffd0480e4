"""What is printed does what it says: every symbol of every sheet goes from the paper to the light."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from scanlatch_tools.cli import main
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.labels import calibration
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin.pictures import Symbol

from tests.system.conftest import SITE
from tests.system.waiting import until_shown

DEVICE = "d-labels-01"
# What a terminal shows for each code of its site's sheet, where nothing was scanned and no session is open.
EFFECTS = {
    "RETURN": "idle_return",
    "RECEIVE": "idle_receive",
    "DISPATCH": "idle_dispatch",
    "STOCK-TAKE": "idle_stock-take",
    "QUERY": "idle_query",
    "CANCEL": "nothing",
    "END": "nothing",
    "REPEAT": "nothing",
    "SEEN": "nothing",
    "SALE": "idle_sale",
    "BADGE/li-wei-7": "badge",
}


def drawn(*arguments: str) -> None:
    """Run `scanlatch labels` as a person does."""
    with pytest.raises(SystemExit) as ended:
        main(["labels", *arguments])
    assert ended.value.code == 0


def printed(pdf: Path) -> list[Symbol]:
    """All symbols on the paper, read from its pictures."""
    pages: Any = pypdfium2.PdfDocument(pdf)
    found: list[Symbol] = []
    for page in pages:
        picture = page.render(scale=200 / 72, grayscale=True).to_pil()
        for code in zxingcpp.read_barcodes(picture):
            found.append(Symbol(bytes(code.bytes), code.symbology_identifier, str(code.format)))
    return found


@pytest.fixture(scope="module")
def desk(stage: Stage) -> Iterator[Desk]:
    twin = stage.terminal(DEVICE, SITE)
    desk = Desk(DEVICE, SITE, twin)
    desk.wait_ready()
    yield desk
    assert twin.restarts == 0


def test_every_code_of_the_control_sheet_does_what_it_says(stage: Stage, desk: Desk, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.pdf"
    drawn("sheet", str(sheet), "--site", str(stage.site.folder), "--at", SITE, "--operator", "li-wei-7")
    symbols = {code.data.decode().partition("/")[2].partition("/")[2]: code for code in printed(sheet)}
    assert symbols.keys() == EFFECTS.keys()
    for word, effect in EFFECTS.items():
        mark = desk.twin.mark()
        desk.twin.scan(symbols[word].data, symbols[word].aim)
        until_shown(desk.twin, effect, mark)


def test_a_device_label_under_the_beam_is_no_medicine(stage: Stage, desk: Desk, tmp_path: Path) -> None:
    label = tmp_path / "label.pdf"
    drawn("device", str(label), "--device", "window-123456", "--site", str(stage.site.folder), "--at", SITE)
    (code,) = printed(label)
    mark = desk.twin.mark()
    desk.twin.scan(code.data, code.aim)
    until_shown(desk.twin, "unknown_symbol", mark)


def test_the_calibration_sheet_shows_what_it_promises(desk: Desk, stage: Stage, tmp_path: Path) -> None:
    page = tmp_path / "calibration.pdf"
    drawn("calibration", str(page))
    read = {(code.data, code.aim) for code in printed(page)}
    assert read == {(one.data, one.aim) for one in calibration.SYMBOLS}
    mark = desk.twin.mark()
    desk.twin.scan(f"SL/{stage.site.tokens[SITE]}/QUERY")
    until_shown(desk.twin, "idle_query", mark)
    for one in calibration.SYMBOLS:
        mark = desk.twin.mark()
        desk.twin.scan(one.data, one.aim)
        mark = until_shown(desk.twin, one.effect, mark).line
        if one.effect == "kept":
            until_shown(desk.twin, "query_rejected", mark)  # the platform knows none of them


def test_a_site_without_a_token_is_told_how_to_get_one(
    stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = stage.site.config
    before = config.read_text()
    try:
        config.write_text("\n".join(line for line in before.splitlines() if not line.startswith("control_token")))
        with pytest.raises(SystemExit) as ended:
            main(["labels", "sheet", str(tmp_path / "sheet.pdf"), "--site", str(stage.site.folder)])
    finally:
        config.write_text(before)
    assert ended.value.code == 1
    assert "control_token" in capsys.readouterr().err
