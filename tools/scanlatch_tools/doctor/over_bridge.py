"""Asks a terminal through the bridge: a command `health`, and what it said of itself last."""

import time
from pathlib import Path

from host_bridge.clock import SystemClock
from host_bridge.ledger import commands, hints
from host_bridge.ledger import devices as rows
from host_bridge.ledger.devices import ENROLLED
from host_bridge.ledger.hints import Hint
from host_bridge.ledger.open import Ledger, open_existing
from scanlatch_tools import site as sites
from scanlatch_tools.doctor import judge
from scanlatch_tools.doctor.finding import Finding, Tell
from scanlatch_tools.doctor.parts import strength
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _

ANSWER_S = 40.0  # the bridge looks for commands every 10 s; a terminal may be busy with its link
_LIFE_MS = 60_000
_LOOK_S = 0.2
_WRITTEN_S = 1.5  # the bridge writes hints down once a second
_CLOCKS = ("never", "kept", "set")


def look(folder: Path, device: str, tell: Tell) -> None:
    """Look at a terminal of a site; each finding is told.

    Raises:
        ToolError: the site can't be used, or knows no such terminal.
    """
    ledger = open_existing(sites.load(folder).ledger_url)
    try:
        _look(ledger, device, tell)
    finally:
        ledger.close()


def _look(ledger: Ledger, device: str, tell: Tell) -> None:
    now = SystemClock().now()
    counter = 0
    with ledger.write() as connection:
        row = rows.lock(connection, [device]).get(device)
        if row is None:
            raise ToolError(_("no terminal {device} in this site's registry").format(device=device))
        if row.status == ENROLLED:
            counter = commands.add(connection, row, "health", {}, now, now + _LIFE_MS).counter
    if row.status == ENROLLED:
        tell(Finding("registry.is", {"device": device, "site": row.site}))
    else:
        tell(Finding("registry.not", {"device": device, "status": row.status}))
    said = _answered(ledger, device, counter, now, tell)
    if "status" in said:
        _status(said["status"], now, tell)
    if "health" in said:
        _health(said["health"], tell)
    tell(Finding("cable.only"))


def _answered(ledger: Ledger, device: str, counter: int, since: int, tell: Tell) -> dict[str, Hint]:
    """What it said last; waits for what it says to the command."""
    began = time.monotonic()
    settled: float | None = None  # its health follows its answer, and is written a moment later
    while True:
        with ledger.read() as connection:
            said = hints.of_device(connection, device)
            unsent = any(one.device == device for one in commands.due(connection, since, 1_000))
            answered = commands.answer(connection, device, counter) is not None
        health = said.get("health")
        now = time.monotonic()
        over = now - began >= ANSWER_S
        if settled is None and answered:
            settled = now + _WRITTEN_S
        if health and health.received_at >= since and (over or (settled is not None and now >= settled)):
            tell(Finding("answer.is", {"seconds": round(now - began, 1)}))
            return said
        if over:
            break
        time.sleep(_LOOK_S)
    seconds = round(ANSWER_S)
    if unsent:
        tell(Finding("answer.bridge", {"seconds": seconds}))
    if health is None:
        tell(Finding("answer.never", {"seconds": seconds}))
    else:
        past = judge.ago((SystemClock().now() - health.received_at) / 1000)
        tell(Finding("answer.not", {"seconds": seconds, "ago": past}))
    return said


def _status(status: Hint, now: int, tell: Tell) -> None:
    told = status.told
    if not told.get("online"):
        tell(Finding("status.offline", {"ago": judge.ago((now - status.received_at) / 1000)}))
        return
    tell(Finding("status.online", {"boot": told.get("boot", "?")}))
    tell(Finding("firmware.version", {"version": told.get("fw", "?")}))
    if told.get("engine"):
        tell(Finding("engine.is", {"text": told["engine"]}))


def _health(health: Hint, tell: Tell) -> None:
    told = health.told
    engine = told.get("engine")
    if engine == "lost":
        tell(Finding("engine.lost"))
    tell(judge.journal(_number(told.get("queue")), _number(told.get("capacity")), _number(told.get("room", 1)), None))
    years = told.get("flash_years")
    if isinstance(years, list) and years:
        tell(judge.wear(_number(told.get("flash_worn")), _number(years[0])))  # pyright: ignore[reportUnknownArgumentType]
    quality = told.get("clock")
    if quality in (0, 1, 2):
        tell(Finding(f"clock.{_CLOCKS[quality]}"))
    if isinstance(told.get("heap_free"), int):
        tell(judge.heap(told["heap_free"], None))
    tell(strength("Wi-Fi", told["rssi"] if isinstance(told.get("rssi"), int) else None))
    days = told.get("certificate_days")
    tell(judge.days_left(days) if isinstance(days, int) else Finding("certificate.untold"))
    if told.get("update") in ("on trial", "taken back"):
        tell(Finding("update.trial" if told["update"] == "on trial" else "update.back"))


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
