"""Breaks the product patch by patch, each in a copy of it, and sees whether the machine made for that finds it."""

import argparse
import queue
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from tests.mutants import machines, patches
from tests.mutants.patches import Patch

_LAST_RUN = "## Last run\n"
_COLUMNS = "| patch | what is broken | machine | outcome |\n|---|---|---|---|\n"
_README = patches.FOLDER / "README.md"


class Trial:
    """Copies of the tree, in each of which one patch at a time is tried."""

    def __init__(self, folder: Path, copies: int, worlds: int) -> None:
        self._worlds = worlds
        self._free: queue.Queue[Path] = queue.Queue()
        for number in range(copies):
            patches.copy_to(folder / str(number))
            self._free.put(folder / str(number))

    def passes(self, machine: str) -> str | None:
        """None where a machine finds nothing in what is not broken."""
        copy = self._free.get()
        began = time.monotonic()
        try:
            found = machines.run(machine, copy, self._worlds)
        except machines.Trouble as trouble:
            return f"{machine}: BREAKS WITHOUT A PATCH: {trouble}"
        finally:
            self._free.put(copy)
        if found is not None:
            return f"{machine}: FINDS SOMETHING WITHOUT A PATCH: {found.what}"
        print(f"without a patch {machine} find nothing ({time.monotonic() - began:.0f} s)", flush=True)
        return None

    def caught(self, patch: Patch) -> tuple[str, str]:
        """What came of a patch, in one word, and how."""
        copy = self._free.get()
        try:
            unfit = patches.apply(copy, patch)
            if unfit is not None:
                return "unfit", unfit
            try:
                found = machines.run(patch.machine, copy, self._worlds)
            except machines.Trouble as trouble:
                return "trouble", str(trouble)
            finally:
                patches.apply(copy, patch, "-R")
        finally:
            self._free.put(copy)
        if found is None:
            return "survives", patch.machine
        return "caught", f"{_short(found.what)} ({found.seconds:.0f} s)"


def main() -> int:
    """Exit status 1 where one survives or doesn't fit, or a machine finds something in what is not broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"patches, or groups ({', '.join(patches.GROUPS)}); all where none")
    parser.add_argument("--worlds", type=int, default=machines.WORLDS, help="that a patch is looked for in, at most")
    parser.add_argument("--jobs", type=int, default=1, help="patches tried at a time")
    parser.add_argument("--readme", action="store_true", help="write the outcome into tests/mutants/README.md")
    given = parser.parse_args()
    chosen = [one for one in patches.every() if not given.names or _is_named(one, given.names)]
    if not chosen:
        parser.error("no such patch")
    with tempfile.TemporaryDirectory(prefix="scanlatch-mutants-") as name, ThreadPoolExecutor(given.jobs) as workers:
        trial = Trial(Path(name), given.jobs, given.worlds)
        wrong = [one for one in workers.map(trial.passes, sorted({one.machine for one in chosen})) if one]
        if wrong:
            print("\n".join(wrong))
            return 1
        outcomes: list[tuple[Patch, str, str]] = []
        for patch, outcome in zip(chosen, workers.map(trial.caught, chosen), strict=True):
            outcomes.append((patch, *outcome))
            print(f"{patch.name}: {outcome[0]}, {patch.machine}: {outcome[1]}", flush=True)
    counts = Counter(outcome for _, outcome, _ in outcomes)
    print(", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())))
    if given.readme:
        _write(outcomes)
    return 0 if set(counts) == {"caught"} else 1


def _is_named(patch: Patch, names: Sequence[str]) -> bool:
    return any(name in (patch.name, patch.path.parent.name, patch.path.stem) for name in names)


def _short(text: str) -> str:
    return text if len(text) <= 160 else text[:157] + "..."


def _write(outcomes: Sequence[tuple[Patch, str, str]]) -> None:
    lines = [f"{_LAST_RUN}\n{datetime.now(UTC):%Y-%m-%d}, by `python -m tests.mutants --readme`.\n"]
    for group in patches.GROUPS:
        mine = [one for one in outcomes if one[0].path.parent.name == group]
        if not mine:
            continue
        caught = sum(outcome == "caught" for _, outcome, _ in mine)
        lines.append(f"\n### {group}: {caught} of {len(mine)} caught\n\n{_COLUMNS}")
        for patch, outcome, how in mine:
            told = how if outcome == "caught" else outcome
            lines.append(f"| `{patch.path.stem}` | {patch.broken} | {patch.machine} | {told.replace('|', '/')} |\n")
    kept = _README.read_text().partition(_LAST_RUN)[0]
    _README.write_text(kept + "".join(lines))


if __name__ == "__main__":
    sys.exit(main())
