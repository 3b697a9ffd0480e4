"""Provisioning, against a site that runs: what it copies, keeps and refuses, and many boards in a row."""

import base64
import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scanlatch_tools import enrol
from scanlatch_tools import site as sites
from scanlatch_tools.cable import Cable
from scanlatch_tools.errors import ToolError
from scanlatch_tools.flash.ports import Port
from scanlatch_tools.provision import batch, leaving
from scanlatch_tools.provision.errors import NotForThisError, NotReadyError, SomeFailedError
from scanlatch_tools.provision.work import Wish, provision
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin.chip import cable
from scanlatch_tools.twin.chip.bare import BareBoard

from host_bridge.errors import LedgerBroken
from tests.tools import provision_case as case
from tests.tools.flash_case import flashed


@pytest.fixture
def board(tmp_path: Path) -> Iterator[BareBoard]:
    with BareBoard(tmp_path / "board") as found:
        found.start()
        flashed(found, tmp_path, "esp32")
        yield found


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareBoard]:
    folder = tmp_path_factory.mktemp("untouched")
    with BareBoard(folder / "board") as found:
        found.start()
        flashed(found, folder, "esp32")
        yield found


def test_no_private_key_leaves_the_board(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = bytearray()
    say = cable.Cable.say

    def heard(self: cable.Cable, data: bytes) -> None:
        said.extend(data)
        say(self, data)

    monkeypatch.setattr(cable.Cable, "say", heard)
    with BareBoard(tmp_path / "board") as board:
        board.start()
        flashed(board, tmp_path, "esp32")
        case.made(stage, board, name="window-02", label=tmp_path / "label.pdf")
        keys = case.keys_of(board)
    assert b'"csr": "30' in said  # so it has what it should
    written = [path for folder in (stage.folder, tmp_path) for path in folder.rglob("*") if path.is_file()]
    own = ("nvs.json", "flash.bin")  # the board's own flash
    texts = {str(path): path.read_bytes() for path in written if path.name not in own}
    assert any("window-02" in name for name in texts)
    assert str(board.files / "settings.json") in texts
    for name, key in keys.items():
        assert len(key) == 32, name
        for form in (key, key.hex().encode(), base64.b64encode(key)[:40]):
            assert form not in said, name
            assert [where for where, text in texts.items() if form in text] == [], name


def test_again_it_copies_nothing_and_keeps_keys_and_id(stage: Stage, board: BareBoard, tmp_path: Path) -> None:
    first = case.Listener()
    assert case.made(stage, board, first, name="window-03", operation="receive", ntp="10.0.0.1", link=False).anew
    assert first.told("step", step="firmware")["kept"] == 0
    assert first.told("check", what="link")["ok"] is None
    keys = case.keys_of(board)
    (board.files / "a" / "scanlatch" / "old.mpy").write_bytes(b"of a version before")
    for left in ("scanlatch/app.mpy", "b/scanlatch/app.mpy", "b/whole", "slot"):  # before there were slots; an update
        (board.files / left).parent.mkdir(parents=True, exist_ok=True)
        (board.files / left).write_bytes(b"b - 0 7 -\xca\x1e@4" if left == "slot" else b"another")
    (board.files / "a" / "scanlatch" / "scan.mpy").write_bytes(b"damaged")
    again = case.Listener()
    done = case.made(stage, board, again, board=None, wifi=None, password=None)
    assert (done.device, done.board, done.anew) == ("window-03", case.BOARD, False)
    step = again.told("step", step="firmware")
    assert (step["written"], step["removed"]) == (2, 5)  # scan.mpy, and main.py behind it
    assert {path.name for path in board.files.iterdir() if path.is_dir()} == {"a"}
    assert again.told("check", what="link")["ok"]
    assert case.keys_of(board) == keys
    parts = {path.name for path in (board.files / "a" / "scanlatch" / "system" / "parts").iterdir()}
    assert parts == {"__init__.mpy", "neopixel_light.mpy", "wifi.mpy"}
    with pytest.raises(NotForThisError, match="this board is 'window-03', and an id is for life"):
        case.made(stage, board, name="window-04")
    with Cable(str(board.port)) as listening:  # what was stopped for it works again
        assert any('"event": "started"' in line for line in listening.lines(60))
    assert _settings(board) == ("clinic-7", "receive", "10.0.0.1")
    _leaves_its_site(board, Wish(sites.create(tmp_path / "site", ["pharmacy-2", "pharmacy-3"]).folder, link=False))


def _settings(board: BareBoard) -> tuple[str, str, str]:
    given = json.loads((board.files / "settings.json").read_bytes()[:-4])
    return given["site"], given["operation"], given["ntp"]


def _leaves_its_site(board: BareBoard, elsewhere: Wish) -> None:
    port, before = str(board.port), (board.files / "ca.der").read_bytes()
    for said in (leaving.UNSAID, leaving.Told("clinic-8")):
        with pytest.raises(
            NotForThisError, match=r"window-03 belongs to another site, 'clinic-7', .* of 'pharmacy-2': --leave-site"
        ):
            provision(replace(elsewhere, leave=said), port, case.Listener())
    assert (board.files / "ca.der").read_bytes() == before
    talk = case.Listener()
    done = provision(replace(elsewhere, at="pharmacy-3", leave=leaving.Told("clinic-7")), port, talk)
    assert (done.site, talk.told("leaves")) == ("pharmacy-3", {"device": "window-03", "site": "clinic-7", "records": 0})
    talk = case.Listener()
    provision(elsewhere, port, talk)  # it is the other's now, and stays where it was put
    assert "leaves" not in [event for event, _facts in talk.events]
    assert _settings(board) == ("pharmacy-3", "receive", "10.0.0.1")


def test_a_terminal_that_the_bridge_does_not_hear_is_told_of_and_mended(stage: Stage, board: BareBoard) -> None:
    board.link(False)
    heard = case.Listener()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scanlatch_tools.provision.selftest.LINK_S", 1.0)
        with pytest.raises(NotReadyError, match=r"window-05 is enrolled, but .*link down: .*run this again") as refusal:
            case.made(stage, board, heard, name="window-05")
    assert refusal.value.status == 7
    assert "self-test" not in [facts["step"] for event, facts in heard.events if event == "step"]
    board.link(True)
    assert not case.made(stage, board).anew


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"board": None}, "(?s)say which board it is with --board: (?!.*3-).*esp32-devkitc"),  # no S3, no C3
        ({"board": "m5-atoms3-lite"}, r"m5-atoms3-lite has an esp32s3, this is an esp32 \(Generic ESP32 module"),
        ({"wifi": None}, "joins a Wi-Fi: name it with --wifi"),
        ({"password": None}, "password is missing: --wifi-password-file"),
        ({"name": "Fenster 1"}, "use 1 to 32 of"),
        ({"at": "elsewhere"}, "no site 'elsewhere' in .*: clinic-7"),
        ({"operation": "sael"}, "operation 'sael': one of sale, return"),
    ],
)
def test_what_is_missing_is_asked_for_before_anything_is_written(
    stage: Stage, untouched: BareBoard, more: dict[str, Any], says: str
) -> None:
    with pytest.raises(ToolError, match=says):
        case.made(stage, untouched, **{"name": "window-06", **more})
    assert not (untouched.files / "main.py").exists()
    with enrol.registry(stage.site) as registry:
        assert "window-06" not in {row.id for row in registry.listed()}


