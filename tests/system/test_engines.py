"""A terminal with any family of scan engine reads the calibration sheet's symbols into the ledger, byte for byte."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from scanlatch_tools.books import Books
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin.device import twin_board
from scanlatch_tools.twin.engines import NAMES, simulator

from tests.system.conftest import SITE, STOCK

TWENTY = STOCK[-1].encode()
GS1 = b"010415099999999421" + b"89X7" + b"\x1d17261231" + b"10LOT42"
_FILLED = b"".join(b"%d%s\x1d" % (number, b"7" * 90) for number in range(91, 96))
LONG = b"010415099999999421" + b"8" * 20 + b"\x1d" + _FILLED + b"96" + b"A" * 6
PRODUCT = b"6901234567892"
KEPT = [(TWENTY, "]C0"), (GS1, "]d2"), (LONG, "]Q3")]
CASES = [*NAMES, *(f"auto finds {name}" for name in NAMES)]
TELLS_IDENTIFIER = ("newland", "honeywell", "ssi")
_DRAINED_S = 20
_FREE = 30 * 1024  # bytes behind a collection, the engine's set-up and the link's opening among them
_NEXT_S = 2.5
_WITH_HEAP = """
from scanlatch_tools.cli import main
from scanlatch_tools.stage import Stage
Stage.terminal.__kwdefaults__["heap_every_ms"] = 200
main()
"""


@dataclass(frozen=True)
class Seen:
    """What was seen at one terminal."""

    desk: Desk
    answers: list[str]
    next_s: float  # from the longest symbol to the next: it was armed again at once, not by its heartbeat


@pytest.fixture(scope="module")
def seen(stage: Stage) -> dict[str, Seen]:
    """By case; all terminals at once, as each mostly waits."""

    def calibrate(case: str) -> Seen:
        return _calibrate(stage, case)

    with ThreadPoolExecutor(len(CASES)) as threads:
        return dict(zip(CASES, threads.map(calibrate, CASES), strict=True))


def _calibrate(stage: Stage, case: str) -> Seen:
    name = case.split()[-1]
    engine = simulator(name, **({"baud": 115200} if case == "line" else {}))  # whose frames end at a pause
    board = twin_board(engine, detect=case.startswith("auto"))
    device = "d-" + case.replace(" ", "-").replace("_", "-")
    desk = Desk(device, SITE, stage.terminal(device, SITE, engine=engine, board=board, erase_ms=400, heap_every_ms=200))
    desk.wait_ready(60)  # an engine that answers nobody is known after 17 s
    answers = [desk.hold_text(data, frozenset({"kept"}), aim).answer for data, aim in KEPT]
    since = time.monotonic()
    answers.append(desk.hold_text(PRODUCT, frozenset(), "]E0").answer)
    return Seen(desk, answers, time.monotonic() - since)


@pytest.mark.parametrize("case", CASES)
def test_the_calibration_set_reaches_the_ledger(case: str, seen: dict[str, Seen], stage: Stage) -> None:
    desk, engine = seen[case].desk, seen[case].desk.twin.engine
    assert seen[case].answers == ["kept", "kept", "kept", "wrong_symbol"]
    with Books(stage.site) as books:
        assert books.wait_until_holds(desk.device, [data for data, _ in KEPT], _DRAINED_S)
        messages = [entry.message for entry in books.entries(desk.device)]
        assert books.unbroken(desk.device)
    assert len(messages) == len(KEPT)
    for message, (data, aim) in zip(messages, KEPT, strict=True):
        assert data in message
        assert aim != "]d2" or (aim.encode() in message) == (case.split()[-1] in TELLS_IDENTIFIER)
    assert len(LONG) == 512
    assert seen[case].next_s < _NEXT_S
    assert not engine.simulator.erased
    assert engine.lost == 0
    assert desk.twin.violations() == []
    assert min(line["free"] for line in desk.twin.trace() if line["what"] == "heap") >= _FREE


@pytest.mark.skipif(not os.environ.get("SCANLATCH_FULL"), reason="long; SCANLATCH_FULL=1 runs it")
@pytest.mark.parametrize("find_out", [False, True], ids=["named", "found"])
@pytest.mark.parametrize("name", NAMES)
def test_the_day_of_the_demo_goes_as_it_must(name: str, find_out: bool, tmp_path: Path) -> None:
    arguments = ["demo", "--json", "--folder", str(tmp_path / "demo"), "--engine", name, *["--detect"][: int(find_out)]]
    done = subprocess.run(
        [sys.executable, "-c", _WITH_HEAP, *arguments], capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"ok": true' in done.stdout.splitlines()[-1]
    for trace in (tmp_path / "demo").rglob("trace.jsonl"):
        lines = [json.loads(line) for line in trace.read_text().splitlines()]
        assert min(line["free"] for line in lines if line["what"] == "heap") >= _FREE, trace.parent.name
