"""The demo's dock: a delivery with cases is received, something is wrong with it, and the shelves are counted."""

import random
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from host_bridge import catalogue, deliveries, reports, sessions, stock_take
from host_bridge.catalogue import Product, Unit
from host_bridge.clock import SystemClock
from host_bridge.deliveries import Announced
from host_bridge.gtin import fourteen
from host_bridge.ledger import Ledger, open_ledger
from scanlatch_tools.books import Books
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.demo.scenario import Step
from scanlatch_tools.demo.view import View, times_of
from scanlatch_tools.stage import Stage
from scanlatch_tools.texts import N_, _
from scanlatch_tools.twin import pictures

TITLE = N_("Scanlatch: a delivery at the dock, and a stock-take")
SITE = "clinic-7"
DELIVERY = "D-2031"
# Invented: nobody's boxes.
CASE, OPENED = "83386520000000001001", "83386520000000001002"
IN_CASE = [f"8338652000000000200{number}" for number in range(1, 6)]
IN_OPENED = [f"8338652000000000300{number}" for number in range(1, 4)]
MISSING = ["83386520000000004001", "83386520000000004002"]
EXTRA, LATER = "83386520000000005001", "83386520000000005002"
GTIN, BATCH = "04150999999994", "LOT42"  # as announced
WRONG, WRONG_CODE = f"(01){GTIN}(21)7Q2(17)291231(10)LOT43", f"01{GTIN}217Q2"
SOLD = IN_CASE[0]
SEEN = [*IN_CASE, *IN_OPENED]

_ANSWERS = frozenset({"accepted", "rejected", "duplicate", "pending", "exempt", "error"})
_SESSION_S = 30.0  # the bridge looks for commands of other processes every 10 s
_FINAL_S = 30.0


@contextmanager
def stage(folder: Path) -> Generator[Stage]:
    """One bridge, and a broker in this process; the site sells only what it has received."""
    made = Stage(folder, [SITE])
    config = made.site.config
    section = f"[sites.{SITE}]\n"
    config.write_text(config.read_text("utf-8").replace(section, f"{section}require_receipt = true\n"), "utf-8")
    with made:
        yield made


def play(stage: Stage, view: View) -> dict[str, Any]:
    """Go through the day at a dock, a window and the shelves."""
    view.say(_("up: broker (amqtt, in this process), platform, bridge; a box must be received before it is sold"))
    stage.platform.know([*IN_CASE, *MISSING])
    desks = [
        Desk(device, SITE, stage.terminal(device, SITE, operation=does), does)
        for device, does in (("d-dock-01", "receive"), ("d-shelf-01", "stock-take"), ("d-window-01", "sale"))
    ]
    for desk in desks:
        desk.wait_ready()
        view.say(_("up: terminal {device}, for {does}").format(device=desk.device, does=desk.does))
    ledger = open_ledger(stage.site.ledger_url)
    try:
        day = Day(stage, ledger, *desks)
        for step in day.run():
            view.add(step)
    finally:
        ledger.close()
    view.finish()
    view.times(times_of(day.steps))
    return _count(stage, desks, day)


