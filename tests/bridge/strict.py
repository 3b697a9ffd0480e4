"""What lies outside a bridge that may die: a broker that gives again, a platform that notes what must not be."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from host_bridge.settlement.port import Answer, Submission
from tests.bridge.dying import Points
from tests.bridge.outside import Outlet, Platform


class Witness:
    """Reads what is committed, by a connection that knows nothing of the bridge."""

    def __init__(self, url: str) -> None:
        self._is_sqlite = url.startswith("sqlite")
        if self._is_sqlite:
            self._connection: Any = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        else:
            self._connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)

    def ask(self, query: str, *values: object) -> list[Any]:
        """Rows of a query whose values are written `?`."""
        written = query if self._is_sqlite else query.replace("?", "%s")
        return self._connection.execute(written, values).fetchall()

    def has(self, message: bytes, kind: str) -> bool:
        """Whether a message is in the ledger, as whatever it may be."""
        tables = {"scan": ("scans", "conflicts", "quarantine"), "head": ("heads", "quarantine")}[kind]
        query = " UNION ALL ".join(f"SELECT 1 FROM {table} WHERE message = ?" for table in tables)
        return bool(self.ask(query, *(message,) * len(tables)))

    def close(self) -> None:
        self._connection.close()


class StrictPlatform(Platform):
    """The platform, which notes what the protocol does not allow."""

    def __init__(self, points: Points, witness: Witness) -> None:
        super().__init__()
        self._points = points
        self._witness = witness
        self._may_be_taken: set[str] = set()
        self.told: list[str] = []

    def submit(self, items: Sequence[Submission]) -> list[Answer]:
        for key in (item.key for item in items):
            if key in self._may_be_taken:
                self.told.append(f"{key} is sent again, though nobody asked what became of it")
            if self._witness.ask("SELECT state FROM outbox WHERE key = ?", key) != [("sending",)]:
                self.told.append(f"{key} is sent before its claim is in the ledger")
        self._points.here("before submit")
        self._may_be_taken |= {item.key for item in items}
        answers = super().submit(items)
        self._points.here("behind submit")
        return answers

    def ask(self, keys: Sequence[str]) -> list[Answer]:
        self._points.here("before ask")
        answers = super().ask(keys)
        self._may_be_taken -= {answer.key for answer in answers if answer.outcome == "unseen"}
        self._points.here("behind ask")
        return answers


class BrokerSide(Outlet):
    """The broker: what it was not sent an acknowledgement of, it gives again; what it was given, a terminal has.

    Where it is `slow`, what the bridge says and acknowledges lies in the bridge's own queue until `flush`, and dies
    with it.
    """

    def __init__(self, points: Points, slow: bool) -> None:
        super().__init__()
        self._points = points
        self._slow = slow
        self._queue: list[Callable[[], object]] = []
        self._unsaid: list[Callable[[bool], None]] = []  # acknowledgements of the bridge's messages, on their way

    def publish(self, topic: str, payload: bytes, done: Callable[[bool], None] | None) -> bool:
        self._points.here("before publish")

        def gone() -> None:
            super(BrokerSide, self).publish(topic, payload, None)
            if done is not None:
                self._unsaid.append(done)

        self.give(gone)
        return True

    def give(self, job: Callable[[], object]) -> None:
        """Something leaves the bridge, in its turn."""
        if self._slow:
            self._queue.append(job)
        else:
            job()

    def flush(self) -> None:
        """All that is on its way arrives, either way."""
        queue, self._queue = self._queue, []
        for job in queue:
            job()
        unsaid, self._unsaid = self._unsaid, []
        for done in unsaid:
            done(True)

    def lose(self) -> None:
        """The bridge died."""
        self._queue.clear()
        self._unsaid.clear()
