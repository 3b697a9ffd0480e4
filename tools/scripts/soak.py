"""Runs the machines of the tests at full size for as long as is said: fresh seeds, power cuts, kills.

`python tools/scripts/soak.py --minutes 30`. Ends with a line `N passed, M failed`; exit status 1 where one failed. What
the clock cuts short counts as neither. With --seed a run's choices come again, not its timing.
"""

import argparse
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from scanlatch_tools.bench import fleet
from scanlatch_tools.bench.latency import has_mosquitto
from scanlatch_tools.books import Books
from scanlatch_tools.broker import Mosquitto
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin import interpreter
from scanlatch_tools.twin.engines import NAMES

from host_bridge.wire import Outcome

ROOT = Path(__file__).resolve().parents[2]
STAND_INS = Path(interpreter.__file__).parent / "stand_ins"
FAULTS = ROOT / "tests" / "faults"
KINDS = ("lost", "half", "garbage", "unstable")
SHARES = {"cuts": 0.2, "worlds": 0.1, "processes": 0.1, "engines": 0.1, "bridges": 0.2, "site": 0.3}  # of the minutes
BRIDGES = ("again_and_again[1]", "again_and_again[2]", "amid", "dead_bridge", "a_bridge_that_hangs")
WORLDS_S, MUTANTS_S = 30, 240  # of one run of worlds; of all mutants
CASE_S = 600.0  # no case of the cuts takes longer
SETTLE_S = 45.0  # until all is final once everything runs again; kept free at the end of the last part
CODES = 20_000
KILL_EVERY, OUTAGE_SCANS = 12, 4  # scans between two kills; scans at most that an outage lasts
ANSWERS = frozenset({"accepted", "duplicate", "rejected", "pending"})


class Score:
    """What has passed and what has failed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.passed = 0
        self.failed = 0

    def tell(self, name: str, trouble: str | None) -> None:
        """One case is over; `trouble` says what went wrong."""
        if trouble is None:
            self.passed += 1
            return
        self.failed += 1
        print(f"FAILED {name} (seed {self.seed})\n{trouble}", flush=True)


def cuts(score: Score, chance: random.Random, until: float) -> None:
    """Power fails inside every flash operation of the journal, then inside every one after that."""
    path = os.pathsep.join(map(str, (ROOT / "firmware", ROOT / "tests" / "stubs", STAND_INS)))
    while time.monotonic() < until:
        kind, depth, seed = chance.choice(KINDS), chance.choice((1, 1, 1, 2)), chance.randrange(1 << 30)
        script = [str(FAULTS / "device_scripts" / "journal_cuts.py"), kind, str(seed), "1", str(depth)]
        command = [sys.executable, *script]
        if depth == 1 and chance.random() < 0.5:
            run_case(score, f"journal cuts on MicroPython: {' '.join(script[1:])}", _micropython(script), {}, until)
        else:
            run_case(score, f"journal cuts: {' '.join(script[1:])}", command, {"PYTHONPATH": path}, until)


def worlds(score: Score, chance: random.Random, until: float) -> None:
    """The product broken on purpose, where there is time; worlds in virtual time from fresh seeds."""
    if until - time.monotonic() > MUTANTS_S:
        run_case(score, "broken on purpose", [sys.executable, "-m", "tests.simulation.mutants"], {}, until)
    command = [sys.executable, "-m", "tests.simulation"]
    while until - time.monotonic() > WORLDS_S:
        numbers = f"--first={chance.randrange(1 << 40)}", f"--seconds={WORLDS_S - 10}", "--count=100000"
        run_case(score, f"worlds {numbers[0]}", [*command, *numbers], {}, until)


def processes(score: Score, chance: random.Random, until: float) -> None:
    """The same of real processes with the twin's flash, at every operation."""
    kinds = list(KINDS)
    chance.shuffle(kinds)
    for kind in kinds:
        test = f"{FAULTS / 'test_flash_cuts_twin.py'}::test_the_next_process_finds_every_kept_record[{kind}]"
        command = [sys.executable, "-m", "pytest", "-q", "-x", test]
        run_case(score, f"process cuts: {kind}", command, {"SCANLATCH_FULL": "1"}, until)


