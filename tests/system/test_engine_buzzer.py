"""A terminal whose only buzzer is its scan engine's: what a person hears of an answer; nothing is lost by it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

import pytest
from scanlatch_tools.boards import Board
from scanlatch_tools.books import Books
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin.device import Twin, twin_board
from scanlatch_tools.twin.engines import simulator
from scanlatch_tools.twin.trace import Line

from host_bridge.wire import Outcome
from tests.system.conftest import SITE

CASES = ["honeywell", "auto finds ssi"]
UNKNOWN = "83386520009999999001"  # to the platform
WHITE, GREEN, RED, PENDING, IDLE, DARK = [255, 255, 255], [0, 255, 0], [255, 0, 0], [0, 0, 255], [0, 24, 0], [0, 0, 0]
OUTCOMES = [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.REJECTED]
_WAIT_S = 60
_FREE = 29 * 1024  # bytes: as for every engine, less a part of the 2.5 KB that this buzzer takes


class Heard(NamedTuple):
    """Beeps of one scan: how many before its answer, and when the others came, ms behind the answer's light."""

    early: int
    beeps: list[float]


@pytest.fixture(scope="module")
def heard(stage: Stage, codes: Iterator[str]) -> dict[str, tuple[Desk, list[Heard]]]:
    """By case: two boxes that are accepted, one that is rejected. All terminals at once, as each mostly waits."""

    def scanned(case: str) -> tuple[Desk, list[Heard]]:
        engine = simulator(case.split()[-1])
        found = twin_board(engine, detect=case.startswith("auto")).model_dump(exclude_none=True)
        board = Board.model_validate({**found, "buzzer": {"kind": "engine"}})
        device = "d-buzzer-" + case.replace(" ", "-")
        desk = Desk(device, SITE, stage.terminal(device, SITE, engine=engine, board=board, heap_every_ms=200))
        desk.wait_ready(_WAIT_S)
        _shines(desk.twin, DARK, desk.twin.mark())  # what "ready" sounds with is over
        return desk, [_scan(desk.twin, code, GREEN) for code in boxes[case]] + [_scan(desk.twin, UNKNOWN, RED)]

    boxes = {case: list(islice(codes, 2)) for case in CASES}
    with ThreadPoolExecutor(len(CASES)) as threads:
        return dict(zip(CASES, threads.map(scanned, CASES), strict=True))


def _scan(twin: Twin, code: str, answer: list[int]) -> Heard:
    mark = twin.mark()
    twin.scan(code)
    light = _shines(twin, answer, _shines(twin, WHITE, mark)["n"])
    end = _shines(twin, IDLE, light["n"])
    lines = twin.trace(mark)
    slow = any(line["what"] == "light" and line["rgb"] == PENDING for line in lines)
    beeps = [line for line in lines if line["what"] == "beep" and line["n"] < end["n"]]
    late = [beep["at"] - light["at"] for beep in beeps if beep["n"] > light["n"]]
    return Heard(0 if slow else len(beeps) - len(late), late)


def _shines(twin: Twin, colour: list[int], after: int) -> Line:
    return twin.wait_for(lambda line: line["what"] == "light" and line["rgb"] == colour, _WAIT_S, after)


@pytest.mark.parametrize("case", CASES)
def test_an_accepted_box_is_one_beep_and_a_rejected_one_several(
    case: str, heard: dict[str, tuple[Desk, list[Heard]]]
) -> None:
    desk, (first, second, rejected) = heard[case]
    assert first.early == second.early == rejected.early == 0, "the beep is the answer's"
    assert sorted((len(first.beeps), len(second.beeps))) in ([0, 1], [1, 1]), "a busy machine may be too late for one"
    assert 2 <= len(rejected.beeps) <= 4
    assert rejected.beeps[-1] - rejected.beeps[0] > 500, "with the second red light, 650 ms behind the first"
    assert not desk.twin.said("buzzer")
    assert not [line for line in desk.twin.trace() if line["what"] == "tone" and line["hz"]]


@pytest.mark.parametrize("case", CASES)
def test_the_books_balance_and_the_engine_is_never_lost(
    case: str, heard: dict[str, tuple[Desk, list[Heard]]], stage: Stage
) -> None:
    desk, scans = heard[case]
    with Books(stage.site) as books:
        assert books.wait_until_final(desk.device, range(1, len(scans) + 1), _WAIT_S)
        assert [entry.outcome for entry in books.entries(desk.device)] == OUTCOMES
        assert books.unbroken(desk.device)
    engine = desk.twin.engine
    assert (engine.simulator.reads, engine.lost) == (len(scans), 0)
    assert [told["state"] for told in desk.twin.said("engine")].count("ready") == 1
    assert desk.twin.said("engine")[-1]["state"] == "ready"
    assert min(line["free"] for line in desk.twin.trace() if line["what"] == "heap") >= _FREE
