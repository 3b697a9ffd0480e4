"""The ways to break the product fit it, are told apart from what is not broken, and are all found."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants import machines, patches
from tests.mutants.__main__ import Trial
from tests.mutants.patches import ROOT, Patch

FULL = bool(os.environ.get("SCANLATCH_FULL"))
ONE_OF_EACH = (
    "journal/kept-before-it-is-on-the-flash",
    "uplink/freed-before-the-receipt",
    "intake/receipts-before-the-commit",
    "decision/a-box-sold-elsewhere-counts-as-free",
)
_HARMLESS = """Broken: nothing
Caught by: worlds

--- a/host_bridge/heads.py
+++ b/host_bridge/heads.py
@@ -1,2 +1,3 @@
 {first}
+
 {second}
"""


def _run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutants", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tools")))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("patch", patches.every(), ids=lambda patch: patch.name)
def test_each_fits_the_product_and_names_a_machine(patch: Patch) -> None:
    assert patches.apply(ROOT, patch, "--check") is None
    assert patch.machine in machines.NAMES


@pytest.mark.parametrize("group", ["journal", "uplink", "intake"])
def test_there_are_ten_and_more_of_each(group: str) -> None:
    assert sum(patch.path.parent.name == group for patch in patches.every()) >= 10


def test_one_of_each_group_is_caught() -> None:
    assert "4 caught" in _run(*ONE_OF_EACH, "--worlds", "2")


def test_what_breaks_nothing_survives_and_what_does_not_fit_is_told(tmp_path: Path) -> None:
    first = (ROOT / "host_bridge" / "heads.py").read_text().partition("\n")[0]
    for name, line in (("harmless", first), ("unfit", "another line")):
        (tmp_path / f"{name}.patch").write_text(_HARMLESS.format(first=line, second=""))
    trial = Trial(tmp_path / "tree", 1, worlds=1)
    assert trial.caught(Patch(tmp_path / "harmless.patch", "nothing", "worlds")) == ("survives", "worlds")
    assert trial.caught(Patch(tmp_path / "unfit.patch", "nothing", "worlds"))[0] == "unfit"


@pytest.mark.timeout(3_600)
@pytest.mark.skipif(not FULL, reason="at full size")
@pytest.mark.parametrize("group", patches.GROUPS)
def test_each_is_caught(group: str) -> None:
    _run(group, "--jobs", "2")
