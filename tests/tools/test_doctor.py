"""What is wrong with a board is told over its cable, with what to do: well, bare, half made and damaged ones."""

import base64
import json
import os
import runpy
import shutil
import subprocess
from binascii import crc32
from collections.abc import Callable, Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from scanlatch_tools import boards, enrol
from scanlatch_tools.cable import NoAnswerError
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.doctor import judge, over_cable
from scanlatch_tools.doctor.finding import Finding, status
from scanlatch_tools.doctor.texts import FINDINGS
from scanlatch_tools.flash import partitions
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin.chip.bare import BareBoard

from tests.documents import BIN, ROOT
from tests.tools import provision_case as case
from tests.tools.conftest import DOCTORED as DEVICE
from tests.tools.flash_case import LOG_AT, LOG_SIZE, flashed, until

WELL = [
    "chip.is", "flash.is", "micropython.is", "partitions.are", "files.room", "firmware.is", "keys.are", "settings.are",
    "board.is", "certificate.is", "journal.is", "wear.is", "clock.is", "heap.is", "light.skipped", "tone.skipped",
    "button.skipped", "wifi.is", "dns.is", "broker.is", "tls.is", "program.is", "engine.is", "link.is", "registry.is",
    "bridge.is",
]  # fmt: skip


@pytest.fixture
def broken(board: BareBoard, tmp_path: Path) -> Iterator[BareBoard]:
    """Its power is off: what is done to it now is undone at the end."""
    board.kill()
    kept = ["nvs.json", *(path.name for path in board.folder.glob("flash.bin*"))]
    for name in kept:
        shutil.copyfile(board.folder / name, tmp_path / name)
    shutil.copytree(board.files, tmp_path / "files")
    yield board
    board.kill()
    boot = _boot(board)
    shutil.rmtree(board.files)
    shutil.copytree(tmp_path / "files", board.files)
    for name in kept:
        shutil.copyfile(tmp_path / name, board.folder / name)
    if boot is not None:  # else its heads would go back
        kept_now = json.loads((board.folder / "nvs.json").read_text())
        kept_now["scanlatch"]["boot"] = boot
        (board.folder / "nvs.json").write_text(json.dumps(kept_now))
    board.start()


def _boot(board: BareBoard) -> str | None:
    return json.loads((board.folder / "nvs.json").read_text())["scanlatch"].get("boot")


def _looked(board: BareBoard, stage: Stage | None = None, **more: Any) -> dict[str, Finding]:
    found: list[Finding] = []
    ask: Callable[[str], bool | None] = more.pop("ask", lambda _question: None)
    wish = over_cable.Wish(stage.site.folder if stage else None, **more)
    over_cable.look(str(board.port), wish, ask, found.append)
    assert all(one.text for one in found)
    assert all(one.advice for one in found if one.level in ("warn", "bad"))
    return {one.key: one for one in found}


def test_a_terminal_that_is_well_is_found_so_and_works_again(
    stage: Stage, board: BareBoard, codes: Iterator[str]
) -> None:
    arguments = ["doctor", "--port", board.port, "--site", stage.site.folder, "--json"]
    done = subprocess.run(
        [BIN / "scanlatch", *map(str, arguments)], capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["key"] for row in told if row["event"] == "finding"] == WELL
    assert told[-1] == {"event": "done", "status": 0, "warnings": 0, "faults": 0}
    for key in case.keys_of(board).values():
        assert key.hex() not in done.stdout
    assert case.PASSWORD not in done.stdout
    case.sold(board, DEVICE, next(codes))


