"""How many sales a second broker, bridge and ledger carry, for as long as is asked; and that nothing is left behind."""

from pathlib import Path

from host_bridge.wire import Outcome
from scanlatch_tools.bench import cost, fleet, ground
from scanlatch_tools.bench.child import cpu_of
from scanlatch_tools.bench.figures import Figure, Report
from scanlatch_tools.bench.load import Load
from scanlatch_tools.books import Books
from scanlatch_tools.errors import ToolError

BUDGET = 3_600  # sales a second: 310 million a day
EMPTY_S = 60.0  # after the last scan
_WINDOW = 64  # as far as a terminal is ahead of its answers: the drain after an outage
_GUESS = 400  # sales with which the rate is guessed first


def measure(folder: Path, report: Report, terminals: int, seconds: float) -> None:
    """Sell for about `seconds`, then wait for the outbox."""
    with ground.laid_out(folder, terminals) as place, place.bridge() as bridge:
        first = Load(place.sealed(fleet.SALE, _GUESS), _WINDOW)
        place.terminals.run(first)
        count = int(seconds * min(2 * BUDGET, max(_GUESS, 2 * _GUESS / first.seconds)))
        report.say(f"sustained: sealing {count} sales")
        load = Load(place.sealed(fleet.SALE, count), _WINDOW)
        cost.drained(place, EMPTY_S)
        before = (bridge.cpu()["all"], cpu_of(place.broker.pid), cpu_of(place.platform.process.pid))
        place.terminals.run(load)
        sold_s = load.seconds
        empty_s = cost.drained(place, EMPTY_S)
        after = (bridge.cpu()["all"], cpu_of(place.broker.pid), cpu_of(place.platform.process.pid))
        wrong = _not_accepted(place)
    if wrong:
        raise ToolError(f"{wrong} of {count + _GUESS} sales are not accepted in the ledger")
    used = [1e6 * (late - early) / count for early, late in zip(before, after, strict=True)]
    report.add(
        Figure(f"sales a second, {count} in {sold_s:.1f} s, fsync on", count / sold_s, "1/s", BUDGET, at_least=True),
        Figure("outbox empty after the last answer", empty_s, "s", EMPTY_S),
        Figure("sustained: CPU of the bridge a sale, all of it", used[0], "µs"),
        Figure("sustained: CPU of the broker a sale", used[1], "µs"),
        Figure("sustained: CPU of the platform's stand-in, not counted", used[2], "µs"),
        Figure("sustained: CPU of the load generator, not counted", 1e6 * load.cpu / count, "µs"),
    )
    report.percentiles("sustained: record to first answer", [1000 * one for one in load.took], "ms")


def _not_accepted(place: ground.Ground) -> int:
    """How many of all records sent are not in the ledger as accepted."""
    wrong = 0
    with Books(place.site) as books:
        for device in place.devices:
            final = [entry for entry in books.entries(device.name) if entry.outcome is Outcome.ACCEPTED]
            wrong += device.seq - len(final)
    return wrong
