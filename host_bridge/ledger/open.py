"""Opens the ledger, brings its schema up to date, and hands out transactions."""

import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError

from host_bridge.clock import SystemClock
from host_bridge.errors import LedgerBroken
from host_bridge.ledger import engines, partitions
from host_bridge.ledger.faults import told
from host_bridge.texts import N_, text

_MIGRATIONS = Path(__file__).parent / "migrations"
_VERSIONS = "alembic_version"  # the table that Alembic keeps
_GONE = N_(
    "there is none: put the newest backup back with `scanlatch bridge restore`; a new one would know no terminal, and "
    "nothing that was sold"
)
_Select = TypeVar("_Select", bound=sa.GenerativeSelect)


class Ledger:
    """One database. One writer at a time in this process; others wait for their busy timeout."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._writer = engines.writer(engine)
        self._reader = engines.reader(engine)
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where it is, without a password."""
        return self._engine.url.render_as_string(hide_password=True)

    @property
    def place(self) -> sa.URL:
        """Where it is, with its password: never for a log."""
        return self._engine.url

    @property
    def is_postgresql(self) -> bool:
        """Whether several bridges may write to it at once."""
        return self._engine.dialect.name == "postgresql"

    @contextmanager
    def write(self) -> Generator[sa.Connection]:
        """A transaction that is durable once the block is left without an exception.

        Raises LedgerBusy where a lock, the disk or the server did not give, LedgerBroken where trying again cannot
        help. Nothing of the block is kept then; only where the connection was lost in the very commit may it be kept
        after all, and the block must bear being run again.
        """
        with self._lock, self._begun(self._writer) as connection:
            yield connection

    @contextmanager
    def read(self) -> Generator[sa.Connection]:
        """A consistent view; never waits for a writer. Raises LedgerBusy and LedgerBroken as `write` does."""
        with self._begun(self._reader) as connection:
            yield connection

    def revision(self) -> str | None:
        """Version of the schema as it was found; None where there is none. Makes no file."""
        if self._file is not None and not self._file.exists():
            return None
        with self._begun(self._reader) as connection:
            if not sa.inspect(connection).has_table(_VERSIONS):
                return None
            return connection.scalar(sa.text(f"SELECT version_num FROM {_VERSIONS}"))  # noqa: S608  # our own name

    def look_ahead(self, now: int) -> None:
        """Make what the time from `now` (ms UTC) on needs: months for the records on PostgreSQL. Cheap where it is."""
        with self.read() as connection:
            missing = partitions.missing(connection, now)
        if missing:
            with self.write() as connection:
                partitions.make_ahead(connection, now)

    def migrate(self) -> None:
        """Bring the schema up to date. Raises LedgerBroken where a newer version wrote it."""
        from alembic import command  # a tenth of a second that a ledger which is up to date need not pay
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        if self._file is not None:
            self._file.touch(mode=0o600)
        with self.write() as connection:
            if self.is_postgresql:
                partitions.lock(connection)  # bridges that start together: the others find it done
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise LedgerBroken(
                    self.url, text("{error}; was it written by a newer version?", error=error)
                ) from error

    def close(self) -> None:
        """Give back files and connections."""
        self._engine.dispose()

    @property
    def _file(self) -> Path | None:
        """SQLite's; None where the ledger is no file."""
        name = self.place.database
        return None if self.is_postgresql or not name else Path(name)

    @contextmanager
    def _begun(self, engine: sa.Engine) -> Generator[sa.Connection]:
        try:
            with engine.begin() as connection:
                yield connection
        except DatabaseError as error:
            raise told(error, self.url) from error


def newest_revision() -> str:
    """Version of the schema that this code works on."""
    return max(known_revisions())


@cache
def known_revisions() -> frozenset[str]:
    """Every version of the schema that this code can bring up to date: they are numbered, one a file."""
    names = (re.match(r"(\d{4})_\w+\.py$", path.name) for path in (_MIGRATIONS / "versions").iterdir())
    return frozenset(name[1] for name in names if name)


def connect(url: str, busy_timeout_ms: int = 5_000) -> Ledger:
    """The database at `url` as it is: not created, not migrated. Raises LedgerBroken where the URL is none of ours."""
    try:
        return Ledger(engines.make(url, busy_timeout_ms))
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise LedgerBroken(url.partition(":")[0], text("[ledger] url cannot be used: {error}", error=error)) from error


def open_ledger(url: str, busy_timeout_ms: int = 5_000) -> Ledger:
    """Open the database at `url` (SQLAlchemy form), creating or migrating it.

    Raises LedgerBroken where it is no ledger, is damaged, or was written by a newer version; LedgerBusy where it
    cannot be reached or another process keeps it locked.
    """
    return _opened(connect(url, busy_timeout_ms), True)


def open_existing(url: str, busy_timeout_ms: int = 10_000) -> Ledger:
    """As `open_ledger`, but where there is none, as after an accident, none is made: it would let all be sold again.

    Raises LedgerBroken there, too.
    """
    return _opened(connect(url, busy_timeout_ms), False)


def _opened(ledger: Ledger, new: bool) -> Ledger:
    try:
        found = ledger.revision()
        if found is None and not new:
            raise LedgerBroken(ledger.url, text(_GONE))  # noqa: TRY301 - what was opened is closed, as at any other
        if found != newest_revision():
            ledger.migrate()
        ledger.look_ahead(SystemClock().now())
    except BaseException:
        ledger.close()
        raise
    return ledger


def row_lock(statement: _Select, skip_locked: bool = False) -> _Select:
    """FOR UPDATE where the database has it; SQLite's writer holds the whole database anyway.

    With `skip_locked` rows that another bridge holds are left out, and nothing waits.
    """
    return statement.with_for_update(skip_locked=skip_locked)
