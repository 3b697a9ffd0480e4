"""`scanlatch demo` tells what happened, and says so where that was not as it must be."""

import json
import os
import subprocess
import sys
from pathlib import Path

from scanlatch_tools import site
from scanlatch_tools.demo import scenario

from host_bridge.audit.run import audit
from host_bridge.clock import SystemClock

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


_FLEET_KEYS = (_KEYS - {"local_refusals"}) | {"bridges", "killed", "terminals", "codes", "answered_after_s"}
_AS_IT_IS = "from scanlatch_tools.cli import main; main()"
_WITH_HEAP = f"""
from scanlatch_tools.stage import Stage
Stage.terminal.__kwdefaults__["heap_every_ms"] = 200
{_AS_IT_IS}
"""
_FREE = 30 * 1024  # bytes of a terminal's heap behind a collection


def _run(folder: Path, code: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, "demo", "--json", "--folder", str(folder), *options],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, **environment},
    )


def _demo(folder: Path, code: str, *options: str) -> tuple[int, dict[str, object]]:
    done = _run(folder, code, *options)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def test_the_day_of_the_demo_goes_as_it_must(tmp_path: Path) -> None:
    status, told = _demo(tmp_path / "demo", _WITH_HEAP)
    assert set(told) == _KEYS
    assert (status, told["ok"], told["lost"], told["doubled"]) == (0, True, 0, 0)
    assert (told["accepted"], told["rejected"], told["duplicate"], told["local_refusals"]) == (2, 1, 1, 2)
    assert told["pending_then_final"] == len(scenario.OFFLINE) + 1
    assert told["scans"] == 11
    assert 0 < float(str(told["p50_ms"])) <= float(str(told["p95_ms"]))
    findings = audit(site.load(tmp_path / "demo" / "site").ledger_url, {}, SystemClock().now())
    assert findings.clean, findings.lines()
    assert sum(one.records for one in findings.devices) == 11 - 2  # what a terminal refuses by itself is no record
    for trace in (tmp_path / "demo").rglob("trace.jsonl"):
        lines = [json.loads(line) for line in trace.read_text().splitlines()]
        free = [line["free"] for line in lines if line["what"] == "heap"]
        assert len(free) >= 3, trace.parent.name
        assert min(free) >= _FREE, trace.parent.name


def test_a_day_that_goes_wrong_ends_with_status_1(tmp_path: Path) -> None:
    """The platform is not told of the codes: what the scenario wants accepted is rejected."""
    status, told = _demo(
        tmp_path / "demo",
        "from scanlatch_tools.demo import box; box.CODES.clear(); from scanlatch_tools.cli import main; main()",
    )
    assert (status, told["ok"], told["accepted"]) == (1, False, 0)
    assert (told["lost"], told["doubled"]) == (0, 0)


def test_a_fleet_goes_on_when_one_of_its_bridges_dies(tmp_path: Path) -> None:
    status, told = _demo(tmp_path / "demo", _AS_IT_IS, "--scenario", "fleet")
    assert set(told) == _FLEET_KEYS
    assert (status, told["ok"], told["lost"], told["doubled"]) == (0, True, 0, 0)
    assert (told["bridges"], told["killed"], told["terminals"]) == (2, 1, 6)
    assert told["accepted"] == told["codes"]
    assert int(str(told["rejected"])) + int(str(told["duplicate"])) + int(str(told["codes"])) == told["scans"]
    assert 0 < float(str(told["answered_after_s"])) <= 60


def test_a_fleet_without_postgresql_says_what_to_install(tmp_path: Path) -> None:
    done = _run(tmp_path / "demo", _AS_IT_IS, "--scenario", "fleet", SCANLATCH_POSTGRES=str(tmp_path))
    assert done.returncode == 1
    assert "apt-get install postgresql" in json.loads(done.stdout)["text"]
    assert "Traceback" not in done.stderr


def test_the_day_at_the_dock_goes_as_it_must(tmp_path: Path) -> None:
    run = "from scanlatch_tools.cli import main; main()"
    status, told = _demo(tmp_path / "demo", run, "--scenario", "dock")
    assert (status, told["ok"], told["lost"], told["doubled"]) == (0, True, 0, 0)
    assert (told["announced"], told["received"], told["missing"], told["extra"], told["differing"]) == (11, 8, 2, 1, 1)
    assert (told["stock_missing"], told["stock_surplus"]) == (2, 1)
