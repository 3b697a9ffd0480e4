"""One box, end to end: from the picture under the beam to the light on the terminal, against real mosquitto."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from scanlatch_tools.books import Books
from scanlatch_tools.demo.desk import LOCAL, Desk, Scan
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin import pictures

from host_bridge.wire import Outcome, Reason

_FINAL = frozenset({"accepted", "rejected", "duplicate", "exempt", "error"})


def _bounce_over(desk: Desk, codes: Iterator[str]) -> None:
    """Another box in between: the same one twice in a row within 1.5 s is a bounce of the trigger."""
    assert desk.hold_text(next(codes), _FINAL).answer == "accepted"


def _entry(stage: Stage, desk: Desk, scan: Scan) -> tuple[Outcome | None, int]:
    with Books(stage.site) as books:
        return next((one.outcome, one.reason) for one in books.entries(desk.device) if one.seq == scan.seq)


def test_a_box_is_sold_once(stage: Stage, window: Desk, other: Desk, codes: Iterator[str], tmp_path: Path) -> None:
    code = next(codes)
    pictures.draw(code, "code128", tmp_path / "box.png")
    first = window.hold(tmp_path / "box.png", _FINAL)
    assert first.shown[:2] == ["read", "kept"]
    assert first.answer == "accepted"
    _bounce_over(window, codes)
    again = window.hold_text(code, _FINAL)
    assert again.answer == "duplicate"
    assert _entry(stage, window, again) == (Outcome.DUPLICATE_HERE, Reason.SOLD_HERE)
    elsewhere = other.hold_text(code, _FINAL)
    assert elsewhere.answer == "rejected"
    assert _entry(stage, other, elsewhere) == (Outcome.REJECTED, Reason.SOLD_ELSEWHERE)
    assert len(stage.platform.sales(code)) == 1


def test_a_gs1_picture_is_sold_by_its_product_and_serial(stage: Stage, window: Desk, tmp_path: Path) -> None:
    stage.platform.know(["01041509999999942189X7"])
    pictures.draw("(01)04150999999994(21)89X7(17)261231(10)LOT42", "gs1-datamatrix", tmp_path / "box.png")
    assert window.hold(tmp_path / "box.png", _FINAL).answer == "accepted"
    assert len(stage.platform.sales("01041509999999942189X7")) == 1


@pytest.mark.parametrize(
    ("content", "kind", "light"),
    [("6901234567892", "ean13", "wrong_symbol"), ("HELLO WORLD", "code128", "unknown_symbol")],
)
def test_a_wrong_symbol_goes_no_further(
    stage: Stage, window: Desk, tmp_path: Path, content: str, kind: pictures.Kind, light: str
) -> None:
    pictures.draw(content, kind, tmp_path / "wrong.png")
    kept = window.kept
    assert window.hold(tmp_path / "wrong.png", _FINAL).answer == light
    assert (light in LOCAL, window.kept) == (True, kept)
    assert content not in window.twin.console()


def test_a_code_that_the_platform_does_not_know_is_rejected(stage: Stage, window: Desk) -> None:
    scan = window.hold_text("83386520009999999999", _FINAL)
    assert scan.answer == "rejected"
    assert _entry(stage, window, scan) == (Outcome.REJECTED, Reason.UNKNOWN_CODE)


def test_a_person_s_credential_is_neither_kept_nor_logged(stage: Stage, window: Desk) -> None:
    credential = "424" + "1234567890" * 2 + "12345"
    kept = window.kept
    assert window.hold_text(credential, _FINAL).shown == ["read", "credential", "session_open"]
    assert window.kept == kept
    for file in ("scanlog.bin", "nvs.json", "console.log"):
        assert credential.encode() not in (window.twin.folder / file).read_bytes()
