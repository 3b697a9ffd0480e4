"""A ledger as each older version left it opens with every value that it held, whole, and the day goes on."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from scanlatch_tools.postgres import Postgres

from host_bridge.audit.run import audit
from host_bridge.ledger import open as opening
from host_bridge.ledger import scans
from host_bridge.ledger.backup import examine
from host_bridge.ledger.open import connect, known_revisions, newest_revision
from host_bridge.ledger.schema import metadata
from host_bridge.wire import Operation
from tests.bridge.conftest import DATABASES
from tests.bridge.ledgers.make import DOCK, HERE, OTHER, TILL, key, terminal
from tests.bridge.world import CODES, World

VERSIONS = sorted(path.name.split(".")[0] for path in HERE.glob("*.postgresql.sql"))
KEPT = [(version, database) for version in VERSIONS for database in DATABASES]
Rows = dict[str, list[dict[str, object]]]


@pytest.fixture(params=KEPT, ids="-".join)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """(URL, version) of an older ledger."""
    version, database = request.param
    if database == "sqlite":
        path = tmp_path / "ledger.sqlite"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript((HERE / f"{version}.sql").read_text())
        yield f"sqlite:///{path}", version
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    url = postgres.create("old_version")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute((HERE / f"{version}.postgresql.sql").read_bytes())
    yield url, version
    postgres.drop("old_version")


def test_every_version_has_a_ledger_kept() -> None:
    assert {"0001", *VERSIONS} == known_revisions(), "python -m tests.bridge.ledgers.make VERSION"


def test_the_files_names_are_the_versions_that_alembic_brings_up_to_date() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(opening.__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    assert known_revisions() == {script.revision for script in scripts.walk_revisions()}
    assert newest_revision() == scripts.get_current_head()


@pytest.mark.parametrize("old", [("0001", "sqlite"), *KEPT], ids="-".join, indirect=True)
def test_an_older_ledger_opens_with_all_that_it_held(old: tuple[str, str]) -> None:
    url, version = old
    with closing(connect(url)) as ledger:
        assert ledger.revision() == version
        before = _rows(url)
        assert all(before[name] for name in ("scans", "codes", "outbox", "verdicts", "quarantine", "sessions"))
        ledger.migrate()
        assert ledger.revision() == newest_revision()
        after = _rows(url)
        for name, rows in before.items():
            kept = [{column: row[column] for column in rows[0]} for row in after[name]] if rows else after[name]
            assert sorted(map(str, kept)) == sorted(map(str, rows)), name
        examine(ledger)
        with ledger.read() as connection:
            context = MigrationContext.configure(connection, opts={"include_object": _ours})
            assert compare_metadata(context, metadata) == []


def test_the_day_goes_on_in_an_older_ledger(old: tuple[str, str], tmp_path: Path) -> None:
    url, version = old
    world = _world(tmp_path, url)
    till, other, dock = (terminal(world, *one) for one in (TILL, OTHER, DOCK))
    missing = bytes.fromhex((HERE / f"{version}.sql").read_text().splitlines()[1].rpartition(" ")[2])
    with world.ledger.read() as connection:
        for one in (till, other, dock):
            one.uptime = 1_000_000
            kept = dict(scans.messages(connection, one.peer.device, 1, 100))
            for seq in range(1, max(kept) + 1):
                one.keep(kept.get(seq, missing))
    world.later(60_000)
    world.settle()  # what had no answer is asked about, and was taken by no platform that this one knows: sent
    world.deliver(till, missing, *till.messages.values())
    world.settle()
    last = {seq: (outcome, reason) for seq, outcome, reason in till.outcomes()}
    assert last == dict.fromkeys(range(1, 7), (0, 0))
    world.sell(other, CODES[0], CODES[6])
    assert other.outcomes()[-2:] == [(2, 1, 2), (3, 0, 0)], "sold elsewhere before; a box of its own"
    world.deliver(till, till.void(4, "S-1"), till.scan(CODES[0], Operation.RETURN))
    world.settle()
    assert till.outcomes()[-2:] == [(7, 0, 0), (8, 0, 0)], "what an older version sold is taken back"
    world.deliver(dock, dock.scan(CODES[2], Operation.RECEIVE))
    assert dock.outcomes()[-1][1:] == (5, 17), "suspended since its conflict"
    for one in (till, other, dock):
        world.deliver(one, one.head(), kind="head")
    found = audit(url, {}, world.clock.now())
    assert list(found.counts) == [("d-dock-01", "fork")], found.lines()
    world.close()


def _world(folder: Path, url: str) -> World:
    world = World(folder, url=url)
    world.ledger.close()
    world.agreement = key(1)
    world.start()
    return world


def _rows(url: str) -> Rows:
    """Every row of every table as it lies there, but for the version's own."""
    engine = sa.create_engine(url)
    tables = sa.MetaData()
    tables.reflect(engine)
    found: Rows = {}
    with engine.connect() as connection:
        for name, table in tables.tables.items():
            if name != "alembic_version" and _ours(None, name):
                found[name] = [dict(row) for row in connection.execute(table.select()).mappings()]
    engine.dispose()
    return found


def _ours(_object: object, name: str | None, *_rest: object) -> bool:
    return not (name or "").startswith("scans_")  # months
