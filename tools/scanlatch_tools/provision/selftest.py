"""Starts a provisioned terminal and watches it: program, journal, scan engine, link, and the bridge that heard it."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scanlatch_tools.cable import Cable
from scanlatch_tools.texts import N_, _

START_S = 60.0  # until its program has started, with MicroPython's boot and the first journal
ENGINE_S = 45.0  # until its scan engine is set up; one that has to be found answers at the fourth speed, maybe
LINK_S = 60.0  # until it is connected to the broker
BRIDGE_S = 30.0  # until the bridge has taken its first head
_LOOK_S = 0.2
_SOON_S = 5.0  # longer than that, and whoever waits is told


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. ok: None where it was not asked for."""

    name: str
    ok: bool | None
    text: str


def run(
    cable: Cable, heard_since: Callable[[int], bool] | None, now: int, *, link: bool, tell: Callable[[Check], None]
) -> bool:
    """Restart the board and look; whether all that was asked for is well.

    Args:
        cable: to a board that has all that it needs.
        heard_since: whether the bridge has taken a head of this terminal since a time, ms UTC; None: its registry
            is elsewhere.
        now: ms UTC.
        link: whether the broker can be reached from here.
        tell: gets each finding.

    Raises:
        CableLostError.
    """
    cable.restart()
    found = Watch(cable)
    started = found.wait("started", lambda _told: True, START_S)
    if started is None:
        tell(
            Check(
                N_("program"),
                False,
                _("does not start within {start_s:.0f} s: {last}").format(
                    start_s=START_S, last=found.last or _("it says nothing")
                ),
            )
        )
        return False
    fault = started.get("fault")
    checks = [
        Check(N_("program"), True, _("it runs")),
        Check(N_("journal"), not fault, _("fault: {fault}").format(fault=fault) if fault else _("stands")),
    ]
    engine = found.wait("engine", _engine_stands, ENGINE_S)
    checks.append(_of_engine(engine, found.newest("engine")))
    for check in checks:
        tell(check)
    if not link:
        tell(Check(N_("link"), None, _("not looked at")))
        return all(check.ok for check in checks)
    up = found.wait("link", _is_up, min(_SOON_S, LINK_S))
    if up is None and LINK_S > _SOON_S:
        tell(Check(N_("link"), None, _("not connected yet; it has up to {link_s:.0f} s").format(link_s=LINK_S)))
        up = found.wait("link", _is_up, LINK_S - _SOON_S)
    if up is None:
        cause = (found.newest("link") or {}).get("cause") or _("no connection yet")
        checks.append(
            Check(
                N_("link"),
                False,
                _("down: {cause}. It goes on trying; see docs/troubleshooting.md").format(cause=cause),
            )
        )
    else:
        checks.append(Check(N_("link"), True, _("connected to the broker")))
        checks.append(_of_bridge(heard_since, now))
    for check in checks[3:]:
        tell(check)
    return all(check.ok is not False for check in checks)


def _is_up(told: dict[str, Any]) -> bool:
    return told.get("online") is True


def _of_bridge(heard_since: Callable[[int], bool] | None, now: int) -> Check:
    if heard_since is None:
        return Check(N_("bridge"), None, _("not looked at: its registry is elsewhere"))
    heard = _within(BRIDGE_S, lambda: heard_since(now))
    text = _("has its first word") if heard else _("has not heard it: does the bridge run?")
    return Check(N_("bridge"), heard, text)


def _engine_stands(told: dict[str, Any]) -> bool:
    return told.get("state") == "ready" or str(told.get("detail", "")).endswith("by line")


def _of_engine(stands: dict[str, Any] | None, newest: dict[str, Any] | None) -> Check:
    if stands is not None:
        return Check(N_("engine"), True, str(stands.get("detail") or stands.get("state")))
    why = (newest or {}).get("detail") or _("says nothing")
    return Check(
        N_("engine"),
        False,
        _("not found ({why}): its plug, its wires, engine.kind in the board's file").format(why=why),
    )


def _within(limit_s: float, true: Callable[[], bool]) -> bool:
    until = time.monotonic() + limit_s
    while not (found := true()) and time.monotonic() < until:
        time.sleep(_LOOK_S)
    return found


class Watch:
    """What a terminal tells on its console, one JSON line an event."""

    def __init__(self, cable: Cable) -> None:
        self._cable = cable
        self._told: list[dict[str, Any]] = []
        self.last = ""

    def newest(self, event: str) -> dict[str, Any] | None:
        return next((told for told in reversed(self._told) if told.get("event") == event), None)

    def wait(self, event: str, wanted: Callable[[dict[str, Any]], bool], limit_s: float) -> dict[str, Any] | None:
        """The newest such event, already told or to come; None where none comes in time."""
        newest = self.newest(event)
        if newest and wanted(newest):
            return newest
        for line in self._cable.lines(limit_s):
            self.last = line or self.last
            if not line.startswith("{"):
                continue
            try:
                told: Any = json.loads(line)
            except ValueError:
                continue
            self._told.append(told)
            if told.get("event") == event and wanted(told):
                return told
        return None
