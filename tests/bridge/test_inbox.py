"""Who waits for whom before intake: a scan of now is not behind the records of an outage, and these come on too."""

import threading
import time

import pytest

from host_bridge.inbox import COMPANY, TRANCHE, Inbox
from host_bridge.late import LATE_MS
from host_bridge.opening import Inbound
from tests.bridge.world import NOW, World

_DAY_MS = 86_400_000


class Box:
    """An inbox, and messages for it; an outage ended just now."""

    def __init__(self, world: World) -> None:
        self.inbox = Inbox(world.clock.now)
        self._terminal = world.terminal()

    def put(self, name: str, ago_ms: int, kind: str = "scan") -> None:
        """A message whose topic ends with its kind and begins with its name."""
        payload = self._terminal.scan(captured_at=NOW - ago_ms)
        self.inbox.put(Inbound(f"{name}/{kind}", payload, lambda: None))

    def take(self, size: int = 500) -> list[str]:
        return [one.topic.partition("/")[0] for one in self.inbox.take(size, 0.0)]


@pytest.fixture
def box(world: World) -> Box:
    return Box(world)


def test_a_scan_of_now_goes_before_all_that_an_outage_has_left(box: Box) -> None:
    for _ in range(300):
        box.put("late", _DAY_MS)
    box.put("live", 20)
    taken = box.take()
    assert taken[0] == "live"
    assert len(taken) == 1 + COMPANY


def test_while_nobody_scans_late_ones_leave_in_tranches(box: Box) -> None:
    for number in range(300):
        box.put(str(number), _DAY_MS)
    taken = [box.take() for _ in range(6)]
    assert [len(batch) for batch in taken] == [TRANCHE] * 4 + [300 - 4 * TRANCHE, 0]
    assert [int(one) for batch in taken for one in batch] == list(range(300))


def test_late_ones_come_on_however_many_scan(box: Box) -> None:
    for _ in range(COMPANY * 3):
        box.put("late", _DAY_MS)
    for turn in range(3):
        for _ in range(500):
            box.put("live", 20)
        taken = box.take()
        assert (len(taken), taken.count("late")) == (500, COMPANY), turn


@pytest.mark.parametrize("size", [1, 2])
def test_a_scan_of_now_goes_first_in_the_smallest_batches_too(box: Box, size: int) -> None:
    for _ in range(3):
        box.put("late", _DAY_MS)
    box.put("live", 20)
    box.put("live", 20)
    assert [name for _ in range(2) for name in box.take(size)].count("live") == 2
    assert "late" in box.take(size)


@pytest.mark.parametrize("size", [1, 2])
def test_the_smallest_batches_are_no_bar_to_either(box: Box, size: int) -> None:
    box.put("late", _DAY_MS)
    box.put("live", 20)
    taken = [box.take(size) for _ in range(2)]
    assert {name for batch in taken for name in batch} == {"late", "live"}


@pytest.mark.parametrize(
    ("ago_ms", "kind", "late"),
    [
        (LATE_MS, "scan", False),
        (LATE_MS + 1, "scan", True),
        (-_DAY_MS, "scan", False),  # a clock that is ahead
        (NOW - 1, "scan", False),  # not in eight bytes: none that a terminal would write
        (_DAY_MS, "head", False),  # who answers a head sets a clock by it
        (_DAY_MS, "reply", False),
    ],
)
def test_late_is_a_record_that_was_read_long_ago(box: Box, ago_ms: int, kind: str, late: bool) -> None:
    for _ in range(2 * COMPANY):
        box.put("other", _DAY_MS)
    box.put("this", ago_ms, kind)
    assert (box.take()[0] == "this") is not late


def test_what_is_no_scan_at_all_waits_for_nobody(box: Box) -> None:
    for _ in range(2 * COMPANY):
        box.put("other", _DAY_MS)
    box.inbox.put(Inbound("junk/scan", b"\xff" * 300, lambda: None))
    assert box.take()[0] == "junk"


def test_an_interrupted_wait_ends_at_once_and_loses_nothing(box: Box) -> None:
    threading.Timer(0.05, box.inbox.interrupt).start()
    began = time.monotonic()
    assert box.inbox.take(500, 30.0) == []
    assert time.monotonic() - began < 10
    box.put("late", _DAY_MS)
    box.inbox.interrupt()
    box.put("live", 20)
    assert len(box.inbox) == 3
    assert [box.take(), box.take()] == [["late"], ["live"]]
