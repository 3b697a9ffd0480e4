"""The ledger on PostgreSQL: locks in one order, faults that pass and faults that do not, records by month."""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from scanlatch_tools.postgres import Postgres

from host_bridge.errors import BridgeError, LedgerBroken, LedgerBusy
from host_bridge.ledger import Ledger, devices, open_ledger, partitions
from host_bridge.ledger.open import connect
from host_bridge.wire import Operation, Reply
from tests.bridge.world import CODES, NOW, OTHER_SITE, SITE, Terminal, World

MONTH_MS = 31 * 86_400_000
ROUNDS = 12
TERMINALS = 4


@pytest.fixture
def one(tmp_path: Path, database: str) -> World:
    return World(tmp_path, url=database)


def plain(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("+psycopg", ""))


def together(*jobs: Callable[[], None]) -> None:
    """Run jobs at the same time; the first one's error is the test's."""
    errors: list[BaseException] = []

    def guarded(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001  # raised in the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]


def deadlocks(ledger: Ledger) -> int:
    with ledger.read() as connection:
        connection.execute(sa.text("SELECT pg_stat_force_next_flush()"))
        counted = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        return connection.scalar(sa.text(counted)) or 0


def test_bridges_that_do_everything_at_once_lock_in_one_order(one: World) -> None:
    """Two bridges, their outboxes and rounds; four terminals sell, void, return and query the same few codes."""
    two = World.beside(one)
    worlds = (one, two)
    stock = CODES[:8]
    terminals = [one.terminal(f"d-{n}", (SITE, OTHER_SITE)[n % 2]) for n in range(TERMINALS)]
    done = threading.Event()
    seed = random.randrange(1 << 32)

    def patiently(job: Callable[[], object]) -> None:
        """As the service does: a conflict of two bridges over one row is tried again, nothing else."""
        for _ in range(50):
            try:
                job()
                return
            except LedgerBusy as busy:
                assert "deadlock" not in busy.detail, f"seed {seed}: {busy}"
        raise AssertionError(f"seed {seed}: never got through")

    def people(mine: list[Terminal]) -> None:
        chance = random.Random(seed + len(mine[0].peer.device))
        try:
            for round_ in range(ROUNDS):
                batches = [(till, [_next(till, stock, chance) for _ in range(3)]) for till in mine]
                for till, batch in batches:
                    for world in worlds if round_ % 4 == 0 else [chance.choice(worlds)]:  # also both, as after a resend
                        patiently(lambda w=world, t=till, b=batch: w.deliver(t, *b))
        finally:
            done.set()

    def platform(world: World) -> None:
        while not done.is_set():
            patiently(world.outbox.step)
            patiently(world.intake.tick)

    together(lambda: people(terminals[:2]), lambda: people(terminals[2:]), lambda: platform(one), lambda: platform(two))
    one.clock.ms = two.clock.ms = NOW + 120_000
    for world in worlds * 2:
        patiently(world.settle)
    assert deadlocks(one.ledger) == 0, f"seed {seed}"
    with one.ledger.read() as connection:
        rows = {till.peer.device: devices.get(connection, till.peer.device) for till in terminals}
        undecided = connection.scalar(sa.text("SELECT count(*) FROM scans WHERE outcome IS NULL"))
        twice = connection.execute(sa.text("SELECT device, seq FROM scans GROUP BY 1, 2 HAVING count(*) > 1")).all()
        sold = {row[0] for row in connection.execute(sa.text("SELECT code FROM codes WHERE state = 'sold'"))}
    assert [row.upto for row in rows.values() if row] == [till.seq for till in terminals], f"seed {seed}"
    assert (undecided, list(twice)) == (0, []), f"seed {seed}"
    assert {code for code in stock if one.platform.sold(code)} == sold, f"seed {seed}"
    assert all(one.platform.sold(code) <= 1 for code in stock), f"seed {seed}"
    two.close()


def _next(till: Terminal, stock: list[str], chance: random.Random) -> bytes:
    code, what = chance.choice(stock), chance.random()
    if what < 0.2 and till.seq:
        return till.void(chance.randint(max(1, till.seq - 3), till.seq))
    if what < 0.4:
        return till.scan(code, Operation.RETURN)
    return till.scan(code, Operation.QUERY if what < 0.5 else Operation.SALE)


def test_one_devices_records_through_two_bridges_are_decided_in_order(one: World) -> None:
    two = World.beside(one)
    till = one.terminal()
    messages = [till.scan(code) for code in CODES]
    together(
        lambda: [one.deliver(till, message) for message in messages[::2]] and None,
        lambda: [two.deliver(till, message) for message in messages[1::2]] and None,
    )
    one.settle()
    with one.ledger.read() as connection:
        row = devices.get(connection, "d-window-01")
        late = "SELECT count(*) FROM scans a JOIN scans b ON b.seq = a.seq + 1 WHERE b.decided_at < a.decided_at"
        assert connection.scalar(sa.text(late)) == 0
    assert row is not None
    assert row.upto == len(CODES)
    assert sorted(till.outcomes()) == [(seq, 0, 0) for seq in range(1, len(CODES) + 1)]
    two.close()


def test_row_that_another_bridge_holds_is_a_passing_fault(one: World) -> None:
    one.busy_timeout_ms = 100
    one.start()
    till = one.terminal()
    message = till.scan()
    with plain(one.url) as other:
        other.execute("SELECT 1 FROM devices WHERE id = 'd-window-01' FOR UPDATE")
        with pytest.raises(LedgerBusy):
            one.deliver(till, message)
    assert one.acked == []
    one.deliver(till, message)
    one.settle()
    assert till.outcomes() == [(1, 0, 0)]


def test_lost_connection_is_a_passing_fault_and_made_anew(one: World) -> None:
    till = one.terminal()
    message = till.scan()
    with plain(one.url) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'scanlatch'")
    with pytest.raises(LedgerBusy):
        one.deliver(till, message)
    one.deliver(till, message)
    one.settle()
    assert till.outcomes() == [(1, 0, 0)]


def test_server_that_dies_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with Postgres() as server:
        world = World(tmp_path, url=server.create("ledger"))
        till = world.terminal()
        world.deliver(till, till.scan(CODES[0]))
        server.kill()
        lost = till.scan(CODES[1])
        with pytest.raises(LedgerBusy):
            world.deliver(till, lost)
        with pytest.raises(LedgerBusy):
            world.deliver(till, lost)
        server.start()
        world.deliver(till, lost)
        world.settle()
        assert till.outcomes() == [(1, 0, 0), (2, 0, 0)]
        world.close()


def test_hung_bridge_gives_its_locks_back(database: str) -> None:
    with closing(open_ledger(database)) as ledger, ledger.read() as connection:
        assert connection.scalar(sa.text("SHOW idle_in_transaction_session_timeout")) == "15s"
        assert connection.scalar(sa.text("SHOW lock_timeout")) == "5s"
        assert connection.scalar(sa.text("SHOW synchronous_commit")) == "on"


def test_view_is_of_one_moment_and_writes_nothing(database: str) -> None:
    with closing(open_ledger(database)) as ledger:
        with ledger.read() as connection:
            count = sa.text("SELECT count(*) FROM products")
            assert connection.scalar(count) == 0
            with plain(database) as other:
                other.execute("INSERT INTO products (id, name, content) VALUES ('p', 'p', 1)")
            assert connection.scalar(count) == 0
        with pytest.raises(BridgeError), ledger.read() as connection:
            connection.execute(sa.text("DELETE FROM products"))


def test_server_that_is_not_there_may_come_back(tmp_path: Path) -> None:
    with pytest.raises(LedgerBusy):
        open_ledger(f"postgresql://me:secret@/ledger?host={tmp_path}")


def test_database_that_is_not_there_will_not_come_by_itself(postgres: Postgres) -> None:
    url = postgres.url("nobody").replace("postgres@", "postgres:secret@")
    with pytest.raises(LedgerBroken, match="nobody") as told:
        open_ledger(url)
    assert "secret" not in str(told.value)


def test_bridges_that_start_together_make_one_ledger(postgres: Postgres) -> None:
    url = postgres.create("together")
    together(*[lambda: open_ledger(url).close()] * 3)
    with closing(connect(url)) as ledger, ledger.read() as connection:
        assert len(partitions.listed(connection)) == partitions.AHEAD + 1
    postgres.drop("together")


def test_records_before_their_month_was_made_move_into_it(one: World) -> None:
    till = one.terminal()
    one.sell(till, *CODES[:3])
    one.ledger.look_ahead(NOW)
    with one.ledger.read() as connection:
        assert {"2026-09", "2026-12"} <= set(partitions.listed(connection))
        assert connection.scalar(sa.text("SELECT count(*) FROM scans_2026_09")) == 3
        assert connection.scalar(sa.text("SELECT count(*) FROM scans_other")) == 0
    one.clock.ms += 12 * MONTH_MS  # a bridge that was not started for a year
    one.sell(till, CODES[3], CODES[0])
    one.deliver(till, till.messages[1], till.messages[4])
    assert till.outcomes()[-2:] == [(1, 0, 0), (4, 0, 0)]


def test_texts_with_nul_stop_nothing(one: World) -> None:
    till = one.terminal()
    one.deliver(till, till.credential(1), kind="credential")
    one.deliver(till, till.peer.seal_reply(Reply(1, "o\0k", 1, {})), kind="reply")
    with one.ledger.read() as connection:
        assert connection.scalar(sa.text("SELECT result FROM commands")) == "o␀k"


@pytest.mark.parametrize("family", [1, 2, 3, 4])
def test_longest_and_strangest_data_stops_nothing(one: World, family: int) -> None:
    till = one.terminal()
    strange = [
        b"\0" * 20,
        "药".encode() * 170,
        b"x" * 512,
        b"\xff" * 512,
        b"8" * 512,
        "\N{GRINNING FACE}".encode() * 128,
    ]
    session = "S" * 32
    one.deliver(till, *[till.scan(data=data, family=family, session=session) for data in strange])  # type: ignore[arg-type]
    one.settle()
    assert sorted(seq for seq, _, _ in till.outcomes()) == list(range(1, len(strange) + 1))


def test_server_of_an_owner_that_was_killed_goes_with_it() -> None:
    script = (
        "import os; from scanlatch_tools.postgres import Postgres;"
        " print(Postgres(durable=False).url('x'), flush=True); os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    folder = Path(done.stdout.strip().partition("host=")[2])
    assert folder.name.startswith("scanlatch-pg-")
    end = time.monotonic() + 20
    while folder.exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert not folder.exists()
