"""A batch of boards as far as none is needed: what is wrong is told before the first, the report keeps its lines."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest
from scanlatch_tools import cli, site
from scanlatch_tools.provision import batch
from scanlatch_tools.provision.batch import Report, Row

from tests.tools import provision_case as case

FAILED = Row("gone", "", "", "", False, 0.0, "没有应答")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return site.create(tmp_path_factory.mktemp("batch") / "site", ["clinic-7"]).folder


@pytest.mark.parametrize(
    ("wrong", "status", "says"),
    [
        (["--site", "nowhere"], 1, "is no site"),
        (["--at", "clinic-8"], 1, "no site 'clinic-8'"),
        (["--operation", "sell"], 1, "operation 'sell'"),
        (["--board", "nix"], 1, "no board 'nix'"),
        (["--name", "window"], 1, "ends with the first board's number"),
        (["--name", "window-０１"], 1, "ends with the first board's number"),
        (["--name", "Window-01"], 1, "device id 'Window-01'"),
        (["--label", "x.pdf"], 1, "--label with one board"),
        (["--report", "nowhere/x.csv"], 1, "can't be written"),
        (["--report", "dear.txt"], 1, "holds something else"),
        ([], 3, "no board is plugged in"),
    ],
)
def test_what_is_wrong_with_all_boards_is_told_before_the_first(
    place: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wrong: Sequence[str],
    status: int,
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("scanlatch_tools.flash.ports.found", list)
    (tmp_path / "dear.txt").write_text("dear")
    ports = ["--port", "no-board"] if wrong else []
    with pytest.raises(SystemExit) as ended:
        cli.main(["provision", "--batch", "--site", str(place), *ports, *wrong])
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (status, "")
    assert says in said.err
    assert (tmp_path / "dear.txt").read_text() == "dear"


def test_a_batch_again_keeps_the_report_s_lines_of_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "bag.csv"
    Report(path).add(FAILED)
    again = Report(path)
    for number in (1, 2):
        again.add(Row("usb", f"window-0{number}", "clinic-7", "twin", True, 1.5, "new, at once"))
    assert path.read_bytes().startswith(b"\xef\xbb\xbfport,")  # else a spreadsheet shows Chinese as nonsense
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [(row["device"], row["ok"]) for row in rows] == [("", "False"), ("window-01", "True"), ("window-02", "True")]
    assert (rows[0]["text"], rows[2]["text"]) == ("没有应答", "new, at once")


def test_the_wi_fi_s_password_is_asked_for_once_and_again_behind_a_board_that_failed() -> None:
    class Person(case.Listener):
        asked = 0

        def secret(self, question: str) -> str | None:
            self.asked += 1
            return question

    person = Person()
    once = batch.Once(person)
    assert [once.secret("of clinic"), once.secret("of clinic"), once.secret("of ward")] == ["of clinic"] * 2 + [
        "of ward"
    ]
    assert person.asked == 2
    once.forget()
    once.secret("of clinic")
    assert person.asked == 3
