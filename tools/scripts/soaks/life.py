"""The long life of one terminal: thousands of scans in one start, within its heap, through all that a site does to it.

Broker, bridge and Wi-Fi go and come back, commands and control codes arrive, codes are plain, GS1 and QR.
"""

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from scanlatch_tools.bench import fleet
from scanlatch_tools.books import Books
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.labels import control
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin.trace import Line

from host_bridge.ledger import commands, devices, open_ledger
from soaks.cases import Score

DEVICE, SITE = "d-life-01", "clinic-7"
CODES = 40_000  # that the platform knows
FREE = 30 * 1024  # bytes of the heap behind a collection
GROWTH = 512  # bytes between the first and the last quarter
FIRST = 100  # scans after which all lists are as long as they get
EVENT_EVERY = 25  # scans, on the average
OUTAGE_SCANS = 6  # at most without a link
SETTLE_S = 60.0
LINK_S = 90.0
COMMAND_MS = 60_000  # until a command is too late
_ANSWERED = ("accepted", "rejected", "duplicate", "pending", "error", "exempt")
ANSWERS = frozenset({*_ANSWERED, *(f"query_{one}" for one in _ANSWERED), *(f"done_{one}" for one in _ANSWERED)})


class Life:
    """One terminal at a site, and what happens to it."""

    def __init__(self, stage: Stage, chance: random.Random) -> None:
        self.stage = stage
        self.chance = chance
        self.scans = 0
        self.events = 0
        self.desk = Desk(DEVICE, SITE, stage.terminal(DEVICE, SITE, heap_every_ms=500))
        stage.platform.know([fleet.code(number) for number in range(1, CODES)])
        self.desk.wait_ready()
        self._measured_from = 0

    def run(self, until: float) -> None:
        """Scan until then, with something happening now and again."""
        happens = (self._broker, self._bridge, self._wifi, self._command, self._operation, self._rubbish)
        while time.monotonic() < until:
            self._scan()
            if self.scans == FIRST:
                self._measured_from = self.desk.twin.mark()
            if self.chance.randrange(EVENT_EVERY) == 0:
                self.events += 1
                self.chance.choice(happens)()

    def troubles(self) -> list[str]:
        """What was not as it must be."""
        twin, found = self.desk.twin, list[str]()
        if twin.restarts or not twin.running:
            found.append(f"it restarted {twin.restarts} times: {twin.console()[-500:]}")
        short = [line for line in twin.console().splitlines() if "MemoryError" in line]
        if short:
            found.append(f"memory was short {len(short)} times, first: {short[0][:300]}")
        if twin.violations():
            found.append(f"its flash was used as NOR forbids: {twin.violations()[:3]}")
        found += _heap(twin.trace(self._measured_from)) if self._measured_from else ["too short to measure its heap"]
        with Books(self.stage.site) as books:
            if not books.wait_until_final(DEVICE, range(1, self.desk.kept + 1), SETTLE_S):
                found.append(f"it kept {self.desk.kept}, the ledger has {len(books.entries(DEVICE))} and not all final")
            if not books.unbroken(DEVICE):
                found.append("its chain is broken")
        return found

    def _scan(self) -> None:
        self.scans += 1
        number, kind = self.scans % CODES, self.chance.randrange(4)
        if kind == 0:
            self.desk.hold_text(f"01069012345678921726123110L{number % 97:03}\x1d21S{number:08}", ANSWERS, "]d2")
        elif kind == 1:
            self.desk.hold_text(f"010690123456789221Q{number:010}", ANSWERS, "]Q3")
        else:
            self.desk.hold_text(fleet.code(number), ANSWERS)

    def _without(self, take: Callable[[], object], give: Callable[[], object]) -> None:
        take()
        for _ in range(self.chance.randrange(OUTAGE_SCANS)):
            self._scan()
        give()
        over = time.monotonic() + LINK_S
        while not self.desk.twin.said("link")[-1]["online"]:
            if time.monotonic() > over:
                raise TimeoutError(f"no link within {LINK_S:.0f} s")
            time.sleep(0.1)

    def _broker(self) -> None:
        self._without(self.stage.broker.stop, self.stage.broker.start)

    def _bridge(self) -> None:
        self._without(self.stage.bridge.kill, self.stage.bridge.start)

    def _wifi(self) -> None:
        self._without(lambda: self.desk.twin.link(False), lambda: self.desk.twin.link(True))

    def _command(self) -> None:
        name = self.chance.choice(("identify", "health", "acknowledge", "resend"))
        arguments = {"from": max(1, self.desk.kept - 5)} if name == "resend" else {}
        ledger = open_ledger(self.stage.site.ledger_url)
        try:
            now = time.time_ns() // 1_000_000
            with ledger.write() as connection:
                row = devices.lock(connection, [DEVICE])[DEVICE]
                commands.add(connection, row, name, arguments, now, now + COMMAND_MS)
        finally:
            ledger.close()

    def _operation(self) -> None:
        token = self.stage.site.tokens[SITE]
        for word in (self.chance.choice(("QUERY", "STOCK-TAKE", "BADGE/li-wei-7")), "SALE"):
            self.desk.twin.scan(control.code(token, word))
            time.sleep(1.0)  # as a person does
            if word != "SALE":
                self._scan()

    def _rubbish(self) -> None:
        for data, aim in (("6901234567892", "]E0"), ("https://example.com/?q=1", "]Q1"), ("x" * 500, "]Q1")):
            self.desk.twin.scan(data, aim)
            time.sleep(0.5)


def _heap(lines: list[Line]) -> list[str]:
    free = [line["free"] for line in lines if line["what"] == "heap"]
    if len(free) < 8:
        return ["its heap was not told often enough"]
    quarter = len(free) // 4
    before, after = max(free[:quarter]), max(free[-quarter:])
    print(
        f"life: heap free at least {min(free)}, at most {before} in the first quarter, {after} in the last", flush=True
    )
    found = [f"only {min(free)} bytes were free"] if min(free) < FREE else []
    return found + ([f"its heap grew by {before - after} bytes"] if before - after > GROWTH else [])


def life(score: Score, chance: random.Random, until: float) -> None:
    """One life that ends at `until` (monotonic seconds)."""
    if until - SETTLE_S < time.monotonic():
        print("a long life needs more minutes", flush=True)
        return
    with tempfile.TemporaryDirectory(prefix="scanlatch-life-") as folder:
        stage = Stage(Path(folder) / "stage", [SITE], broker="mosquitto")
        with stage:
            lived = Life(stage, chance)
            lived.run(until - SETTLE_S / 2)
            found = lived.troubles()
            print(f"life: {lived.scans} scans, {lived.desk.kept} kept, {lived.events} events, one start", flush=True)
            score.tell("life: one terminal within its heap", "\n".join(found) or None)
