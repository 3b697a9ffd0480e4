"""The demo's fleet: two bridges on one PostgreSQL, six terminals at two sites, and a bridge that hangs and dies."""

import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from host_bridge.wire import Outcome
from scanlatch_tools.books import Books
from scanlatch_tools.broker import find_mosquitto
from scanlatch_tools.demo.desk import Desk, Scan
from scanlatch_tools.demo.scenario import Step
from scanlatch_tools.demo.view import View, times_of
from scanlatch_tools.errors import ToolError
from scanlatch_tools.postgres import NoPostgres, Postgres
from scanlatch_tools.stage import Stage
from scanlatch_tools.texts import N_, _
from scanlatch_tools.texts.foreign import why

TITLE = N_("Scanlatch: a fleet, and a bridge that dies")
BRIDGES, TERMINALS = 2, 6
CODES = [f"8338652{number:013}" for number in range(200)]  # invented: nobody's boxes
_SITES = ["clinic-7", "pharmacy-3"]
_ANSWERS = frozenset({"accepted", "rejected", "duplicate", "pending", "exempt", "error"})
_ANSWERED_S = 60.0  # what a dead bridge held: terminals send it again after 30 s
_BOXES, _SAME = 3, 4  # boxes in a row at each window; codes presented at all windows at once
_SALE_ENDS = frozenset({Outcome.ACCEPTED, Outcome.REJECTED, Outcome.DUPLICATE_HERE})
_Found = TypeVar("_Found")


@contextmanager
def stage(folder: Path) -> Generator[Stage]:
    """Broker, platform, a PostgreSQL of its own, and two bridges. Raises ToolError where one is not installed."""
    find_mosquitto()
    try:
        server = Postgres()
    except NoPostgres as error:
        raise ToolError(
            _("{error}. This day needs it: apt-get install postgresql, or brew install postgresql").format(
                error=why(error)
            )
        ) from error
    with (
        server,
        Stage(folder, _SITES, broker="mosquitto", bridges=BRIDGES, ledger=server.create("fleet")) as made,
    ):
        yield made


def play(stage: Stage, view: View) -> dict[str, Any]:
    """Go through the day."""
    view.say(_("up: mosquitto, platform, PostgreSQL, {bridges} bridges that share what comes").format(bridges=BRIDGES))
    stage.platform.know(CODES)
    desks = _six(stage)
    view.say(
        _("up: {count} terminals at {sites}, with keys that they made themselves").format(
            count=len(desks), sites=_(" and ").join(_SITES)
        )
    )
    day = Day(stage, desks, view)
    day.run()
    view.finish()
    steps = [Step("", "", "", "", good=True, scan=done.scan) for done in day.done]
    times = times_of(steps)
    view.times(times)
    answer = next((row for row in times if row.name.startswith("answer")), None)
    return {
        **day.told(),
        "p50_ms": round(answer.p50, 1) if answer else None,
        "p95_ms": round(answer.p95, 1) if answer else None,
    }


@dataclass(frozen=True, slots=True)
class Done:
    """A box that was held under a beam."""

    desk: Desk
    code: str
    scan: Scan


