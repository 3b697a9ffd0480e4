"""The demo's first day: a box at each of two windows, and what is cut between them."""

import time
from pathlib import Path
from typing import Any

from scanlatch_tools.books import Books
from scanlatch_tools.demo import scenario
from scanlatch_tools.demo.desk import LOCAL, Desk
from scanlatch_tools.demo.view import View, times_of
from scanlatch_tools.stage import Stage
from scanlatch_tools.texts import N_, _

TITLE = N_("Scanlatch: one box, end to end")
CODES = [scenario.FIRST, scenario.GS1_CODE, *scenario.OFFLINE, scenario.LATE, scenario.CUT]


def stage(folder: Path) -> Stage:
    """One bridge, and a broker in this process."""
    return Stage(folder, [scenario.WINDOW_SITE, scenario.OTHER_SITE])


def play(stage: Stage, view: View) -> dict[str, Any]:
    """Go through the day of `scenario`, at two terminals."""
    view.say(
        _("up: broker (amqtt, in this process), platform, bridge. Topic rights are proven with mosquitto, in tests")
    )
    stage.platform.know(CODES)
    desks = [
        Desk(device, at, stage.terminal(device, at))
        for device, at in (("d-window-01", scenario.WINDOW_SITE), ("d-window-02", scenario.OTHER_SITE))
    ]
    for desk in desks:
        desk.wait_ready()
        view.say(
            _("up: terminal {device} at {at}, with keys that it made itself").format(device=desk.device, at=desk.at)
        )
    day = scenario.Day(stage, desks[0], desks[1], time.sleep)
    for step in day.run():
        view.add(step)
    view.finish()
    view.times(times_of(day.steps))
    return _count(stage, desks, day)


def _count(stage: Stage, desks: list[Desk], day: scenario.Day) -> dict[str, Any]:
    """Everything as it was seen on the lights and found in the books, nothing as it was planned."""
    scans = [step.scan for step in day.steps if step.scan]
    answers = [scan.answer for scan in scans]
    lost = doubled = 0
    with Books(stage.site) as books:
        for desk in desks:
            entries = books.entries(desk.device)
            lost += max(0, desk.kept - len(entries)) + (0 if books.unbroken(desk.device) else 1)
            doubled += max(0, len(entries) - desk.kept)
    doubled += sum(max(0, len(stage.platform.sales(code)) - 1) for code in CODES)
    violations = sum(len(desk.twin.violations()) for desk in desks)
    answer = next((times for times in times_of(day.steps) if times.name.startswith("answer")), None)
    return {
        "scans": len(scans),
        "accepted": answers.count("accepted"),
        "rejected": answers.count("rejected"),
        "duplicate": answers.count("duplicate"),
        "pending_then_final": day.pending_then_final,
        "local_refusals": sum(seen in LOCAL for seen in answers),
        "lost": lost,
        "doubled": doubled,
        "p50_ms": round(answer.p50, 1) if answer else None,
        "p95_ms": round(answer.p95, 1) if answer else None,
        "ok": not lost and not doubled and not violations and all(step.good for step in day.steps),
    }
