"""`scanlatch bridge init|migrate|check|backup|restore|archive`, on both databases."""

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from scanlatch_tools.postgres import Postgres
from typer.testing import CliRunner, Result

from host_bridge.cli import app
from host_bridge.ledger import Ledger, open_ledger, partitions
from host_bridge.ledger.open import connect, newest_revision
from tests.bridge.conftest import DATABASES
from tests.bridge.world import CODES, NOW, World

MONTH_MS = 31 * 86_400_000


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Where there is no ledger yet."""
    if request.param == "sqlite":
        yield "sqlite:///ledger.sqlite"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    monkeypatch.setenv("PATH", f"{postgres.programs}{os.pathsep}{os.environ['PATH']}")
    yield postgres.create("by_hand")
    postgres.drop("by_hand")


class Site:
    """A bridge's settings, its ledger, and the command line."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url.replace("sqlite:///", f"sqlite:///{folder}/")
        self.config = folder / "bridge.toml"
        self.config.write_text(
            '[mqtt]\nhost = "127.0.0.1"\n[bridge]\nagreement_key = "agreement.key"\n'
            f'[ledger]\nurl = "{url}"\nbusy_timeout_ms = 100\n'
            '[platform]\nkind = "rest"\nurl = "http://127.0.0.1:1"\ninstitution = "H1"\n'
        )

    def call(self, *words: str, fails: bool = False) -> str:
        done: Result = CliRunner().invoke(app, [*words, "--config", str(self.config)])
        assert done.exit_code == (1 if fails else 0), done.output
        assert done.exception is None or isinstance(done.exception, SystemExit)
        return " ".join(done.output.split())

    def world(self) -> World:
        world = World(self.folder, url=self.url)
        key = world.agreement.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (self.folder / "agreement.key").write_bytes(key)
        return world


@pytest.fixture
def site(tmp_path: Path, empty_url: str) -> Site:
    return Site(tmp_path, empty_url)


@pytest.fixture
def sqlite_site(tmp_path: Path) -> Site:
    return Site(tmp_path, "sqlite:///ledger.sqlite")


def test_ledger_is_made_once_and_checked(site: Site) -> None:
    assert "no ledger" in site.call("migrate", fails=True)
    assert not list(site.folder.glob("ledger*")), "asking makes nothing"
    assert f"version {newest_revision()}" in site.call("init")
    assert "is there already" in site.call("init", fails=True)
    assert "already" in site.call("migrate")
    site.world().close()
    told = site.call("check", "--deep")
    assert "0 sites, 0 devices" in told
    assert "nothing is damaged" in told


def test_check_of_an_older_ledger_names_the_command_and_changes_nothing(site: Site) -> None:
    site.world().close()
    ledger = connect(site.url)
    with ledger.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    assert "`scanlatch bridge migrate`" in site.call("check", fails=True)
    assert ledger.revision() == "0001"
    ledger.close()


def test_backup_made_while_a_bridge_runs_is_restored_and_the_old_ledger_kept(site: Site) -> None:
    world = site.world()
    till = world.terminal()
    world.sell(till, *CODES[:3])
    to = site.folder / "copy"
    assert str(to) in site.call("backup", "--to", str(to))
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    assert "never writes over" in site.call("backup", "--to", str(to), fails=True)
    world.sell(till, *CODES[3:5])
    assert "stop" in site.call("restore", "--from", str(to), fails=True)
    world.close()
    told = site.call("restore", "--from", str(to))
    assert _records(site.url) == 3
    assert "1 devices" in site.call("check", "--deep")
    _still_has(site, told, records=5)
    again = site.world()
    again.agreement = world.agreement
    again.start()
    till.world = again
    again.deliver(till, *till.messages.values())
    again.settle()
    assert _records(site.url) == 5
    again.close()


def _records(url: str) -> int:
    ledger = connect(url)
    with closing(ledger), ledger.read() as connection:
        return connection.scalar(sa.text("SELECT count(*) FROM scans")) or 0


def _still_has(site: Site, told: str, records: int) -> None:
    """What was there before lies where the command says."""
    ledger = connect(site.url)
    if ledger.is_postgresql:
        schema = told.rpartition(" ")[2]
        with closing(ledger), ledger.read() as connection:
            assert connection.scalar(sa.text(f"SELECT count(*) FROM {schema}.scans")) == records
        return
    ledger.close()
    (kept,) = site.folder.glob("ledger.sqlite.before-*")
    assert kept.name in told.replace(" ", "")
    assert _records(f"sqlite:///{kept}") == records