@pytest.mark.parametrize(
    ("gone", "says"), [("ca/ca.key", "ca.key is not there"), ("ledger.sqlite", "would know no terminal")]
)
def test_a_sites_folder_that_is_not_whole_stops_no_terminal(tmp_path: Path, gone: str, says: str) -> None:
    folder = sites.create(tmp_path / "site", ["pharmacy-2"]).folder
    (folder / gone).unlink()
    with pytest.raises((ToolError, LedgerBroken), match=says):
        provision(Wish(folder), "a port that would be asked for next", case.Listener())
    assert not (folder / gone).exists()


def test_a_board_without_our_table_is_sent_to_be_flashed(stage: Stage, board: BareBoard) -> None:
    (board.folder / "twin.json").write_text('{"sectors": 0}')
    with pytest.raises(NotForThisError, match="no partition for the journal: `scanlatch flash`"):
        case.made(stage, board, name="window-07")


def test_a_batch_takes_boards_as_they_are_plugged_in_and_goes_on_behind_one_that_fails(
    stage: Stage, board: BareBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with BareBoard(tmp_path / "second") as second:
        second.start()
        flashed(second, tmp_path, "esp32")
        report = tmp_path / "report.csv"
        talk = case.Listener()
        gone = str(tmp_path / "gone")
        plugged, coming = [str(board.port)], [gone, str(second.port)]
        monkeypatch.setattr("scanlatch_tools.flash.ports.found", lambda: [Port(name, "a board") for name in plugged])

        def taken() -> set[str]:
            with enrol.registry(stage.site) as registry:
                return {row.id for row in registry.listed()}

        def plug_in_the_next() -> None:
            if not coming:
                raise KeyboardInterrupt
            plugged.append(coming.pop(0))

        with pytest.raises(SomeFailedError, match="1 of 3 boards are not ready"):
            batch.run(
                case.wish(stage),
                batch.Names("till-09", taken),
                batch.waiting(plug_in_the_next),
                batch.Report(report),
                talk,
            )
        with report.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        assert [(row["device"], row["ok"]) for row in rows] == [("till-09", "True"), ("", "False"), ("till-10", "True")]
        assert "is not there" in rows[1]["text"]
        assert [facts["port"] for name, facts in talk.events if name == "row"] == [row["port"] for row in rows]
        with enrol.registry(stage.site) as registry:
            assert registry.find("till-10").head_at > 0
