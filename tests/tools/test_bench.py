"""`scanlatch bench` runs, and its figures are figures; what they are is never asserted here."""

import json
import math
import subprocess
import sys

import pytest

_MAIN = "from scanlatch_tools.cli import main; main()"


def bench(*arguments: str) -> dict[str, list[dict[str, object]]]:
    done = subprocess.run(
        [sys.executable, "-c", _MAIN, "bench", "--quick", "--json", *arguments],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ("latency", "scan to the verdict's light, p99"),
        ("cpu", "bridge CPU a scan, decided here"),
        ("sustained", "outbox empty after the last answer"),
        ("ledger", "ledger of 10,000 codes: the same over 1,000"),
    ],
)
def test_each_part_measures_what_it_is_named_for(part: str, told: str) -> None:
    found = bench("--only", part)
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