def engines(score: Score, chance: random.Random, until: float) -> None:
    """The demo's day with each family of scan engine, named and found."""
    cases = [(name, how) for name in NAMES for how in ("named", "found")]
    chance.shuffle(cases)
    for name, how in cases:
        test = (
            f"{ROOT / 'tests' / 'system' / 'test_engines.py'}::test_the_day_of_the_demo_goes_as_it_must[{name}-{how}]"
        )
        command = [sys.executable, "-m", "pytest", "-q", "-x", test]
        run_case(score, f"demo with {name}, {how}", command, {"SCANLATCH_FULL": "1"}, until)


def bridges(score: Score, chance: random.Random, until: float) -> None:
    """Two bridges on one PostgreSQL, killed and hung while terminals sell, void, receive and end sessions."""
    names = list(BRIDGES)
    while time.monotonic() < until:
        chance.shuffle(names)
        for name in names:
            test = str(ROOT / "tests/system/test_bridges.py")
            command = [sys.executable, "-m", "pytest", "-q", "-x", test, "-k", name]
            run_case(score, f"bridges: {name}", command, {"SCANLATCH_FULL": "1"}, until)


def run_case(score: Score, name: str, command: list[str], environment: dict[str, str], until: float) -> None:
    """Run a command; cut short by the clock it counts as nothing, cut short by its own limit as failed."""
    left = until - time.monotonic()
    if left <= 0:
        return
    limit = min(left, CASE_S)
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.communicate()
            if limit == CASE_S:
                score.tell(name, f"not done after {CASE_S:.0f} s")
            return
    score.tell(name, None if process.returncode == 0 else said[-3000:])


def site(score: Score, chance: random.Random, until: float) -> None:
    """Boxes are sold at two terminals while terminals, bridge and broker are killed; in the end the books balance."""
    if until - SETTLE_S < time.monotonic():
        print("the long run at a site needs more minutes", flush=True)
        return
    broker = "mosquitto" if has_mosquitto() else "amqtt"
    with tempfile.TemporaryDirectory(prefix="scanlatch-soak-") as folder:
        stage = Stage(Path(folder) / "stage", ["clinic-7"], broker=broker)
        with stage:
            day = Day(stage, chance)
            day.run(until - SETTLE_S)
            day.mend()
            for name, check in day.checks():
                try:
                    trouble = check()
                except Exception as error:  # noqa: BLE001  # a check that can't be made has failed
                    trouble = repr(error)
                score.tell(f"site: {name}", trouble)
            print(f"site: {day.scans} scans, {day.kills} kills, over {broker}", flush=True)


