"""Makes the ledgers of older versions that tests open, once for each: `python -m tests.bridge.ledgers.make 0006`.

A small day is run by the code as it is; its rows go into an empty ledger of the version asked for, as far as that had
tables and columns for them. For both databases; PostgreSQL's programs must be installed. A file that was made is kept:
it is what a ledger of that version looks like.
"""

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from cryptography.hazmat.primitives.asymmetric import ec
from scanlatch_tools.postgres import Postgres

from host_bridge.ledger import bridges, hints
from host_bridge.wire import Operation
from tests.bridge import shop
from tests.bridge.world import CODES, OTHER_SITE, SITE, Terminal, World
from tests.wire_peer import WirePeer, point

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
ROWS_FROM = "0002"  # the first version that has all tables which a bridge alone fills
TILL, OTHER, DOCK = ("d-window-01", SITE, 2), ("d-window-02", OTHER_SITE, 4), ("d-dock-01", SITE, 6)


def key(number: int) -> ec.EllipticCurvePrivateKey:
    """A key that everybody knows: 1 is the bridge's; a terminal has two that follow each other."""
    return ec.derive_private_key(number, ec.SECP256R1())


def terminal(world: World, device: str, site: str, first_key: int) -> Terminal:
    """A terminal with keys that everybody knows."""
    return Terminal(world, WirePeer(device, key(first_key), key(first_key + 1), world.registry.public), site)


def upgrade(engine: sa.Engine, revision: str) -> None:
    """Bring an empty or older ledger to a version that is not the newest."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "host_bridge" / "ledger" / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _day(folder: Path) -> tuple[str, bytes]:
    """URL of a ledger with rows of every kind, and the record of the till that is still on its way, seq 5."""
    world = World(folder)
    world.ledger.close()
    world.agreement = key(1)
    world.start()
    till, other, dock = (terminal(world, *one) for one in (TILL, OTHER, DOCK))
    for one in (till, other, dock):
        points = point(one.peer.signing), point(one.peer.agreement)
        world.registry.enrol(one.peer.device, one.site, *points, world.clock.now())
    shop.product(world)
    shop.recall(world, "B-9")
    shop.announce(world, "D-1", *CODES[:3], lot="B-1", expires_on=20_301_231)
    shop.session(world, till, "S-1", shop.boxes(3))
    world.deliver(till, till.head(), kind="head")
    world.deliver(dock, *(dock.scan(code, Operation.RECEIVE) for code in (CODES[0], CODES[1], CODES[20])))
    world.deliver(till, till.scan(CODES[0], session="S-1"), till.scan(CODES[1], session="S-1"))
    world.settle()
    world.deliver(other, other.scan(CODES[0]), b"\xff")
    world.deliver(till, till.void(2, "S-1"))
    world.settle()
    world.platform.loses_answers = True
    world.deliver(till, till.scan(CODES[2], session="S-1"))
    world.settle()
    late = till.scan(CODES[3])
    world.deliver(till, till.scan(CODES[4]))
    dock.seq, dock.last, kept = dock.seq - 1, dock.last, dock.last
    world.deliver(dock, dock.scan(CODES[21], Operation.RECEIVE))
    dock.last = kept
    with world.ledger.write() as connection:
        bridges.seen(connection, "bridge-2", world.clock.now())
        hints.put(connection, {(TILL[0], kind): ('{"v": 1}', world.clock.now()) for kind in ("status", "health")})
    world.close()
    return world.url, late


def _fill(rows_of: str, url: str, revision: str) -> None:
    """The rows of one ledger in another of an older version."""
    source, target = sa.create_engine(rows_of), sa.create_engine(url)
    upgrade(target, min(ROWS_FROM, revision))
    before = _copy(source, target, set())
    upgrade(target, revision)
    _copy(source, target, before)
    source.dispose()
    target.dispose()


def _copy(source: sa.Engine, target: sa.Engine, without: set[str]) -> set[str]:
    theirs, ours = sa.MetaData(), sa.MetaData()
    theirs.reflect(source)
    ours.reflect(target)
    done = {name for name in ours.tables if name in theirs.tables and name != "alembic_version"} - without
    with source.connect() as read, target.begin() as write:
        for name in sorted(done):
            table = ours.tables[name]
            columns = [theirs.tables[name].c[column.name] for column in table.columns]
            rows = [dict(row) for row in read.execute(sa.select(*columns)).mappings()]
            if rows:
                write.execute(table.insert(), rows)
            numbered = table.autoincrement_column
            if target.dialect.name == "postgresql" and numbered is not None and numbered.name == "id":
                write.execute(sa.text(f"SELECT setval('{name}_id_seq', (SELECT coalesce(max(id), 1) FROM {name}))"))
    return done | without


def _dump_sqlite(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump()) + "\n"


def _dump_postgresql(server: Postgres, url: str) -> str:
    options = ["--inserts", "--no-owner", "--no-privileges", "--schema=public"]
    plain = url.replace("+psycopg", "")
    done = subprocess.run(
        [str(server.programs / "pg_dump"), *options, plain], capture_output=True, text=True, check=True
    )
    lines = (line for line in done.stdout.splitlines() if line and not line.startswith(("--", "SET ", "\\")))
    return "\n".join(line for line in lines if not line.startswith(("CREATE SCHEMA", "SELECT pg_catalog.set_config")))


def main(revision: str) -> None:
    folder = Path(tempfile.mkdtemp())
    rows_of, late = _day(folder)
    head = f"-- A ledger of schema version {revision}; `make.py` beside this says of what.\n"
    head += f"-- Seq 5 of d-window-01: {late.hex()}\n"
    path = folder / "old.sqlite"
    _fill(rows_of, f"sqlite:///{path}", revision)
    (HERE / f"{revision}.sql").write_text(head + _dump_sqlite(path))
    with Postgres(durable=False) as server:
        url = server.create("old")
        _fill(rows_of, url, revision)
        (HERE / f"{revision}.postgresql.sql").write_text(head + _dump_postgresql(server, url) + "\n")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main(sys.argv[1])
