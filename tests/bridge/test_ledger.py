"""The ledger itself: its schema, its durability settings, and files that are none."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from host_bridge.errors import LedgerBroken, LedgerBusy
from host_bridge.ledger import open_ledger
from host_bridge.ledger.schema import metadata
from tests.bridge.world import CODES, OTHER_SITE, World


def test_migrations_make_the_schema_that_the_code_uses(ledger_url: str) -> None:
    def ours(_object: object, name: str | None, *_rest: object) -> bool:
        return not (name or "").startswith("scans_")  # months

    with closing(open_ledger(ledger_url)) as ledger, ledger.read() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours})
        assert compare_metadata(context, metadata) == []


def test_commit_reaches_the_disk_before_it_returns(tmp_path: Path) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    with ledger.write() as connection:
        assert connection.scalar(sa.text("PRAGMA synchronous")) == 2
        assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"


def test_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"this is not a database" * 100)
    with pytest.raises(LedgerBroken):
        open_ledger(f"sqlite:///{path}")


def test_ledger_of_a_newer_version_is_refused(ledger_url: str) -> None:
    with closing(open_ledger(ledger_url)) as ledger, ledger.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(LedgerBroken, match="newer"):
        open_ledger(ledger_url)


def test_ledger_in_a_folder_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(LedgerBroken, match="no folder"):
        open_ledger(f"sqlite:///{tmp_path / 'away' / 'ledger.sqlite'}")


@pytest.mark.parametrize("url", ["mysql://somewhere/ledger", "ledger.sqlite", ""])
def test_url_that_names_no_database_of_ours_is_refused(url: str) -> None:
    with pytest.raises(LedgerBroken, match="url"):
        open_ledger(url)


def test_lock_held_by_another_process_is_a_passing_fault(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = open_ledger(f"sqlite:///{path}", busy_timeout_ms=100)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerBusy), ledger.write():
        pass
    other.execute("ROLLBACK")
    with ledger.write():
        pass


def test_batch_refused_by_a_busy_ledger_leaves_nothing_and_may_come_again(sqlite_world: World, tmp_path: Path) -> None:
    world = sqlite_world
    world.busy_timeout_ms = 100
    world.start()
    till = world.terminal()
    message = till.scan(CODES[0])
    other = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerBusy):
        world.deliver(till, message)
    other.execute("ROLLBACK")
    assert world.acked == []
    assert world.outlet.sent == []
    world.deliver(till, message)
    world.settle()
    assert till.outcomes() == [(1, 0, 0)]


def test_two_bridges_on_one_ledger_accept_a_code_once(world: World) -> None:
    one = world
    two = World.beside(one)
    here, there = one.terminal(), one.terminal("d-window-02", OTHER_SITE)
    messages = [(here.scan(code), there.scan(code)) for code in CODES]
    there.world = two

    def feed(world: World, index: int) -> None:
        terminal = (here, there)[index]
        for pair in messages:
            world.deliver(terminal, pair[index])

    threads = [threading.Thread(target=feed, args=(world, index)) for index, world in enumerate((one, two))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one.settle()
    two.settle()
    taken = one.platform.taken.values()
    assert sorted(item.code for item in taken) == sorted(CODES)
    accepted = [terminal.outcomes().count((seq, 0, 0)) for seq in range(1, 51) for terminal in (here, there)]
    assert sum(accepted) == len(CODES)


def test_ledger_that_lost_a_table_is_broken_and_not_busy(ledger_url: str) -> None:
    ledger = open_ledger(ledger_url)
    with ledger.write() as connection:
        connection.execute(sa.text("DROP TABLE codes"))
    with pytest.raises(LedgerBroken), ledger.read() as connection:
        connection.execute(sa.text("SELECT * FROM codes"))
    ledger.close()