class Day:
    """A long day at a site."""

    def __init__(self, stage: Stage, chance: random.Random) -> None:
        self._stage = stage
        self._chance = chance
        self._codes = [fleet.code(number) for number in range(1, CODES)]
        self._down: dict[str, int] = {}  # part -> number of the scan after which it comes back
        self.scans = 0
        self.kills = 0
        stage.platform.know(self._codes)
        names = ("d-soak-01", "d-soak-02")
        self._desks = [Desk(name, "clinic-7", stage.terminal(name, "clinic-7")) for name in names]
        for desk in self._desks:
            desk.wait_ready()

    def run(self, until: float) -> None:
        """Scan and kill."""
        while time.monotonic() < until:
            self.scans += 1
            for part in [part for part, at in self._down.items() if at <= self.scans]:
                self._start(part)
            if self._chance.randrange(KILL_EVERY) == 0:
                self._kill(self._chance.choice(("bridge", "broker", *(desk.device for desk in self._desks))))
            desk = self._chance.choice(self._desks)
            if desk.device not in self._down:
                again = self._chance.random() < 0.1
                desk.hold_text(self._codes[self._chance.randrange(self.scans) if again else self.scans], ANSWERS)

    def mend(self) -> None:
        """Let everything run again."""
        for part in list(self._down):
            self._start(part)

    def checks(self) -> list[tuple[str, Callable[[], str | None]]]:
        """What must hold at the end."""
        return [
            ("every kept scan has its final verdict", self._all_final),
            ("no record is lost, doubled or out of its chain", self._unbroken),
            ("every accepted box was sold once, every other at most once", self._sold_once),
            ("no terminal did to its flash what NOR forbids", self._no_violations),
        ]

    def _kill(self, part: str) -> None:
        if part in self._down:
            return
        self.kills += 1
        self._down[part] = self.scans + self._chance.randrange(OUTAGE_SCANS)
        broker = self._stage.broker
        if part == "bridge":
            self._stage.bridge.kill()
        elif part != "broker":
            self._stage.terminals[part].kill()
        elif isinstance(broker, Mosquitto):
            broker.kill()
        else:
            broker.stop()

    def _start(self, part: str) -> None:
        del self._down[part]
        if part == "bridge":
            self._stage.bridge.start()
        elif part == "broker":
            self._stage.broker.start()
        else:
            twin = self._stage.terminals[part]
            mark = twin.mark()
            twin.start()
            twin.wait_for(lambda line: line["what"] == "engine", 30, mark)

    def _all_final(self) -> str | None:
        deadline = time.monotonic() + SETTLE_S
        with Books(self._stage.site) as books:
            for desk in self._desks:
                if not books.wait_until_final(desk.device, range(1, desk.kept + 1), deadline - time.monotonic()):
                    return f"{desk.device} kept {desk.kept}, the ledger has {len(books.entries(desk.device))}"
        return None

    def _unbroken(self) -> str | None:
        with Books(self._stage.site) as books:
            broken = [desk.device for desk in self._desks if not books.unbroken(desk.device)]
        return f"broken: {broken}" if broken else None

    def _sold_once(self) -> str | None:
        accepted = 0
        with Books(self._stage.site) as books:
            for desk in self._desks:
                accepted += sum(entry.outcome is Outcome.ACCEPTED for entry in books.entries(desk.device))
        sales = [len(self._stage.platform.sales(code)) for code in self._codes[: self.scans + 1]]
        if max(sales) > 1 or sum(sales) != accepted:
            return f"{accepted} accepted, {sum(sales)} sold, one code {max(sales)} times"
        return None

    def _no_violations(self) -> str | None:
        found = {desk.device: count for desk in self._desks if (count := len(desk.twin.violations()))}
        return f"violations: {found}" if found else None


def _micropython(script: list[str]) -> list[str]:
    """The command that runs a script on the device's interpreter, from this one."""
    program = (
        "import sys; from scanlatch_tools import places; from scanlatch_tools.twin import interpreter as i;"
        "done = i.run(sys.argv[1:], i.search_path(places.firmware()), heap='16M', timeout=600);"
        "print(done.stdout, done.stderr); sys.exit(done.returncode)"
    )
    return [sys.executable, "-c", program, *script]


def main() -> int:
    """Run all parts within the minutes."""
    parser = argparse.ArgumentParser(description="Run the machines of the tests at full size.")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    given = parser.parse_args()
    score = Score(given.seed)
    print(f"soak: seed {given.seed}, {given.minutes:g} minutes", flush=True)
    until = time.monotonic()
    parts = {
        "cuts": cuts,
        "worlds": worlds,
        "processes": processes,
        "engines": engines,
        "bridges": bridges,
        "site": site,
    }
    for part, job in parts.items():
        until += 60 * given.minutes * SHARES[part]
        try:
            job(score, random.Random(f"{given.seed} {part}"), until)  # noqa: S311  # choices, not keys
        except Exception as error:  # noqa: BLE001  # told, counted, and the next part still runs
            score.tell(part, repr(error))
    print(f"{score.passed} passed, {score.failed} failed", flush=True)
    return 1 if score.failed or not score.passed else 0


if __name__ == "__main__":
    sys.exit(main())
