"""What a database's error means for the caller: wait, mend the ledger, or, on a broken invariant, look at the code."""

import re

from sqlalchemy.exc import DatabaseError, OperationalError

from host_bridge.errors import LedgerBroken, LedgerBusy

# SQLite result codes that may not come again: sqlite.org/rescode.html
_SQLITE_PASSING = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_NOMEM")
# PostgreSQL's, by class or whole: postgresql.org/docs/15/errcodes-appendix.html
_POSTGRES_PASSING = (
    "08",  # connection lost
    "40",  # deadlock, serialization failure
    "53",  # disk full, out of memory, too many connections
    "55P03",  # lock not available
    "57",  # operator intervention: shut down, starting up, cancelled
    "58",  # I/O error outside the database
    "25006",  # read-only: a standby, or a failover under way
    "25P03",  # idle in transaction for too long: this process hung
)
_POSTGRES_BROKEN = (
    "XX",  # damaged data or index
    "3D",  # no such database
    "3F",  # no such schema
    "28",  # not let in
    "42",  # a table or column is missing, or a right
)

# A refused connection has no code, and its text is the server's; in another language it counts as passing.
_REFUSED = re.compile(r"FATAL:\s+(database|role) \".*\" does not exist|authentication failed|no pg_hba.conf entry")


def told(error: DatabaseError, url: str) -> Exception:
    """LedgerBusy, LedgerBroken, or the error itself where it is neither's fault; `url` without a password."""
    cause = error.orig
    detail = " ".join(str(cause).split())
    name = getattr(cause, "sqlite_errorname", None)
    if name is not None:
        return _of_sqlite(error, url, str(name), detail)
    state = getattr(cause, "sqlstate", None)
    if state is None:  # the connection could not be made, or broke
        if _REFUSED.search(detail):
            return LedgerBroken(url, detail)
        return LedgerBusy(detail) if isinstance(error, OperationalError) else error
    if state.startswith(_POSTGRES_PASSING):
        return LedgerBusy(detail)
    return LedgerBroken(url, detail) if state.startswith(_POSTGRES_BROKEN) else error


def _of_sqlite(error: DatabaseError, url: str, name: str, detail: str) -> Exception:
    if not isinstance(error, OperationalError):
        damaged = type(error) is DatabaseError
        return LedgerBroken(url, detail) if damaged else error
    return LedgerBusy(detail) if name.startswith(_SQLITE_PASSING) else LedgerBroken(url, detail)
