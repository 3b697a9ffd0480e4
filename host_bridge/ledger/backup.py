"""Copies of a ledger: made while bridges run, put back with what was there kept beside."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from host_bridge.errors import LedgerBroken, LedgerBusy, PermanentError
from host_bridge.ledger.open import Ledger, known_revisions
from host_bridge.texts import text

_SECOND = "%Y%m%d%H%M%S"
_OTHERS = (  # the server's own workers, autovacuum above all, are nobody who could be stopped
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend'"
)
_WAL_FILES = ("-wal", "-shm")


def back_up(ledger: Ledger, to: Path) -> None:
    """Write the ledger as it is at one moment into the new file `to`; bridges go on meanwhile.

    Raises PermanentError where the file is there already or pg_dump is missing or fails, LedgerBroken where the copy
    is damaged.
    """
    if to.exists():
        raise PermanentError(text("{to} is there already; a backup never writes over anything", to=to))
    part = to.with_name(f"{to.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    try:
        if ledger.is_postgresql:
            _run("pg_dump", ledger.place, ["--format=custom", "--schema=public", "--no-owner", f"--file={part}"])
        else:
            _copy_sqlite(_file(ledger), part)
        _sync(part)
        part.rename(to)
        _sync(to.parent)
    finally:
        part.unlink(missing_ok=True)


def restore(ledger: Ledger, source: Path, now: int) -> str:
    """Put a backup in the ledger's place; where to find what was there before. `now` is ms UTC; no bridge may run.

    Raises LedgerBusy where one does, LedgerBroken where the backup is damaged or not a ledger, PermanentError
    where pg_restore is missing or fails. The ledger is as it was then.
    """
    if not source.is_file():
        raise PermanentError(text("{source} is not there", source=source))
    second = datetime.fromtimestamp(now / 1000, UTC).strftime(_SECOND)
    if ledger.is_postgresql:
        return _restore_postgresql(ledger, source, f"before_{second}")
    return _restore_sqlite(_file(ledger), source, f"before-{second}")


def examine(ledger: Ledger) -> None:
    """Read the whole ledger and raise LedgerBroken where something of it is damaged. Takes long where it is large."""
    with ledger.read() as connection:
        if not ledger.is_postgresql:
            _whole(ledger.url, [str(row[0]) for row in connection.execute(sa.text("PRAGMA integrity_check"))])
            return
        tables = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
        for table in list(connection.scalars(sa.text(tables))):
            connection.execute(sa.text(f"SELECT count(t::text) FROM {table} t"))  # noqa: S608  # PostgreSQL quoted it


def _copy_sqlite(path: Path, to: Path) -> None:
    try:
        with closing(_read_only(path)) as source, closing(sqlite3.connect(to)) as copy:
            source.backup(copy)  # in one step: writers go on beside it, and the copy is of one moment
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, whole by itself
            _whole(str(to), [str(row[0]) for row in copy.execute("PRAGMA integrity_check")])
    except sqlite3.Error as error:
        raise LedgerBroken(str(path), str(error)) from error


def _restore_sqlite(path: Path, source: Path, suffix: str) -> str:
    _must_be_a_ledger(source)
    part, before = path.with_name(f"{path.name}.restoring"), path.with_name(f"{path.name}.{suffix}")
    if before.exists():
        raise PermanentError(text("{before} is there already: another restore has just made it", before=before))
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    shutil.copyfile(source, part)
    _sync(part)
    _close_down(path)
    for end in ("", *_WAL_FILES):
        if path.with_name(path.name + end).exists():
            path.with_name(path.name + end).rename(before.with_name(before.name + end))
    part.rename(path)
    _sync(path.parent)
    return str(before)


def _close_down(path: Path) -> None:
    """Make one file of a ledger that nobody uses; one that is damaged stays as it is."""
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, timeout=1.0)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")  # only the last one in can leave WAL
    except sqlite3.OperationalError as error:
        raise LedgerBusy(text("{error}: stop the bridge before a restore", error=error)) from error
    except sqlite3.DatabaseError:
        return


def _must_be_a_ledger(path: Path) -> None:
    try:
        with closing(_read_only(path)) as connection:
            _whole(str(path), [str(row[0]) for row in connection.execute("PRAGMA integrity_check")])
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise LedgerBroken(str(path), text("{error}; it is no backup of a ledger", error=error)) from error
    _must_be_known(path, found[0] if found else None)


def _must_be_known(source: Path, revision: str | None) -> None:
    if revision not in known_revisions():
        raise LedgerBroken(
            str(source), text("version {revision}; was it written by a newer version?", revision=revision)
        )


def _restore_postgresql(ledger: Ledger, source: Path, schema: str) -> str:
    with ledger.write() as connection:
        if connection.scalar(sa.text(_OTHERS)):
            raise LedgerBusy(text("others are connected to it: stop every bridge before a restore"))
    listing = _run("pg_restore", None, ["--list", str(source)])
    if " alembic_version " not in listing:
        raise LedgerBroken(str(source), text("it is no backup of a ledger"))
    _swap(ledger, "public", schema)
    try:
        options = ["--schema=public", "--no-owner", "--single-transaction", "--exit-on-error", str(source)]
        _run("pg_restore", ledger.place, options)
        _must_be_known(source, ledger.revision())
    except BaseException:
        with ledger.write() as connection:
            connection.execute(sa.text("DROP SCHEMA public CASCADE"))
            connection.execute(sa.text(f"ALTER SCHEMA {schema} RENAME TO public"))
        raise
    return f"schema {schema}"


def _swap(ledger: Ledger, old: str, new: str) -> None:
    with ledger.write() as connection:
        connection.execute(sa.text(f"ALTER SCHEMA {old} RENAME TO {new}"))
        connection.execute(sa.text(f"CREATE SCHEMA {old}"))


def _run(program: str, place: sa.URL | None, options: list[str]) -> str:
    """Run one of PostgreSQL's own programs; the password goes by the environment, where `ps` does not show it."""
    found = shutil.which(program)
    if found is None:
        raise PermanentError(
            text(
                "{program} is not on the PATH: install PostgreSQL's client programs (postgresql-client)",
                program=program,
            )
        )
    environment = dict(os.environ)
    if place is not None:
        plain = place.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
        options = [f"--dbname={plain}", *options]
        if place.password:
            environment["PGPASSWORD"] = place.password
    done = subprocess.run([found, *options], capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise PermanentError(f"{program}: {done.stderr.strip() or f'ended with {done.returncode}'}")
    return done.stdout


def _file(ledger: Ledger) -> Path:
    return Path(ledger.place.database or "")


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def _whole(where: str, found: list[str]) -> None:
    if found != ["ok"]:
        raise LedgerBroken(where, text("is damaged: {found}", found="; ".join(found[:3])))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
