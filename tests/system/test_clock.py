"""A terminal without a battery, end to end: scans by a clock that was never set, whose times are known after all."""

import json
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.stage import Stage

from host_bridge.ledger.schema import scans
from host_bridge.opening import peek
from host_bridge.wire import Clock
from tests.system.conftest import SITE
from tests.system.ledger_view import LedgerView
from tests.system.waiting import switch_on, until

DEVICE = "d-clock-01"
HOUR_MS = 3_600_000
NEAR_MS = 8_000  # between a scan and what the ledger says of it, on a busy machine
APART_S = 9.0  # from the scan without a link to the link: more than what is near
_ANSWERS = frozenset({"accepted", "pending", "rejected", "duplicate", "error"})
_CLOCK, _BOOT, _UPTIME = 5, 6, 7  # keys of a scan


class Kept(NamedTuple):
    """A record of the ledger, as far as its time goes."""

    own: int
    at: int
    by: str
    clock: Any
    boot: Any
    uptime: Any


def test_what_an_unset_clock_kept_without_a_broker_has_its_time_in_the_ledger(
    stage: Stage, codes: Iterator[str]
) -> None:
    desk = Desk(DEVICE, SITE, stage.terminal(DEVICE, SITE))
    twin = desk.twin
    desk.wait_ready()
    enrolled_by = _now()
    until(lambda: len(_rtc(desk)) > 1, "the hello's receipt sets the clock")
    desk.hold_text(next(codes), _ANSWERS)
    first = _kept(stage, 1)
    assert (first.by, first.clock, first.at) == ("given", Clock.SYNCHRONISED, first.own)

    twin.kill()
    _away(desk, HOUR_MS // 2)
    stage.broker.stop()
    try:
        started, mark = _now(), twin.mark()
        switch_on(twin)
        seen = desk.hold_text(next(codes), _ANSWERS)
        read_at = _now()
        assert seen.seq == 2
        time.sleep(APART_S)  # an outage: nothing else tells what an uptime is good for
    finally:
        stage.broker.start()
    second = _kept(stage, 2)
    floor = second.own - second.uptime
    assert second.clock == Clock.NEVER_SET
    assert floor <= enrolled_by, "it began at what it surely knew, and did not go on by an RTC that had no power"
    assert second.boot == first.boot + 1
    assert 0 < second.uptime <= read_at - started
    assert second.by == "uptime"
    assert abs(second.at - read_at) < NEAR_MS
    assert second.at - second.own > HOUR_MS // 4, "which the terminal could not know"

    desk.wait_online(60, mark)
    assert _rtc(desk, mark)[0] == floor // 1000, "the RTC has the floor before anything asks TLS for a date"
    until(lambda: len(_rtc(desk, mark)) > 1, "the hello's receipt sets the clock")
    desk.hold_text(next(codes), _ANSWERS)
    third = _kept(stage, 3)
    assert (third.clock, third.by, third.boot) == (Clock.SYNCHRONISED, "given", second.boot)
    twin.stop()


def _away(desk: Desk, ms: int) -> None:
    """Its power was off for so long: the time that it kept last is older."""
    path = desk.twin.folder / "nvs.json"
    stored = json.loads(path.read_text())
    (kept,) = (space for space in stored.values() if "last_time" in space)
    last = int.from_bytes(bytes.fromhex(kept["last_time"]), "little") - ms
    kept["last_time"] = last.to_bytes(len(kept["last_time"]) // 2, "little").hex()
    path.write_text(json.dumps(stored))


def _rtc(desk: Desk, mark: int = 0) -> list[int]:
    """What the RTC was set to, seconds since 1970."""
    return [line["seconds"] + 946_684_800 for line in desk.twin.trace(mark) if line["what"] == "rtc"]


def _kept(stage: Stage, seq: int) -> Kept:
    columns = scans.c.captured_at, scans.c.corrected_at, scans.c.corrected_by, scans.c.message
    query = sa.select(*columns).where(scans.c.device == DEVICE, scans.c.seq == seq)
    found: list[Any] = []

    def there() -> bool:
        with LedgerView(stage) as ledger:
            found.extend(ledger.read(lambda connection: connection.execute(query).all()))
        return bool(found)

    until(there, f"record {seq} in the ledger", 90)
    row = found[0]
    return Kept(row[0], row[1], row[2], *(peek(row[3], key) for key in (_CLOCK, _BOOT, _UPTIME)))


def _now() -> int:
    return time.time_ns() // 1_000_000
