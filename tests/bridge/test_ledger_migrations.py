"""A ledger of every older version opens with what it held, on both databases, and the bridge goes on from there."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from cryptography.hazmat.primitives.asymmetric import ec
from scanlatch_tools.postgres import Postgres

from host_bridge.ledger import open_ledger, partitions, scans
from host_bridge.ledger.open import connect
from tests.bridge.conftest import DATABASES
from tests.bridge.world import CODES, OTHER_SITE, SITE, Terminal, World
from tests.wire_peer import WirePeer

ROOT = Path(__file__).parents[2]
OLD = Path(__file__).parent / "ledgers" / "0001.sql"
MISSING = bytes.fromhex(OLD.read_text().splitlines()[1].rpartition(" ")[2])  # seq 5 of d-window-01


@pytest.fixture(params=DATABASES)
def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A ledger of version 0001."""
    path = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD.read_text())
    if request.param == "sqlite":
        return f"sqlite:///{path}"
    postgres: Postgres = request.getfixturevalue("postgres")
    postgres.drop("old")
    url = postgres.create("old")
    _copy(f"sqlite:///{path}", url)
    return url


def _copy(source: str, url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "host_bridge" / "ledger" / "migrations"))
    target = sa.create_engine(url)
    with target.begin() as to:
        config.attributes["connection"] = to
        command.upgrade(config, "0001")
    tables = sa.MetaData()
    old = sa.create_engine(source)
    tables.reflect(old)
    with old.connect() as one, target.begin() as to:
        for table in tables.sorted_tables:
            rows = [row._asdict() for row in one.execute(table.select())]
            if rows and table.name != "alembic_version":
                to.execute(table.insert(), rows)
        to.execute(sa.text("SELECT setval('alerts_id_seq', (SELECT max(id) FROM alerts))"))
    old.dispose()
    target.dispose()


def _world(folder: Path, url: str) -> World:
    """A bridge with the key of the one that wrote the old ledger."""
    world = World(folder, url=url)
    world.ledger.close()
    world.agreement = _key(1)
    world.start()
    return world


def _terminal(world: World, device: str, site: str, first_key: int) -> Terminal:
    """A device of the old ledger, where it stopped."""
    peer = WirePeer(device, _key(first_key), _key(first_key + 1), world.registry.public)
    terminal = Terminal(world, peer, site, uptime=1_000_000)
    with world.ledger.read() as connection:
        kept = dict(scans.messages(connection, device, 1, 100))
    for seq in range(1, max(kept) + 1):
        terminal.keep(kept.get(seq, MISSING))
    return terminal


def _key(number: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(number, ec.SECP256R1())


def test_bridge_goes_on_from_the_first_ledger(old_url: str, tmp_path: Path) -> None:
    world = _world(tmp_path, old_url)
    till = _terminal(world, "d-window-01", SITE, 2)
    other = _terminal(world, "d-window-02", OTHER_SITE, 4)
    assert (till.seq, other.seq) == (6, 1)
    world.later(60_000)
    world.settle()  # seq 4 had no answer; it is asked for, and sold now
    world.deliver(till, MISSING)
    world.settle()
    assert till.outcomes()[-3:] == [(4, 0, 0), (5, 0, 0), (6, 0, 0)]
    world.sell(other, CODES[0], CODES[1])
    assert other.outcomes() == [(2, 1, 2), (3, 0, 0)], "the first is sold elsewhere, the second came back"
    assert world.alerts()[:1] == [("quarantine", 0, 0)]
    world.close()


def test_records_of_the_first_ledger_lie_in_their_month(postgres: Postgres, tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD.read_text())
    url = postgres.create("old_months")
    _copy(f"sqlite:///{path}", url)
    with closing(open_ledger(url)) as ledger, ledger.read() as connection:
        assert partitions.listed(connection)[0] == "2026-09"
        assert connection.scalar(sa.text("SELECT count(*) FROM scans_2026_09")) == 6
        assert connection.scalar(sa.text("SELECT count(*) FROM ONLY scans_other")) == 0
    postgres.drop("old_months")


def test_migration_that_fails_leaves_the_old_ledger(old_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = connect(old_url)
    with ledger.write() as connection:
        connection.execute(sa.text("CREATE TABLE delivery_items (other INTEGER)"))  # in the migration's way
    with pytest.raises(Exception, match="delivery_items"):
        ledger.migrate()
    assert ledger.revision() == "0001"
    with ledger.write() as connection:
        connection.execute(sa.text("DROP TABLE delivery_items"))
    ledger.migrate()
    ledger.close()
    open_ledger(old_url).close()
