"""What a sale costs as the ledger grows: intake and outbox on a real ledger, without broker and platform."""

import os
import random
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from host_bridge.clock import SystemClock
from host_bridge.devices import Registry
from host_bridge.intake import Intake, Parts
from host_bridge.ledger import Ledger, open_ledger
from host_bridge.opening import Inbound
from host_bridge.replies import Replies
from host_bridge.settlement.outbox import Outbox
from host_bridge.settlement.port import Answer, Submission
from scanlatch_tools import certificates
from scanlatch_tools.bench import filling, fleet
from scanlatch_tools.bench.figures import Figure, Report, percentile
from scanlatch_tools.bench.ledgers import Database
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _

BUDGET = 1.5  # times the cost at the smallest
_DEVICES, _BATCH = 50, 250
_AT = "clinic-7"
_SOLD = sa.text("SELECT count(*) FROM codes WHERE state = 'sold'")
_US, _MS = 1_000_000, 1_000


@dataclass(frozen=True, slots=True)
class Grown:
    """A ledger of one size: what a sale costs in it, and what it took to fill."""

    codes: int
    us: float  # microseconds a sale, waiting for the disk included: all time over all sales
    cpu_us: float  # of that the CPU of this process
    batch_p99_ms: float  # of transactions with _BATCH sales
    fill_s: float
    disk: int  # bytes, filled


def measure(folder: Path, report: Report, sizes: Sequence[int], sales: int, database: Database) -> list[Grown]:
    """Sell into a ledger of each of these sizes; each is compared with the first."""
    found: list[Grown] = []
    for size in sizes:
        report.say(_("{database}: filling a ledger of {size:,} codes").format(database=database.name, size=size))
        place = folder / str(size)
        place.mkdir(parents=True)
        found.append(_grown(place, size, sales, database, report))
        shutil.rmtree(place)
        name, one = f"{database.name}: ledger of {size:,} codes", found[-1]
        report.add(
            Figure(f"{name}: time a sale", one.us, "µs"),
            Figure(f"{name}: CPU a sale", one.cpu_us, "µs"),
            Figure(f"{name}: size on disk", one.disk / 1e6, "MB"),
        )
        if len(found) > 1:
            report.add(Figure(f"{name}: the same over {sizes[0]:,}", one.us / found[0].us, "times", BUDGET))
    return found


def as_dict(database: Database, grown: Sequence[Grown]) -> dict[str, object]:
    """For --json."""
    sizes = [
        {
            "codes": one.codes,
            "us_per_scan": round(one.us, 1),
            "cpu_us_per_scan": round(one.cpu_us, 1),
            "times_the_first": round(one.us / grown[0].us, 3),
            "batch_p99_ms": round(one.batch_p99_ms, 1),
            "fill_s": round(one.fill_s, 1),
            "disk_bytes": one.disk,
        }
        for one in grown
    ]
    growth = round(grown[-1].us / grown[0].us, 3)
    return {"ledger": database.name, "version": database.version(), "growth": growth, "sizes": sizes}


def _grown(folder: Path, size: int, sales: int, database: Database, report: Report) -> Grown:
    url = database.place(folder)
    open_ledger(url).close()
    began = time.perf_counter()
    filling.fill(database, url, size)
    os.sync()  # what the filling wrote is not to reach the disk at the cost of what is measured
    fill_s = time.perf_counter() - began
    disk = database.disk(url)
    report.say(
        _("{database}: filled in {fill_s:,.0f} s, {disk:,.0f} MB; selling {sales:,} more").format(
            database=database.name, fill_s=fill_s, disk=disk / 1000000.0, sales=sales
        )
    )
    ledger = open_ledger(url)
    took, cpu = _sold(ledger, size, sales)
    with ledger.read() as connection:
        codes = connection.scalar(_SOLD) or 0
    ledger.close()
    wanted = size + _BATCH * (1 + len(took))
    if codes != wanted:
        raise ToolError(
            _("{codes:,} codes are sold in the ledger, and {wanted:,} should be").format(codes=codes, wanted=wanted)
        )
    database.remove(url)
    count = len(took) * _BATCH
    return Grown(size, _US * sum(took) / count, _US * cpu / count, _MS * percentile(took, 99), fill_s, disk)


def _sold(ledger: Ledger, size: int, sales: int) -> tuple[list[float], float]:
    """Seconds that each batch took, and seconds of CPU for all."""
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
    used = 0.0
    for start in range(-_BATCH, sales, _BATCH):  # the first finds everything cold
        batch = [_inbound(devices[number % _DEVICES], size + _BATCH + start + number) for number in range(_BATCH)]
        began, cpu = time.perf_counter(), time.process_time()
        intake.process(batch)
        while outbox.step():
            pass
        if start >= 0:
            used += time.process_time() - cpu
            took.append(time.perf_counter() - began)
    return took, used


def _inbound(device: fleet.Device, number: int) -> Inbound:
    return Inbound(f"scanlatch/v1/{_AT}/{device.name}/scan", device.seal(fleet.SALE, fleet.code(number)), lambda: None)


class _Outlet:
    """A broker that has everything at once."""

    def publish(self, topic: str, payload: bytes, done: Callable[[bool], None] | None) -> bool:  # noqa: ARG002
        if done is not None:
            done(True)
        return True


class _Platform:
    """A platform that takes every sale in no time."""

    batch_limit = 50
    code_limit = 100
    silence_s = 1.0

    def submit(self, items: Sequence[Submission]) -> list[Answer]:
        return [Answer(item.key, "accepted") for item in items]

    def ask(self, keys: Sequence[str]) -> list[Answer]:
        return [Answer(key, "accepted") for key in keys]

    def close(self) -> None:
        """There is nothing to give back."""