class Day:
    """What is done at the six windows while a bridge hangs, dies and is back."""

    def __init__(self, stage: Stage, desks: Sequence[Desk], view: View) -> None:
        self._stage = stage
        self._desks = desks
        self._view = view
        self._codes = iter(CODES)
        self.done: list[Done] = []
        self._good: list[bool] = []
        self._answered_after_s: float | None = None

    def run(self) -> None:
        """Go through it."""
        dies = self._stage.bridges[0]
        self._step(_("boxes in a row at every window"), "accepted", self._sell(_BOXES))
        self._everywhere(list(islice(self._codes, _SAME)))
        dies.hang()
        self._step(_("a bridge hangs: a box at every window"), None, hung := self._sell(1))
        dies.kill()
        self._step(_("it is killed: the next box at every window"), None, killed := self._sell(1))
        self._all_answered([*hung, *killed])
        dies.start()
        self._step(_("it is back: boxes in a row at every window"), "accepted", self._sell(_BOXES))
        self._books()

    def told(self) -> dict[str, Any]:
        """Everything as it was found in the books, nothing as it was planned."""
        outcomes: Counter[Outcome | None] = Counter()
        lost = doubled = 0
        with Books(self._stage.site) as books:
            for desk in self._desks:
                entries = books.entries(desk.device)
                outcomes.update(entry.outcome for entry in entries)
                lost += max(0, desk.kept - len(entries)) + (0 if books.unbroken(desk.device) else 1)
                doubled += max(0, len(entries) - desk.kept)
        codes = {done.code for done in self.done}
        sales = [len(self._stage.platform.sales(code)) for code in codes]
        doubled += sum(max(0, count - 1) for count in sales) + max(0, outcomes[Outcome.ACCEPTED] - len(codes))
        violations = sum(len(desk.twin.violations()) for desk in self._desks)
        return {
            "bridges": BRIDGES,
            "killed": 1,
            "terminals": len(self._desks),
            "scans": len(self.done),
            "codes": len(codes),
            "accepted": outcomes[Outcome.ACCEPTED],
            "rejected": outcomes[Outcome.REJECTED],
            "duplicate": outcomes[Outcome.DUPLICATE_HERE],
            "pending_then_final": sum(done.scan.answer == "pending" for done in self.done),
            "answered_after_s": self._answered_after_s,
            "lost": lost,
            "doubled": doubled,
            "ok": not lost and not doubled and not violations and sales.count(1) == len(codes) and all(self._good),
        }

    def _sell(self, each: int) -> list[Done]:
        """Boxes of their own at all windows side by side."""
        boxes = [list(islice(self._codes, each)) for _ in self._desks]
        return [done for part in self._at_every_desk(lambda desk, at: self._hold(desk, boxes[at])) for done in part]

    def _everywhere(self, same: Sequence[str]) -> None:
        """The same codes at all windows at once: what the books say in the end counts, not who was first."""
        found = [done for part in self._at_every_desk(lambda desk, _: self._hold(desk, same)) for done in part]
        self._final(found)
        outcomes = self._outcomes(found)
        accepted = Counter(done.code for done, outcome in outcomes if outcome == Outcome.ACCEPTED)
        refused = sum(outcome in _SALE_ENDS - {Outcome.ACCEPTED} for _, outcome in outcomes)
        good = accepted == dict.fromkeys(same, 1) and refused == len(found) - len(same)
        wanted = _("{total} accepted, {refused} refused").format(total=len(same), refused=len(found) - len(same))
        self._tell(
            _("the same boxes at all windows at once"),
            wanted,
            _("{total} accepted, {refused} refused").format(total=accepted.total(), refused=refused),
            good,
        )

    def _all_answered(self, done: Sequence[Done]) -> None:
        started = time.monotonic()
        final = self._final(done)
        self._answered_after_s = round(time.monotonic() - started, 1)
        accepted = sum(outcome == Outcome.ACCEPTED for _, outcome in self._outcomes(done))
        seen = _("{count} accepted, after {seconds:.0f} s").format(count=accepted, seconds=self._answered_after_s)
        seen = seen if final else _("not all answered")
        wanted = _("{count} accepted, within {seconds:.0f} s").format(count=len(done), seconds=_ANSWERED_S)
        self._tell(_("what the dead one held comes again"), wanted, seen, final and accepted == len(done))

    def _books(self) -> None:
        told = self.told()
        count = _("lost {lost}, doubled {doubled}")
        seen = count.format(lost=told["lost"], doubled=told["doubled"])
        good = told["accepted"] == told["codes"] and not told["lost"] and not told["doubled"]
        self._tell(
            _("the books: every box once, every chain whole"),
            count.format(lost=0, doubled=0),
            seen,
            good,
        )

    def _hold(self, desk: Desk, codes: Sequence[str]) -> list[Done]:
        return [Done(desk, code, desk.hold_text(code, _ANSWERS)) for code in codes]

    def _at_every_desk(self, job: Callable[[Desk, int], list[Done]]) -> list[list[Done]]:
        found = _side_by_side([lambda desk=desk, at=at: job(desk, at) for at, desk in enumerate(self._desks)])
        self.done += [done for part in found for done in part]
        return found

    def _final(self, done: Sequence[Done]) -> bool:
        seqs = {desk.device: [one.scan.seq for one in done if one.desk is desk] for desk in self._desks}
        until = time.monotonic() + _ANSWERED_S
        with Books(self._stage.site) as books:
            left = [books.wait_until_final(name, wanted, until - time.monotonic()) for name, wanted in seqs.items()]
        return all(left)

    def _outcomes(self, done: Sequence[Done]) -> list[tuple[Done, Outcome | None]]:
        with Books(self._stage.site) as books:
            said = {(desk.device, one.seq): one.outcome for desk in self._desks for one in books.entries(desk.device)}
        return [(one, said.get((one.desk.device, one.scan.seq))) for one in done]

    def _step(self, title: str, wanted: str | None, done: Sequence[Done]) -> None:
        """What the lights said; with no `wanted`, accepted or pending, as it falls to this bridge or that."""
        lights = Counter(one.scan.answer for one in done)
        seen = ", ".join(f"{count} {name}" for name, count in lights.most_common())
        right = {wanted} if wanted else {"accepted", "pending"}
        told = f"{len(done)} {wanted}" if wanted else _("accepted or pending")
        self._tell(title, told, seen, lights.keys() <= right)

    def _tell(self, title: str, wanted: str, seen: str, good: bool) -> None:
        self._good.append(good)
        self._view.add(Step(title, _("{count} windows").format(count=len(self._desks)), wanted, seen, good))


def _six(stage: Stage) -> list[Desk]:
    names = [f"d-window-{number:02}" for number in range(1, TERMINALS + 1)]
    places = [(name, _SITES[number % len(_SITES)]) for number, name in enumerate(names)]
    first = [Desk(name, at, stage.terminal(name, at)) for name, at in places[:1]]  # compiles the firmware for all
    rest = _side_by_side([lambda name=name, at=at: Desk(name, at, stage.terminal(name, at)) for name, at in places[1:]])
    for desk in (desks := [*first, *rest]):
        desk.wait_ready()
    return desks


def _side_by_side(jobs: Sequence[Callable[[], _Found]]) -> list[_Found]:
    with ThreadPoolExecutor(len(jobs)) as pool:
        return [one.result() for one in [pool.submit(job) for job in jobs]]
