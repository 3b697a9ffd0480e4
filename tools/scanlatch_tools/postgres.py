"""A PostgreSQL server of one's own: made in a temporary folder, gone when it is closed or its owner dies."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from scanlatch_tools.texts import _

OLDEST = 15  # major version
_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
_SERVER_USER = "postgres"  # postgres refuses to run as root
_START_S = 30.0
_STOP_S = 15.0
_SETTINGS = {"listen_addresses": "", "unix_socket_permissions": "0700", "max_connections": "100", "jit": "off"}
_UNSAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# The guard ends the server when its standard input closes, which it does however its owner ends; told nothing before
# that, it removes the folder too.
_GUARD = """
folder=$1; shift
"$@" </dev/null >"$folder/log" 2>&1 & server=$!
read -r told; kill -INT $server; wait $server
[ -n "$told" ] || rm -rf "$folder"
"""


class NoPostgres(Exception):  # noqa: N818
    """No server of a sufficient version is installed, or it can't be started here."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"PostgreSQL {OLDEST} or newer is needed: {detail}")
        self.detail = detail


def find() -> Path:
    """The folder with the newest server's programs. Raises NoPostgres."""
    told = os.environ.get("SCANLATCH_POSTGRES")
    on_path = shutil.which("postgres")
    folders = [Path(told)] if told else [Path(on_path).resolve().parent] if on_path else []
    if not told:
        folders += [place for pattern in _PLACES for place in Path("/").glob(pattern.removeprefix("/"))]
    found = {folder: _version(folder) for folder in folders if (folder / "initdb").exists()}
    if not found:
        raise NoPostgres(_("no initdb in SCANLATCH_POSTGRES, on the PATH or in /usr/lib/postgresql"))
    newest = max(found, key=lambda folder: found[folder])
    if found[newest] < OLDEST:
        raise NoPostgres(_("{newest} has {found}").format(newest=newest, found=found[newest]))
    return newest


class Postgres:
    """A running server that only this account (and root) reaches, through a socket in its folder.

    `durable` writes through to the disk as a real one does; without it databases are fast, and lost with the machine.
    """

    def __init__(self, durable: bool = True, settings: dict[str, str] | None = None) -> None:
        self.programs = find()
        self._folder = Path(tempfile.mkdtemp(prefix="scanlatch-pg-"))
        self._user: int | None = None  # None: whoever runs this
        self._group: int | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._settings = {**_SETTINGS, **({} if durable else _UNSAFE), **(settings or {})}
        try:
            self._give_away()
            self._init()
            self.start()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def url(self, database: str) -> str:
        """SQLAlchemy's form, as in [ledger] url."""
        return f"postgresql+psycopg://{_SERVER_USER}@/{database}?host={self._folder}"

    def create(self, database: str, template: str | None = None) -> str:
        """Make a database, empty or as a copy of another that nobody is connected to; its URL."""
        names = sql.Identifier(database), sql.Identifier(template or "template0")
        self._do(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database, whoever is connected to it."""
        self._do(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))

    def start(self) -> None:
        """Start the server again after `stop` or `kill`. Raises NoPostgres with its log."""
        command = [str(self.programs / "postgres"), "-D", str(self._data), "-k", str(self._folder)]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value}"]
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "guard", str(self._folder), *command],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd="/", start_new_session=True, user=self._user, group=self._group, extra_groups=self._groups,
        )  # fmt: skip
        self._wait_ready()

    def stop(self) -> None:
        """End the server in order; its databases stay until `close`."""
        if self._guard is None:
            return
        guard, self._guard = self._guard, None
        if guard.stdin:
            with contextlib.suppress(BrokenPipeError):
                guard.stdin.write(b"keep\n")
                guard.stdin.close()
        try:
            guard.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._signal("-9")
            guard.wait(_STOP_S)

    def kill(self) -> None:
        """End the server as a power cut would: no checkpoint, connections gone."""
        mine = self._lock_file()
        self._signal("-9")
        self.stop()
        end = time.monotonic() + _STOP_S
        while mine and _in_use(mine) and time.monotonic() < end:
            time.sleep(0.02)  # its sessions end by themselves, and hold its memory until then

    def close(self) -> None:
        """End the server and remove all that it wrote."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _give_away(self) -> None:
        """Root hands the folder to an account that postgres will run under."""
        if os.getuid() != 0:
            return
        try:
            account = pwd.getpwnam(_SERVER_USER)
        except KeyError as error:
            raise NoPostgres(
                _("root cannot run it, and there is no account {server_user!r}").format(server_user=_SERVER_USER)
            ) from error
        os.chown(self._folder, account.pw_uid, account.pw_gid)
        self._user, self._group = account.pw_uid, account.pw_gid

    def _init(self) -> None:
        options = ["-A", "trust", "-U", _SERVER_USER, "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        self._run([str(self.programs / "initdb"), "-D", str(self._data), *options])

    def _wait_ready(self) -> None:
        end = time.monotonic() + _START_S
        while True:
            try:
                self._do(sql.SQL("SELECT 1"))
                return
            except psycopg.OperationalError as error:
                gone = "FATAL" in self._log() and not (self._data / "postmaster.pid").exists()
                if gone or time.monotonic() > end:
                    raise NoPostgres(_("the server does not start:\n{log}").format(log=self._log()[-2_000:])) from error
            time.sleep(0.02)

    def _log(self) -> str:
        path = self._folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _do(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(self.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(statement)

    def _signal(self, signal: str) -> None:
        lock = self._lock_file()
        if lock:
            self._run(["/bin/kill", signal, lock[0]])

    def _lock_file(self) -> list[str]:
        """Lines of the running server's lock file: the first its process, the seventh its shared memory."""
        path = self._data / "postmaster.pid"
        return path.read_text().split("\n") if path.exists() else []

    def _run(self, command: Sequence[str]) -> None:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd="/", check=False,
            user=self._user, group=self._group, extra_groups=self._groups,
        )  # fmt: skip
        if done.returncode:
            raise NoPostgres(f"{Path(command[0]).name}: {done.stderr.strip()}")

    @property
    def _groups(self) -> list[int] | None:
        return None if self._user is None else []


def _in_use(lock: list[str]) -> bool:
    """Whether anyone still has the shared memory of a server."""
    listing = Path("/proc/sysvipc/shm")
    block = lock[6].split() if len(lock) > 6 else []
    if not listing.exists() or len(block) < 2:
        return False
    rows = [line.split() for line in listing.read_text().splitlines()[1:]]
    return any(row[1] == block[1] and int(row[6]) > 0 for row in rows)


def _version(folder: Path) -> int:
    told = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    words = told.split()
    return int(words[2].split(".")[0]) if len(words) > 2 and words[2][0].isdigit() else 0
