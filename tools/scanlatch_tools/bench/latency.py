"""From the symbol's last byte to the lights of a twin: read, kept, verdict; through broker, bridge and platform."""

import time
from pathlib import Path

from scanlatch_tools.bench import fleet
from scanlatch_tools.bench.figures import Figure, Report
from scanlatch_tools.broker import find_mosquitto
from scanlatch_tools.demo.desk import Desk, Scan
from scanlatch_tools.errors import ToolError
from scanlatch_tools.stage import Stage
from scanlatch_tools.texts import _

READ_MS = 20.0
P50_MS, P99_MS = 25.0, 100.0
_AT, _DEVICE = "clinic-7", "d-window-01"
_ENDS = frozenset({"accepted"})
# Between two boxes a person puts one down and takes up the next. The journal erases flash in pauses of 300 ms and
# more, a sector every eight or so records; without any it has none left after some dozens, and answers "busy".
_PAUSE_S = 0.6


def measure(folder: Path, report: Report, scans: int) -> None:
    """Sell `scans` boxes one after the other at one terminal."""
    stage = Stage(folder, [_AT], broker="mosquitto" if has_mosquitto() else "amqtt")
    codes = [fleet.code(number) for number in range(1, scans + 2)]
    with stage:
        stage.platform.know(codes)
        desk = Desk(_DEVICE, _AT, stage.terminal(_DEVICE, _AT))
        desk.wait_ready()
        seen = [_held(desk, code) for code in codes][1:]  # the first finds everything cold
    report.percentiles("scan to the read light", _times(seen, "read_ms"), "ms", p99=READ_MS)
    report.percentiles("scan to the kept light", _times(seen, "kept_ms"), "ms")
    report.percentiles("scan to the verdict's light", _times(seen, "answer_ms"), "ms", P50_MS, P99_MS)
    accepted = sum(scan.answer == "accepted" for scan in seen)
    report.add(Figure("scans answered busy", sum(scan.answer == "busy" for scan in seen), "scans"))
    report.add(Figure(f"boxes accepted of {scans}", accepted, "boxes", scans, at_least=True))


def _held(desk: Desk, code: str) -> Scan:
    scan = desk.hold_text(code, _ENDS)
    time.sleep(_PAUSE_S)
    return scan


def _times(seen: list[Scan], which: str) -> list[float]:
    found = [took for scan in seen if (took := getattr(scan, which)) is not None]
    if not found:
        raise ToolError(
            _("the twin never showed it: {which}; it showed {seen}").format(
                which=which, seen=[scan.shown for scan in seen][:5]
            )
        )
    return found


def has_mosquitto() -> bool:
    """Whether mosquitto is installed."""
    try:
        find_mosquitto()
    except ToolError:
        return False
    return True
