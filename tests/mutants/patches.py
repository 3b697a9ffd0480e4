"""The patches that break the product: what each says of itself, and a copy of the tree to break."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).absolute().parents[2]
FOLDER = Path(__file__).absolute().parent
GROUPS = ("journal", "uplink", "intake", "decision", "update", "keys", "theft")
_PLACES = ("firmware", "host_bridge", "tests", "tools", "board_configs", "pyproject.toml")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "node_modules", "*.png")
_HEAD = re.compile(r"Broken: (.+)\nCaught by: (.+)\n")


@dataclass(frozen=True)
class Patch:
    """One way to break the product. Its file begins with two lines in words, then comes the diff."""

    path: Path
    broken: str
    machine: str

    @property
    def name(self) -> str:
        """Group and name."""
        return f"{self.path.parent.name}/{self.path.stem}"


def every() -> list[Patch]:
    """All patches, group by group. Raises ValueError where one doesn't say what it breaks."""
    return [_read(path) for group in GROUPS for path in sorted((FOLDER / group).glob("*.patch"))]


def _read(path: Path) -> Patch:
    head = _HEAD.match(path.read_text())
    if head is None:
        raise ValueError(f"{path}: begins with no 'Broken: ...' and 'Caught by: ...'")
    return Patch(path, head[1], head[2])


def copy_to(folder: Path) -> None:
    """The product and its machines once more."""
    for place in _PLACES:
        if (ROOT / place).is_dir():
            shutil.copytree(ROOT / place, folder / place, ignore=_LEFT_OUT)
        else:
            shutil.copy(ROOT / place, folder / place)


def apply(folder: Path, patch: Patch, *how: str) -> str | None:
    """Break the copy in `folder`, or with "-R" mend it; where the patch doesn't fit, what git says."""
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    command = ["git", "apply", *how, str(patch.path)]
    done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    return done.stderr.strip() or "doesn't fit" if done.returncode else None
