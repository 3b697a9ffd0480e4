"""The documents as tests read them, and commands as a person at a shell runs them."""

import io
import os
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from scanlatch_tools import cli

ROOT = Path(__file__).parent.parent
ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
PAGES = [ENGLISH, CHINESE, ROOT / "SECURITY.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]

BIN = Path(sys.executable).parent


def commands(page: Path) -> list[str]:
    """Every line of a page's ```sh blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def prose(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def codes(page: Path) -> list[str]:
    """Everything that stands in `backticks`."""
    return re.findall(r"`([^`\n]+)`", prose(page))


def links(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", prose(page))


def environment(**more: str) -> dict[str, str]:
    path = os.pathsep.join([str(BIN), os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"])
    return {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1", "COLUMNS": "120", **more}


@cache
def usage(*words: str) -> str:
    """What `scanlatch <words> --help` says; in this process, for a hundred pages of help at a second each are long."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(said):
        patch.setenv("COLUMNS", "120")
        try:
            cli.main([*words, "--help"])
        except SystemExit as end:
            assert not end.code, f"scanlatch {shlex.join(words)} --help\n{said.getvalue()}"
    return said.getvalue()


def once(command: str, folder: Path, **more: str) -> str:
    """Run a command to its end; gives all that it said. It must succeed."""
    arguments: dict[str, Any] = {"cwd": folder, "env": environment(**more), "timeout": 180, "check": False}
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, **arguments)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr
