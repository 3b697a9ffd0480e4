"""`scanlatch bench` runs, and its figures are figures; what they are is never asserted here."""

import json
import math
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scanlatch_tools.bench import run

ROOT = Path(__file__).parent.parent.parent
KEYS = {
    "ledger", "scans_per_s", "cpu_us_per_scan", "echo_cpu_us", "cpu_ratio_to_echo", "cpu_us_per_platform_call",
    "settled", "generator_cpu_us", "p50_ms", "p99_ms",
}  # fmt: skip
_MAIN = "from scanlatch_tools.cli import main; main()"


def ran(*arguments: str) -> Any:
    """The last line of standard output, which is JSON."""
    done = subprocess.run(
        [sys.executable, "-c", _MAIN, "bench", *arguments],
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def written(folder: Path, told: str, *profiles: str) -> str:
    """docs/performance.md with the tables of what was told."""
    page, answer = folder / "performance.md", folder / "told.json"
    page.write_text((ROOT / "docs" / "performance.md").read_text("utf-8"), "utf-8")
    answer.write_text(told, "utf-8")
    with pytest.MonkeyPatch.context() as patch:  # in this process: what it loads takes longer than what it does
        patch.setattr(sys, "argv", ["page", str(page), str(answer), *profiles])
        runpy.run_module("scanlatch_tools.bench.page", run_name="__main__")
    return page.read_text("utf-8")


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ("latency", "scan to the verdict's light, p99"),
        ("cpu", "bridge CPU a scan, decided here"),
        ("sustained", "sqlite: outbox empty after the last answer"),
        ("ledger", "sqlite: ledger of 10,000 codes: the same over 1,000"),
    ],
)
def test_each_part_measures_what_it_is_named_for(part: str, told: str) -> None:
    found = ran("--quick", "--json", "--only", part)
    names = [one["name"] for one in found["figures"]]
    assert told in names
    assert len(names) == len(set(names))
    assert any("--quick" in str(why) for why in found["not_run"])
    for one in found["figures"]:
        value, budget, met = one["value"], one["budget"], one["met"]
        assert isinstance(value, int | float), one
        assert math.isfinite(value), one
        assert value >= 0, one
        assert (budget is None) == (met is None), one


def test_a_part_that_does_not_exist_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _MAIN, "bench", "--only", "luck"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "luck" in done.stderr


def test_the_bridge_is_measured_on_both_ledgers_and_every_sale_is_settled(tmp_path: Path) -> None:
    found = ran("bridge", "--json", "--seconds", "0.3", "--devices", "4")
    assert found.keys() >= KEYS
    assert [one["ledger"] for one in found["runs"]] == ["sqlite", "postgresql"]
    for one in (found, *found["runs"]):
        assert one["settled"] == one["accepted"] == one["sold"] > 500
        assert one["outbox_empty_s"] <= 60
        assert 0 < one["p50_ms"] <= one["p99_ms"]
        figures = [one[key] for key in KEYS - {"ledger"}]
        assert all(isinstance(value, int | float) and math.isfinite(value) and value > 0 for value in figures), one
        assert one["cpu_ratio_to_echo"] == pytest.approx(one["cpu_us_per_scan"] / one["echo_cpu_us"], rel=0.01)
    assert found["runs"][1]["ledger_server_cpu_us"] > 0
    text = written(tmp_path, json.dumps(found))
    assert f"| {found['scans_per_s']:,.0f} |" in text
    assert f"load average before the runs: at most {found['machine']['load_before']:g}" in text.lower()


def test_several_bridges_share_the_sales_and_a_profile_says_where_their_time_went(tmp_path: Path) -> None:
    short = ["--seconds", "0.2", "--devices", "2", "--profile", str(tmp_path)]
    found = ran("bridge", "--json", "--ledger", "postgresql", "--bridges", "2", *short)
    assert found["bridges"] == 2
    assert found["profiled"] is True
    assert found["settled"] == found["accepted"] == found["sold"]
    for bridge in ("bridge-1", "bridge-2"):
        told = (tmp_path / "postgresql" / bridge / "MainThread.txt").read_text()
        assert "intake.py" in told
    text = written(tmp_path, json.dumps(found), str(tmp_path / "postgresql" / "bridge-1"))
    assert re.search(r"\n\| paho-mqtt \| [1-9]", text)
    assert re.search(r"\n\| all \|.* 100\.0 \|\n", text)


def test_full_rings_drain_in_order_while_others_are_answered(tmp_path: Path) -> None:
    found = ran("drain", "--json", "--terminals", "3", "--records", "150", "--ring", "120")
    assert (found["terminals"], found["records"], found["ring_records"]) == (3, 150, 120)
    rates = [found[key] for key in ("twin_per_s", "fleet_per_s", "twin_among_per_s", "live_scans")]
    assert all(math.isfinite(rate) and rate > 0 for rate in rates), found
    assert 0 < found["live_p50_ms"] <= found["live_p99_ms"] <= found["live_max_ms"]
    assert found["live_max_ms"] <= found["live_final_max_ms"]
    assert "| SQLite, 3 x 150 |" in written(tmp_path, json.dumps(found))


def test_several_bridges_on_one_file_are_refused() -> None:
    with pytest.raises(AssertionError, match="several bridges need one ledger in PostgreSQL"):
        ran("bridge", "--ledger", "sqlite", "--bridges", "2")


def test_what_is_no_folder_takes_no_profile_and_a_rate_is_never_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("dear")
    with pytest.raises(AssertionError, match="no folder that takes a file"):
        ran("bridge", "--ledger", "sqlite", "--profile", str(tmp_path / "file"))
    assert (run.half(7.0), run.half(0.0)) == (3.5, 1.0)


def test_a_ledger_tells_cost_disk_and_time_to_fill(tmp_path: Path) -> None:
    found = ran("ledger", "--json", "--to", "100000", "--sales", "250")
    (size,) = found["sizes"]
    assert (found["ledger"], size["codes"], size["times_the_first"]) == ("sqlite", 100_000, 1)
    assert size["disk_bytes"] > 20e6
    assert min(size["us_per_scan"], size["cpu_us_per_scan"], size["fill_s"]) > 0
    assert "| SQLite | 100,000 |" in written(tmp_path, json.dumps(found))
