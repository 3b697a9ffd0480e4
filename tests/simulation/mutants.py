"""Breaks the product on purpose, patch by patch in a copy of it, and sees whether a world notices."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).absolute().parents[2]
FOLDER = ROOT / "tests" / "mutants"
SEEDS = 300
_ROOMS = ("firmware", "host_bridge", "tests", "tools")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "node_modules", "*.png")


def patches() -> list[Path]:
    """Every way in which the product is broken on purpose."""
    return sorted(FOLDER.glob("*.patch"))


def copy_to(folder: Path) -> None:
    """The product and its worlds once more."""
    for room in _ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=_LEFT_OUT)


def apply(folder: Path, patch: Path, *how: str) -> None:
    """Break the copy in `folder`, or with "-R" mend it. Raises CalledProcessError where the patch doesn't fit."""
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    subprocess.run(["git", "apply", *how, str(patch)], cwd=folder, env=environment, check=True, capture_output=True)


def caught(folder: Path) -> tuple[int, str] | None:
    """The first seed of 300 whose world breaks in the copy, and what it says; None where none does."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--count", str(SEEDS), "--stop"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(folder / "tools")))},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"^BROKEN seed (\d+):\s*(.*)$", done.stdout, re.MULTILINE)
    if done.returncode not in (0, 1) or (found is None) != (done.returncode == 0):
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    return (int(found[1]), found[2]) if found else None


def main() -> int:
    """Try those named, or all; exit status 1 where one was not caught."""
    missed = 0
    with tempfile.TemporaryDirectory(prefix="scanlatch-mutants-") as name:
        folder = Path(name)
        copy_to(folder)
        for patch in patches():
            if sys.argv[1:] and patch.stem not in sys.argv[1:]:
                continue
            apply(folder, patch)
            found = caught(folder)
            apply(folder, patch, "-R")
            missed += found is None
            print(f"{patch.stem}: {'NOT CAUGHT' if found is None else f'seed {found[0]}: {found[1]}'}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
