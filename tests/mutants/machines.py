"""The machines that look for what is broken: how each is run in a copy of the tree, and what it says where it finds."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

WORLDS = 300
LIMIT_S = 300  # of one program
_KINDS = ("lost", "half", "garbage", "unstable")
_CUTS = "tests/faults/device_scripts/journal_cuts.py"
_LIVES = (("1000", "4", "1"), ("12002", "1", "2"))  # first seed, seeds, cuts in a row
_ON_THE_CHIP = ("firmware", "tests/stubs", "tools/scanlatch_tools/twin/stand_ins")
_TESTS = {
    "journal cases": ("tests/firmware/test_journal.py", "-k", "on_cpython"),
    "file cuts": ("tests/faults/test_flash_cuts_store.py",),
    "hostile broker": ("tests/firmware/test_mqtt_hostile.py",),
    "real broker": ("tests/firmware/test_mqtt_broker.py",),
    "terminal's cases": ("tests/firmware/test_verdict.py", "tests/firmware/test_resend.py"),
    "intake": (
        "tests/bridge/test_intake_chain.py",
        "tests/bridge/test_intake_heads.py",
        "tests/bridge/test_intake_sales.py",
        "-k",
        "sqlite",
    ),
    "outbox": ("tests/bridge/test_outbox_bridges.py", "tests/bridge/test_outbox_order.py", "-k", "sqlite"),
    "updates": ("tests/firmware/test_update.py",),
    "updates, fuzzed": ("tests/fuzz/test_fuzz_update.py", "-k", "neither"),
    "rotation": ("tests/bridge/test_rotation.py", "tests/bridge/test_peers.py"),
    "two bridges": ("tests/system/test_bridges.py", "-k", "wait_for_its_row"),
}
NAMES = ("worlds", "flash cuts", *_TESTS)
_FAILED = re.compile(r"^FAILED (?:\S+::)(\S+)", re.MULTILINE)


class Trouble(Exception):  # noqa: N818  # what it is, not that it is wrong
    """A machine did neither pass nor say what it found."""


@dataclass(frozen=True)
class Found:
    """What a machine came upon first, and after how many seconds."""

    what: str
    seconds: float


@dataclass(frozen=True)
class _Program:
    """Exit status 0 where it found nothing; else `finds` is in what it printed."""

    command: tuple[str, ...]
    finds: re.Pattern[str]
    path: tuple[str, ...] = ("", "tools")  # of modules, in the copy


def run(name: str, folder: Path, worlds: int = WORLDS) -> Found | None:
    """Run a machine in the copy of the tree in `folder` until it finds something; None where it doesn't.

    Raises Trouble where it breaks itself, or takes longer than LIMIT_S.
    """
    began = time.monotonic()
    for program in _programs(name, worlds):
        found = _run(program, folder)
        if found is not None:
            return Found(found, time.monotonic() - began)
    return None


def _programs(name: str, worlds: int) -> Iterator[_Program]:
    if name == "worlds":
        command = ("-m", "tests.simulation", "--count", str(worlds), "--stop")
        yield _Program(command, re.compile(r"^BROKEN (seed \d+):\s*(.*)$", re.MULTILINE))
    elif name == "flash cuts":
        for first, seeds, depth in _LIVES:
            for kind in _KINDS:
                found = re.compile(r"^(kind .*)$[\s\S]*^(?:__main__\.)?\w+: (.*)$", re.MULTILINE)
                yield _Program((_CUTS, kind, first, seeds, depth), found, _ON_THE_CHIP)
    else:
        yield _Program(("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *_TESTS[name]), _FAILED)


def _run(program: _Program, folder: Path) -> str | None:
    path = os.pathsep.join(str(folder / place) for place in program.path)
    try:
        done = subprocess.run(
            [sys.executable, *program.command],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Trouble(f"not done after {LIMIT_S} s") from None
    if done.returncode == 0:
        return None
    found = program.finds.search(done.stdout)
    if done.returncode != 1 or found is None:
        raise Trouble(done.stdout[-3000:])
    return ": ".join(found.groups())
