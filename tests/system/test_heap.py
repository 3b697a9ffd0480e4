"""The heap of a terminal at work: what stays free behind a collection, and that it stays so."""

from collections.abc import Iterator

from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin import device
from scanlatch_tools.twin.device import Twin

from tests.system.conftest import SITE

SCANS = 500
FIRST = 100  # scans after which all lists are as long as they get
FREE = 30 * 1024  # bytes
GROWTH = 512  # bytes: what a resend list may differ by
_ANSWERS = frozenset({"accepted", "pending", "rejected", "duplicate", "error"})


def test_five_hundred_scans_leave_30_kb_free_and_nothing_behind(stage: Stage, codes: Iterator[str]) -> None:
    twin = stage.terminal("d-heap-01", SITE, heap_every_ms=200)
    desk = Desk("d-heap-01", SITE, twin)
    desk.wait_ready()
    for _ in range(FIRST):
        _sell(desk, next(codes))
    before = _at_rest(twin)
    mark = twin.mark()
    answers = [_sell(desk, next(codes)) for _ in range(SCANS)]

    free = [line["free"] for line in twin.trace(mark) if line["what"] == "heap"]
    assert answers == ["accepted"] * SCANS
    assert twin.restarts == 0
    assert min(free) >= FREE, f"{min(free)} bytes free of {device.HEAP}"
    assert before - _at_rest(twin) <= GROWTH


def _at_rest(twin: Twin) -> int:
    """What is free while nobody scans: a scan holds 1.5 KB for a moment."""
    free: list[int] = []
    mark = twin.mark()
    while len(free) < 4:  # one a second; the last scan's answer is not yet over at the first
        line = twin.wait_for(lambda line: line["what"] == "heap", timeout=60, after=mark)
        mark = line["n"] + 1
        free.append(line["free"])
    return max(free)


def _sell(desk: Desk, code: str) -> str:
    """The answer to a scan; a journal that had no quiet moment to prepare flash refuses, and gets one."""
    mark = desk.twin.mark()
    answer = desk.hold_text(code, _ANSWERS).answer
    if answer != "busy":
        return answer
    desk.twin.wait_for(lambda line: line["what"] == "flash" and line["op"] == "erase", after=mark)
    return desk.hold_text(code, _ANSWERS).answer