class Day:
    """Runs the scenario; `steps` has what happened so far."""

    def __init__(self, stage: Stage, ledger: Ledger, dock: Desk, shelf: Desk, window: Desk) -> None:
        self._stage = stage
        self._ledger = ledger
        self._dock = dock
        self._shelf = shelf
        self._window = window
        self._clock = SystemClock()
        self._start = self._clock.now()
        self.steps: list[Step] = []
        self.result: deliveries.Result | None = None
        self.differences: stock_take.Differences | None = None

    def run(self) -> Iterator[Step]:
        """Go through the day; yields each step when it is over."""
        for part in (self._announced, self._received, self._closed, self._sold, self._counted, self._reported):
            for step in part():
                self.steps.append(step)
                yield step

    def _announced(self) -> Iterator[Step]:
        amoxicillin = Product("AMX", "Amoxicillin 250 mg x 24", (CASE[:7],), content=24)
        catalogue.import_products(self._ledger, [amoxicillin, Product("IBU", "Ibuprofen", gtin=fourteen(GTIN))])
        opened = [Unit(OPENED, 2, product="AMX"), *(Unit(code, 1, OPENED, "AMX") for code in IN_OPENED)]
        catalogue.add_units(self._ledger, opened)
        items = [Announced(CASE), *(Announced(code, CASE) for code in IN_CASE), Announced(OPENED)]
        items += [Announced(WRONG_CODE, batch=BATCH), *map(Announced, MISSING)]
        deliveries.announce(self._ledger, DELIVERY, SITE, "a wholesaler", items, self._clock.now())
        told = deliveries.result(self._ledger, DELIVERY)
        boxes = len(IN_CASE) + len(IN_OPENED) + 1 + len(MISSING)
        yield _found(
            _("announced: two cases and three boxes"),
            _("{count} boxes").format(count=boxes),
            _("{count} boxes").format(count=len(told.announced)),
        )

    def _received(self) -> Iterator[Step]:
        yield self._hold(_("a box that was not received yet, at the window"), self._window, IN_CASE[1], "rejected")
        yield self._hold(_("a case: its five boxes count"), self._dock, CASE, "accepted")
        yield self._hold(_("a box out of that case"), self._dock, SOLD, "rejected")
        for number, code in enumerate(IN_OPENED, start=1):
            yield self._hold(
                _("an opened case: box {number} of {count}").format(number=number, count=len(IN_OPENED)),
                self._dock,
                code,
                "accepted",
            )
        yield self._hold(_("the case that those came in"), self._dock, OPENED, "rejected")
        yield self._hold(_("a box that nobody announced"), self._dock, EXTRA, "rejected")
        picture = self._stage.folder / "wrong.png"
        pictures.draw(WRONG, "gs1-datamatrix", picture)
        scan = self._dock.hold(picture, _ANSWERS)
        title = "a box of another batch than announced: GS1 DataMatrix"
        yield Step(title, self._dock.device, "rejected", scan.answer, scan.answer == "rejected", scan)
        yield self._hold(_("the first case again"), self._dock, CASE, "accepted")

    def _closed(self) -> Iterator[Step]:
        told = self.result = deliveries.close(self._ledger, DELIVERY, self._clock.now())
        yield _found(
            _("delivery closed: counted"),
            _("{count} boxes").format(count=8),
            _("{count} boxes").format(count=len(told.seen)),
            told.seen == _sorted(SEEN),
        )
        yield _found("missing", "2", str(len(told.missing)), told.missing == _sorted(MISSING))
        yield _found(_("not announced"), "1", str(len(told.extra)), told.extra == (EXTRA,))
        differing = tuple(code for code, _ in told.differing)
        yield _found(_("not as announced"), "1", str(len(differing)), differing == (WRONG_CODE,))

    def _sold(self) -> Iterator[Step]:
        yield self._hold(_("a box without any delivery"), self._dock, LATER, "accepted")
        yield self._hold(_("a box out of the case, at the window"), self._window, SOLD, "accepted")
        yield self._hold(_("a box that never came, at the window"), self._window, MISSING[0], "rejected")

    def _counted(self) -> Iterator[Step]:
        session = self._session()
        for title, code in (
            (_("stock-take: the case"), CASE),
            (_("stock-take: a box"), IN_OPENED[0]),
            (_("stock-take: another"), IN_OPENED[1]),
            (_("stock-take: the one that nobody announced"), EXTRA),
        ):
            yield self._hold(title, self._shelf, code, "accepted")
        told = self.differences = stock_take.differences(self._ledger, SITE, session)
        sessions.close_session(self._ledger, session, self._clock.now())
        left = _sorted([*IN_CASE[1:], *IN_OPENED, LATER])
        yield _found(
            _("stock-take: should be here"),
            _("{count} boxes").format(count=8),
            _("{count} boxes").format(count=len(told.expected)),
            told.expected == left,
        )
        missing = _sorted([IN_OPENED[2], LATER])
        yield _found(_("stock-take: missing"), "2", str(len(told.missing)), told.missing == missing)
        yield _found(_("stock-take: too many"), "1", str(len(told.surplus)), told.surplus == (EXTRA,))
        again = stock_take.differences(self._ledger, SITE, session)
        yield _found(
            _("stock-take: stock as it was"), _("unchanged"), _("unchanged") if again == told else _("changed")
        )

    def _reported(self) -> Iterator[Step]:
        told = reports.period(self._ledger, SITE, self._start, self._clock.now() + 1)
        yield _found(_("report: received without announcement"), LATER, ", ".join(told.unannounced))
        wanted = {"receive": {"accepted": 6, "rejected": 4}, "stock_take": {"accepted": 4}}
        yield _found(_("report: receipts and stock-take"), str(wanted), str(told.operations), told.operations == wanted)
        sales = told.sales["insured"]
        yield _found(
            _("report: sales"), _("1 accepted, 2 rejected"), _told(sales), sales == {"accepted": 1, "rejected": 2}
        )

    def _session(self) -> str:
        """Open the stock-take's session, and wait until the terminal has it."""
        now = self._clock.now()
        chance = random.SystemRandom()
        session = sessions.open_session(self._ledger, self._shelf.device, now, chance, kind="stock-take")
        _waited(_SESSION_S, lambda: sessions.status(self._ledger, session).reply == "ok")
        return session

    def _hold(self, title: str, desk: Desk, code: str, wanted: str) -> Step:
        scan = desk.hold_text(code, _ANSWERS)
        return Step(title, desk.device, wanted, scan.answer, scan.answer == wanted, scan)