def test_what_is_no_backup_is_not_restored(site: Site) -> None:
    world = site.world()
    world.sell(world.terminal(), *CODES[:2])
    world.close()
    wrong = site.folder / "wrong"
    assert "is not there" in site.call("restore", "--from", str(wrong), fails=True)
    wrong.write_bytes(b"not a backup" * 1_000)
    site.call("restore", "--from", str(wrong), fails=True)
    assert _records(site.url) == 2
    assert not list(site.folder.glob("*.restoring"))


def test_backup_of_a_newer_version_is_not_restored(site: Site) -> None:
    site.world().close()
    ledger = connect(site.url)
    with ledger.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    assert "newer" in site.call("backup", "--to", str(site.folder / "copy"), fails=True)
    _copy_by_other_means(site, ledger)
    with ledger.write() as connection:
        connection.execute(sa.text(f"UPDATE alembic_version SET version_num = '{newest_revision()}'"))
    ledger.close()
    assert "newer" in site.call("restore", "--from", str(site.folder / "copy"), fails=True)
    site.call("check", "--deep")


def _copy_by_other_means(site: Site, ledger: Ledger) -> None:
    from host_bridge.ledger.backup import back_up

    back_up(ledger, site.folder / "copy")


def test_backup_of_a_damaged_sqlite_ledger_is_refused(sqlite_site: Site) -> None:
    world = sqlite_site.world()
    world.sell(world.terminal(), *CODES[:40])
    world.close()
    path = sqlite_site.folder / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_scans_1'"
        ).fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((page - 1) * size + 200)
        file.write(os.urandom(size - 300))
    assert "damaged" in sqlite_site.call("backup", "--to", str(sqlite_site.folder / "copy"), fails=True)
    assert not list(sqlite_site.folder.glob("copy*"))
    assert "damaged" in sqlite_site.call("check", "--deep", fails=True)


def test_missing_client_programs_are_named(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(tmp_path, database)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "pg_dump is not on the PATH" in site.call("backup", "--to", str(tmp_path / "copy"), fails=True)


def test_old_months_are_archived_when_all_in_them_is_settled(tmp_path: Path, database: str) -> None:
    site = Site(tmp_path, database)
    world = site.world()
    till = world.terminal()
    world.sell(till, *CODES[:2])
    world.platform.reachable = False
    world.sell(till, CODES[2])
    ledger = world.ledger
    with ledger.write() as connection:
        partitions.make_ahead(connection, NOW)
    with pytest.raises(Exception, match="not settled"), ledger.write() as connection:
        partitions.archive(connection, "2026-10", NOW + 5 * MONTH_MS)
    world.platform.reachable = True
    world.later(30_000)
    world.settle()
    assert "at the latest" in site.call("archive", "--before", "2999-01", fails=True)
    with ledger.write() as connection:
        assert partitions.archive(connection, "2026-10", NOW + 5 * MONTH_MS) == ["archive.scans_2026_09"]
    with ledger.read() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM archive.scans_2026_09")) == 3
    assert _records(database) == 0
    world.sell(till, CODES[3], CODES[0])
    assert till.outcomes()[-2:] == [(4, 0, 0), (5, 2, 1)], "a code stays sold, whatever becomes of its record"
    told, receipts = till.outcomes(), len(till.receipts())
    world.deliver(till, till.messages[2], till.messages[3])
    assert till.outcomes() == told, "what is archived is not decided again"
    assert len(till.receipts()) == receipts + 1
    assert _records(database) == 2
    world.close()


def test_sqlite_has_no_months(sqlite_site: Site) -> None:
    open_ledger(sqlite_site.url).close()
    assert "PostgreSQL" in sqlite_site.call("archive", "--before", "2026-01", fails=True)


@pytest.mark.parametrize(
    "words",
    [["run"], ["alerts"], ["command", "d-1", "identify"], ["outbox", "list"], ["settings", "d-1", "warn_hours=4"]],
)
def test_where_the_ledger_is_gone_none_is_made_that_would_let_all_be_sold_again(
    words: list[str], empty_url: str, tmp_path: Path
) -> None:
    site = Site(tmp_path, empty_url)
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "agreement.key").write_bytes(pem)
    (tmp_path / "agreement.key").chmod(0o600)
    assert "bridge restore" in site.call(*words, fails=True)
    with closing(connect(site.url)) as ledger:
        assert ledger.revision() is None
