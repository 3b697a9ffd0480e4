"""Power fails inside flash operations: of the journal, and of whole processes with the twin's flash."""

import os
import random
import sys
import time
from pathlib import Path

from scanlatch_tools.twin import interpreter

from soaks.cases import FULL, ROOT, Score, run_case

_FAULTS = ROOT / "tests" / "faults"
_STAND_INS = Path(interpreter.__file__).parent / "stand_ins"
_KINDS = ("lost", "half", "garbage", "unstable")


def cuts(score: Score, chance: random.Random, until: float) -> None:
    """Power fails inside every flash operation of the journal, then inside every one after that."""
    path = os.pathsep.join(map(str, (ROOT / "firmware", ROOT / "tests" / "stubs", _STAND_INS)))
    while time.monotonic() < until:
        kind, depth, seed = chance.choice(_KINDS), chance.choice((1, 1, 1, 2)), chance.randrange(1 << 30)
        script = [str(_FAULTS / "device_scripts" / "journal_cuts.py"), kind, str(seed), "1", str(depth)]
        command = [sys.executable, *script]
        if depth == 1 and chance.random() < 0.5:
            run_case(score, f"journal cuts on MicroPython: {' '.join(script[1:])}", _micropython(script), {}, until)
        else:
            run_case(score, f"journal cuts: {' '.join(script[1:])}", command, {"PYTHONPATH": path}, until)


def processes(score: Score, chance: random.Random, until: float) -> None:
    """The same of real processes with the twin's flash, at every operation."""
    kinds = list(_KINDS)
    chance.shuffle(kinds)
    for kind in kinds:
        test = f"{_FAULTS / 'test_flash_cuts_twin.py'}::test_the_next_process_finds_every_kept_record[{kind}]"
        command = [sys.executable, "-m", "pytest", "-q", "-x", test]
        run_case(score, f"process cuts: {kind}", command, FULL, until)


def _micropython(script: list[str]) -> list[str]:
    """The command that runs a script on the device's interpreter, from this one."""
    program = (
        "import sys; from scanlatch_tools import places; from scanlatch_tools.twin import interpreter as i;"
        "done = i.run(sys.argv[1:], i.search_path(places.firmware()), heap='16M', timeout=600);"
        "print(done.stdout, done.stderr); sys.exit(done.returncode)"
    )
    return [sys.executable, "-c", program, *script]