def _count(stage: Stage, desks: list[Desk], day: Day) -> dict[str, Any]:
    """What the books say in the end: every kept record once, the one sale once, and what became of the delivery."""
    lost = doubled = 0
    with Books(stage.site) as books:
        for desk in desks:
            books.wait_until_final(desk.device, range(1, desk.kept + 1), _FINAL_S)
            entries = books.entries(desk.device)
            lost += max(0, desk.kept - len(entries)) + (0 if books.unbroken(desk.device) else 1)
            doubled += max(0, len(entries) - desk.kept)
    sold = {code: len(stage.platform.sales(code)) for code in (*IN_CASE, *MISSING)}
    doubled += sum(max(0, count - 1) for count in sold.values())
    violations = sum(len(desk.twin.violations()) for desk in desks)
    books_right = [code for code, count in sold.items() if count] == [SOLD]
    scans = [step.scan for step in day.steps if step.scan]
    answers = [scan.answer for scan in scans]
    result, differences = day.result, day.differences
    answer = next((times for times in times_of(day.steps) if times.name.startswith("answer")), None)
    return {
        "scans": len(scans),
        "accepted": answers.count("accepted"),
        "rejected": answers.count("rejected"),
        "announced": len(result.announced) if result else 0,
        "received": len(result.seen) if result else 0,
        "missing": len(result.missing) if result else 0,
        "extra": len(result.extra) if result else 0,
        "differing": len(result.differing) if result else 0,
        "stock_missing": len(differences.missing) if differences else 0,
        "stock_surplus": len(differences.surplus) if differences else 0,
        "lost": lost,
        "doubled": doubled,
        "p50_ms": round(answer.p50, 1) if answer else None,
        "p95_ms": round(answer.p95, 1) if answer else None,
        "ok": books_right and not lost and not doubled and not violations and all(step.good for step in day.steps),
    }


def _found(title: str, wanted: str, seen: str, good: bool | None = None) -> Step:
    return Step(title, "books", wanted, seen, seen == wanted if good is None else good)


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def _sorted(codes: list[str]) -> tuple[str, ...]:
    return tuple(sorted(codes))


def _waited(timeout: float, true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + timeout
    while not true() and time.monotonic() < deadline:
        time.sleep(0.1)
