"""What a sale costs as the ledger grows: intake and outbox on real files, without broker and platform."""

import random
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from host_bridge.clock import SystemClock
from host_bridge.devices import Registry
from host_bridge.intake import Intake, Parts
from host_bridge.ledger import open_ledger
from host_bridge.opening import Inbound
from host_bridge.replies import Replies
from host_bridge.settlement.outbox import Outbox
from host_bridge.settlement.port import Answer, Submission
from scanlatch_tools import certificates
from scanlatch_tools.bench import fleet
from scanlatch_tools.bench.figures import Figure, Report, middle

BUDGET = 1.5  # times the cost at the smallest
_DEVICES, _BATCH = 50, 250
_AT = "clinic-7"
# Sales of the past, decided, settled and told: what a code leaves in each table.
_FILL = (
    "INSERT INTO scans (device, seq, message, digest, prev, operation, code, site, captured_at, received_at, outcome,"
    " reason, decided_at) SELECT device, seq, randomblob(300), randomblob(32), randomblob(32), 1, code, site, since,"
    " since, 3, 14, since FROM codes",
    "INSERT INTO outbox (key, kind, state, device, seq, digest, code, site, captured_at, made_at, attempts, next_at)"
    " SELECT device || '/' || seq, 'sale', 'done', device, seq, randomblob(32), code, site, since, since, 1, 0"
    " FROM codes",
    "INSERT INTO verdicts (device, seq, outcome, reason, decided_at, repeat, sent)"
    " SELECT device, seq, 0, 0, since, 0, 2 FROM codes",
)


def measure(folder: Path, report: Report, sizes: Sequence[int], sales: int) -> None:
    """Sell into a ledger of each of these sizes; each is compared with the first."""
    costs: list[float] = []
    for size in sizes:
        report.say(f"ledger of {size:,} codes")
        place = folder / str(size)
        place.mkdir(parents=True)
        costs.append(_cost(place, size, sales))
        report.add(Figure(f"ledger of {size:,} codes: time a sale", costs[-1], "µs"))
        if len(costs) > 1:
            name = f"ledger of {size:,} codes: the same over {sizes[0]:,}"
            report.add(Figure(name, costs[-1] / costs[0], "times", BUDGET))


def _cost(folder: Path, size: int, sales: int) -> float:
    """Microseconds of wall time, waiting for the disk included: the middle of all batches."""
    path = folder / "ledger.sqlite"
    ledger = open_ledger(f"sqlite:///{path}")
    _fill(path, size)
    registry = Registry(ledger, certificates.new_key())
    clock, chance = SystemClock(), random.Random(1)  # noqa: S311  # jitter of waits that never come
    replies = Replies(_Outlet(), registry, clock)
    outbox = Outbox(ledger, _Platform(), replies, clock, chance, "bench")
    intake = Intake(Parts(ledger, registry, replies, clock, chance, 900, lambda: None))
    devices = [fleet.Device(f"d-load-{number:03}", _AT) for number in range(_DEVICES)]
    for one in devices:
        points = [certificates.public_point(key) for key in (one.signing, one.agreement)]
        registry.enrol(one.name, _AT, points[0], points[1], clock.now())
    took: list[float] = []
    for start in range(0, sales, _BATCH):
        batch = [_inbound(devices[number % _DEVICES], size + start + number) for number in range(_BATCH)]
        began = time.perf_counter()
        intake.process(batch)
        while outbox.step():
            pass
        took.append(1e6 * (time.perf_counter() - began) / _BATCH)
    ledger.close()
    return middle(took)


def _inbound(device: fleet.Device, number: int) -> Inbound:
    return Inbound(f"scanlatch/v1/{_AT}/{device.name}/scan", device.seal(fleet.SALE, fleet.code(number)), lambda: None)


def _fill(path: Path, size: int) -> None:
    """Sales of codes that lie as scattered as those which follow. Straight SQL: nothing here is measured."""
    now = time.time_ns() // 1_000_000
    plain = sqlite3.connect(path, isolation_level=None)
    plain.execute("PRAGMA synchronous = OFF")
    plain.execute("BEGIN")
    codes = sorted((fleet.code(number), number) for number in range(size))
    rows = ((code, "sold", f"d-past-{number % 997}", number // 997 + 1, _AT, now) for code, number in codes)
    plain.executemany("INSERT INTO codes (code, state, device, seq, site, since) VALUES (?,?,?,?,?,?)", rows)
    for statement in _FILL:
        plain.execute(statement)
    plain.execute("COMMIT")
    plain.close()


class _Outlet:
    """A broker that has everything at once."""

    def publish(self, topic: str, payload: bytes, done: Callable[[], None] | None) -> bool:  # noqa: ARG002
        if done is not None:
            done()
        return True


class _Platform:
    """A platform that takes every sale in no time."""

    batch_limit = 50

    def submit(self, items: Sequence[Submission]) -> list[Answer]:
        return [Answer(item.key, "accepted") for item in items]

    def ask(self, keys: Sequence[str]) -> list[Answer]:
        return [Answer(key, "accepted") for key in keys]

    def close(self) -> None:
        """There is nothing to give back."""