def test_a_visit_amid_an_outage_loses_nothing(
    stage: Stage, board: BareBoard, codes: Iterator[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanlatch_tools.doctor.parts.UP_MS", 500)
    monkeypatch.setattr("scanlatch_tools.provision.selftest.LINK_S", 0.5)
    desk = Desk(DEVICE, case.SITE, board)
    desk.wait_online(60)  # the visit before has seen the engine
    board.link(False)
    desk.wait_offline(60)
    assert "kept" in desk.hold_text(next(codes), frozenset({"kept"})).shown
    pressed = iter([True, False, True])  # light, tone, button

    def ask(question: str) -> bool:
        if "button" in question:
            board.button(True)
        return next(pressed)

    monkeypatch.setattr("scanlatch_tools.doctor.parts.BUTTON_MS", 200)
    found = _looked(board, ask=ask)
    board.button(False)
    assert found["journal.waiting"].values["kept"] in (
        1,
        2,
    )  # what the bridge has is marked on the flash a minute later
    assert {"wifi.not", "link.not", "light.is", "tone.not", "button.stuck", "program.is", "bridge.untold"} < set(found)
    assert "dns.is" not in found
    assert status(found.values()) == 8
    board.link(True)
    with enrol.registry(stage.site) as registry:
        until(lambda: registry.find(DEVICE).newest == 2)
    assert board.violations() == []


def _without_files(board: BareBoard) -> None:
    home = board.files / _home(board)
    (home / "scan.mpy").unlink()
    (home / "system" / "settings.mpy").unlink()


def _with_other_files(board: BareBoard) -> None:
    (board.files / _home(board) / "read" / "engines" / "m14.mpy").write_bytes(b"another")


def _home(board: BareBoard) -> Path:
    return next(path.parent.relative_to(board.files) for path in board.files.rglob("scan.mpy"))


def _with_settings(change: Callable[[dict[str, Any]], object]) -> Callable[[BareBoard], None]:
    def broken(board: BareBoard) -> None:
        path = board.files / "settings.json"
        given = json.loads(path.read_bytes()[:-4])
        change(given)
        data = json.dumps(given).encode()
        path.write_bytes(data + crc32(data).to_bytes(4, "little"))

    return broken


def _unknown(given: dict[str, Any]) -> None:
    given["siet"] = "clinic-8"
    given["broker"]["prot"] = 1
    given["broker"]["port"] = 1


def _nvs(board: BareBoard, *names: str) -> None:
    path = board.folder / "nvs.json"
    kept = json.loads(path.read_text())
    for name in names:
        del kept["scanlatch"][name]
    path.write_text(json.dumps(kept))


DAMAGES: dict[str, tuple[Callable[[BareBoard], object], set[str]]] = {
    "files missing": (_without_files, {"firmware.missing"}),
    "files of another version": (_with_other_files, {"firmware.other"}),
    "no program": (lambda board: shutil.rmtree(board.files / _home(board)), {"firmware.none"}),
    "settings unreadable": (
        lambda board: (board.files / "settings.json").write_bytes(b"{\xff garbage"), {"settings.damaged"}),
    "settings gone": (lambda board: (board.files / "settings.json").unlink(), {"settings.none"}),
    "settings with unknown keys": (_with_settings(_unknown), {"settings.unknown"}),
    "settings of another board": (_with_settings(lambda given: given["board"]["light"].update(pin=4)), {"board.other"}),
    "settings of another terminal": (_with_settings(lambda given: given.update(device="other")), {"settings.id"}),
    "certificate gone": (lambda board: (board.files / "device.der").unlink(), {"certificate.none"}),
    "journal wiped": (lambda board: board.flash.erase(LOG_AT, LOG_SIZE), {"journal.gone"}),
    "signing key gone": (lambda board: _nvs(board, "sign_key"), {"keys.lost"}),
    "half provisioned": (
        lambda board: (_nvs(board, "mac_key", "cred_key", "bridge", "journal", "last_time"),
                       [(board.files / name).unlink() for name in ("settings.json", "ca.der", "device.der")]),
        {"keys.missing", "settings.none", "certificate.none", "journal.none"}),
}  # fmt: skip
FAST = ("files missing", "settings with unknown keys", "journal wiped", "half provisioned")


@pytest.mark.parametrize("damage", [*DAMAGES] if os.environ.get("SCANLATCH_FULL") else FAST)
def test_each_damage_is_told_with_what_to_do(broken: BareBoard, damage: str) -> None:
    do, expected = DAMAGES[damage]
    do(broken)
    broken.start()
    found = _looked(broken)
    wrong = {key for key, one in found.items() if one.level in ("warn", "bad")}
    assert wrong - {"program.not"} == expected, [one.text for one in found.values()]
    if damage == "settings with unknown keys":
        assert found["settings.unknown"].values["keys"].split(", ") == ["siet", "broker.prot"]


def test_a_board_out_of_its_bag_is_known_by_its_loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanlatch_tools.cable.cable._ENTRIES", 1)
    with BareBoard(tmp_path / "board", chip="esp32c3") as bare:
        bare.start()
        found = _looked(bare)
        assert {"chip.loader", "flash.is", "micropython.none"} == set(found)
        flashed(bare, tmp_path)
        assert {"firmware.none", "keys.none", "settings.none"} < set(_looked(bare))


# What a board tells, thought up: the rest of it does not matter.
TOLD = {
    "machine": "Generic ESP32 module with ESP32", "number": "2462ab", "size": 4 << 20, "version": [1, 24, 1], "mpy": 6,
    "parts": [[1, 0x40, 0x300000, 1 << 20, "scanlog"]], "table": {"error": ""}, "room": [900, 1000],
    "root": ["main.py", "scanlatch", "films"], "nvs": {"device": "d", "last_time": 1_000_000_000_000},
}  # fmt: skip


@pytest.mark.parametrize(
    ("key", "make"),
    [
        ("files.full", lambda: judge.room({**TOLD, "room": [3, 1000]})),
        ("files.little", lambda: judge.room({**TOLD, "room": [100, 1000]})),
        ("files.none", lambda: judge.room({**TOLD, "room": {"error": "OSError(19,)"}})),
        ("partitions.no_journal", lambda: judge.parts({**TOLD, "parts": []}, None)),
        ("partitions.damaged", lambda: judge.parts({**TOLD, "table": "aGVsbG8="}, None)),
        ("partitions.some", lambda: judge.parts(TOLD, None)),
        ("certificate.soon", lambda: judge.days_left(59)),
        ("certificate.is", lambda: judge.days_left(60)),
        ("certificate.ended", lambda: judge.days_left(-1)),
        ("heap.low", lambda: judge.heap((30 << 10) - 1, None)),
        ("heap.free", lambda: judge.heap(30 << 10, None)),
        ("journal.full", lambda: judge.journal(3000, 3000, 0, None)),
        ("journal.filling", lambda: judge.journal(2500, 3000, 500, None)),
        ("journal.fault", lambda: judge.journal(0, 3000, 3000, "journal went back")),
        ("wear.worn", lambda: judge.wear(99_000, 1)),
        ("clock.ahead", lambda: judge.clock(TOLD, 1_000_000_000 - 3600)),
        ("clock.behind", lambda: judge.clock(TOLD, 1_000_000_000 + 40 * 86_400)),
        ("firmware.untold", lambda: judge.firmware({"a/scanlatch/scan.mpy": "00"}, None, "0.1.0")),
        ("firmware.missing", lambda: judge.firmware({"b/scanlatch/x.mpy": "00"}, {"scanlatch/y.mpy": b""}, "")),
        ("micropython.old", lambda: list(judge.chip({**TOLD, "version": [1, 22, 0]}, None))[-1]),
        ("flash.untold", lambda: list(judge.chip({**TOLD, "size": {"error": ""}}, None))[1]),
    ],
)  # fmt: skip
def test_what_a_board_tells_is_judged(key: str, make: Callable[[], Finding]) -> None:
    found = make()
    assert found.key == key
    assert found.text
    assert bool(found.advice) or found.level in ("ok", "note")
    assert found.key != "files.full" or "films" in found.advice


@pytest.mark.parametrize(
    ("has", "used", "wanted"),
    [
        (b"new", None, []), (b"new", b"old", []),  # it is ahead of what the bridge has heard
        (b"old", b"old", ["bridge.old"]), (b"old", None, ["bridge.old"]),
        (b"old", b"new", ["bridge.key"]), (b"another's", b"old", ["bridge.key"]),
    ],
)  # fmt: skip
def test_a_terminal_on_the_bridges_old_key_is_told_from_one_with_a_wrong_key(
    has: bytes, used: bytes | None, wanted: list[str]
) -> None:
    names = ("device", "sign_key", "agree_key", "tls_key", "mac_key", "cred_key", "journal", "last_time")
    told = {"nvs": dict.fromkeys(names, True) | {"bridge": base64.b64encode(has).decode()}}
    found = list(judge.keys(told, judge.Site(b"", (b"old", b"new"), used)))
    assert [one.key for one in found[1:]] == wanted
    assert found[0].key == "keys.are"


def test_a_board_that_is_another_is_told() -> None:
    made = boards.load("esp32-s3-devkitc")
    found = {one.key: one for one in judge.chip(TOLD, made)}
    assert {"chip.other", "flash.small"} < set(found)
    assert found["flash.small"].values["wanted"] == 8
    table = partitions.table(partitions.of_board(boards.load("esp32-devkitc")))
    told = {**TOLD, "table": base64.b64encode(table.rstrip(b"\xff")).decode()}
    assert judge.parts(told, made).key == "partitions.other"
    assert judge.parts(told, boards.load("esp32-devkitc")).key == "partitions.are"


def test_a_board_that_says_odd_things_ends_no_look_with_a_traceback(
    board: BareBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    for odd in ("no JSON", '{"number": 1, "size": "x", "version": 3}'):
        monkeypatch.setattr("scanlatch_tools.doctor.asked.PROBE", f"print({odd!r})")
        with pytest.raises(NoAnswerError, match="says what can't be understood"):
            _looked(board)


def test_the_documents_table_has_every_finding() -> None:
    text = (ROOT / "docs" / "doctor.md").read_text("utf-8")
    table = runpy.run_path(str(ROOT / "tools" / "scripts" / "doctor_table.py"))["table"]()
    assert table in text, "run tools/scripts/doctor_table.py"


def test_every_finding_can_be_said() -> None:
    for key, said in FINDINGS.items():
        names = {name for _, name, _, _ in Formatter().parse(said.text + said.advice) if name}
        found = Finding(key, dict.fromkeys(names, "x"))
        assert found.text, key
        assert said.level in ("ok", "note", "warn", "bad"), key
        assert bool(found.advice) == bool(said.advice), key
        assert found.advice or said.level in ("ok", "note"), key
