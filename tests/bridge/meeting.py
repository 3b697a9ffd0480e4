"""Two bridges meet at one row: both are held before it until all are there, then they go on as they came."""

import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg

from host_bridge.errors import LedgerBusy
from tests.bridge.world import Terminal, World

TRIES = 20  # of one job; the service's own waits between them are left out
ARRIVES_S = 10.0
_T = TypeVar("_T")

_PLACE = "INSERT INTO codes (code, state, since) VALUES (%s, 'free', 0) ON CONFLICT DO NOTHING"
CODE = "SELECT code FROM codes WHERE code = %s FOR UPDATE"
SESSION = "SELECT id FROM sessions WHERE id = %s FOR UPDATE"
DEVICE = "SELECT id FROM devices WHERE id = %s FOR UPDATE"
ITEM = "SELECT code FROM delivery_items WHERE code = %s FOR UPDATE"
SUBMISSION = "SELECT key FROM outbox WHERE key = %s FOR UPDATE"
ENTRY = "SELECT id FROM register WHERE product = %s FOR UPDATE"
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def plain(url: str) -> psycopg.Connection[Any]:
    """A connection that is no bridge's."""
    return psycopg.connect(url.replace("+psycopg", ""))


def patiently(job: Callable[[], _T]) -> _T:
    """As the service does: what another bridge had in hand is tried again; a deadlock is a fault."""
    for _ in range(TRIES):
        try:
            return job()
        except LedgerBusy as busy:
            assert "deadlock" not in busy.detail, busy.detail
    raise AssertionError(f"not through after {TRIES} tries")


def meet(url: str, row: str, name: str, *jobs: Callable[[], Any]) -> list[Any]:
    """Hold `row` of `name`, start one job after the other as each waits or is done, then let go; what each gave.

    A job that raises gives its exception.
    """
    with ThreadPoolExecutor(len(jobs)) as pool, plain(url) as look:
        look.autocommit = True
        started: list[Future[Any]] = []
        with held(url, row, name):
            for job in jobs:
                started.append(pool.submit(patiently, job))
                _until_stopped(look, started)
        return [one.exception(30) or one.result() for one in started]


@contextmanager
def held(url: str, row: str, name: str) -> Generator[None]:
    """Somebody else has the row in hand."""
    with plain(url) as holder:
        if row == CODE:
            holder.execute(_PLACE, [name])
            holder.commit()  # who waits for a changed row loses his place in the queue
        holder.execute(row.encode(), [name])
        yield


def at_once(jobs: Sequence[Callable[[], None]]) -> None:
    """Run jobs side by side from one moment on; raises what the first of them raised."""
    start = threading.Barrier(len(jobs))

    def run(job: Callable[[], None]) -> None:
        start.wait(ARRIVES_S)
        job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        for one in [pool.submit(run, job) for job in jobs]:
            one.result(120)


def deadlocks(url: str) -> int:
    """How many the server had to break up."""
    with plain(url) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        row = connection.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").fetchone()
    return int(row[0]) if row else 0


def _until_stopped(look: psycopg.Connection[Any], started: Sequence[Future[Any]]) -> None:
    """Each of these waits for a row, or has ended."""
    end = time.monotonic() + ARRIVES_S
    while time.monotonic() < end:
        ended = sum(one.done() for one in started)
        row = look.execute(_WAITING).fetchone()
        if row is not None and row[0] + ended >= len(started):
            return
        time.sleep(0.002)
    raise AssertionError("a job neither waits nor ends")


def calm(*worlds: World) -> None:
    """Whatever can be answered is."""
    for _ in range(4):
        for world in worlds:
            world.settle()
        worlds[0].later(15_000)


def told_of(till: Terminal, seq: int) -> tuple[int, int]:
    """Outcome and reason of the final verdict on a record; it has one."""
    finals = {(int(one.outcome), one.reason) for one in till.verdicts() if one.seq == seq and one.final}
    assert len(finals) == 1, f"{till.peer.device}/{seq}: {finals}"
    return finals.pop()


def meet_scans(row: str, name: str, turned: bool, *pairs: tuple[World, Terminal, bytes]) -> list[tuple[int, int]]:
    """Both bridges take a record of their terminal's; final outcomes and reasons, of the one that came first first."""
    ordered = pairs[::-1] if turned else pairs
    seqs = [(till, till.seq) for _, till, _ in ordered]
    done = meet(
        pairs[0][0].url,
        row,
        name,
        *[lambda w=world, t=till, m=message: w.deliver(t, m) for world, till, message in ordered],
    )
    assert done == [None] * len(pairs)
    calm(*[world for world, _, _ in pairs])
    return [told_of(till, seq) for till, seq in seqs]
