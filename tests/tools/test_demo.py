"""`scanlatch demo` tells what happened, and says so where that was not as it must be."""

import json
import subprocess
import sys
from pathlib import Path

from scanlatch_tools.demo import scenario

_KEYS = {
    "scans",
    "accepted",
    "rejected",
    "duplicate",
    "pending_then_final",
    "local_refusals",
    "lost",
    "doubled",
    "p50_ms",
    "p95_ms",
    "ok",
}


def _demo(folder: Path, code: str) -> tuple[int, dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-c", code, "demo", "--json", "--folder", str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def test_the_day_of_the_demo_goes_as_it_must(tmp_path: Path) -> None:
    status, told = _demo(tmp_path / "demo", "from scanlatch_tools.cli import main; main()")
    assert set(told) == _KEYS
    assert (status, told["ok"], told["lost"], told["doubled"]) == (0, True, 0, 0)
    assert (told["accepted"], told["rejected"], told["duplicate"], told["local_refusals"]) == (2, 1, 1, 2)
    assert told["pending_then_final"] == len(scenario.OFFLINE) + 1
    assert told["scans"] == 11
    assert 0 < float(str(told["p50_ms"])) <= float(str(told["p95_ms"]))


def test_a_day_that_goes_wrong_ends_with_status_1(tmp_path: Path) -> None:
    """The platform is not told of the codes: what the scenario wants accepted is rejected."""
    status, told = _demo(
        tmp_path / "demo",
        "from scanlatch_tools.demo import box; box.CODES.clear(); from scanlatch_tools.cli import main; main()",
    )
    assert (status, told["ok"], told["accepted"]) == (1, False, 0)
    assert (told["lost"], told["doubled"]) == (0, 0)
