"""Reads in a site's ledger what its `Books` do not tell: alerts, what is kept beside the records, when they came."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from scanlatch_tools.stage import Stage

from host_bridge import sessions
from host_bridge.clock import system_chance
from host_bridge.ledger import Ledger, alerts, commands, evidence, open_ledger, schema
from host_bridge.ledger import devices as rows


class LedgerView:
    """A context manager."""

    def __init__(self, stage: Stage) -> None:
        self._ledger: Ledger = open_ledger(stage.site.ledger_url)

    def __enter__(self) -> "LedgerView":
        return self

    def __exit__(self, *_: object) -> None:
        self._ledger.close()

    def read(self, question: Callable[[sa.Connection], Any]) -> Any:
        with self._ledger.read() as connection:
            return question(connection)

    def use(self, job: Callable[[Ledger], Any]) -> Any:
        """What is done beside the bridges, by another system or a person."""
        return job(self._ledger)

    def alerts(self, device: str) -> list[str]:
        """Kinds of the open alerts."""
        return [one.kind for one in self.read(lambda connection: alerts.listed(connection, device))]

    def session(self, device: str, now: int) -> str:
        """Opens a session of a terminal and has the bridge tell it so; its id."""
        return sessions.open_session(self._ledger, device, now, system_chance())

    def quarantined(self, digest: bytes) -> bool:
        return bool(self.read(lambda connection: evidence.quarantined(connection, [digest])))

    def status(self, device: str) -> str:
        return self.read(lambda connection: rows.get(connection, device)).status

    def arrivals(self, device: str) -> list[tuple[int, int]]:
        """(seq, ms UTC) of all records, in order of seq."""
        query = sa.select(schema.scans.c.seq, schema.scans.c.received_at).where(schema.scans.c.device == device)
        return self.read(lambda connection: [tuple(row) for row in connection.execute(query.order_by("seq"))])

    def decided(self, device: str) -> list[int]:
        """When each record was decided, ms UTC, in order of seq; 0 where it was not."""
        query = sa.select(schema.scans.c.decided_at).where(schema.scans.c.device == device).order_by(schema.scans.c.seq)
        return self.read(lambda connection: [at or 0 for at in connection.scalars(query)])

    def waiting(self) -> int:
        """How many sessions of a PostgreSQL wait for a row that another has locked."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return self.read(lambda connection: connection.scalar(sa.text(query)))

    def sending(self, bridge: str) -> int:
        """How many submissions a bridge has claimed and not brought home."""
        columns = schema.outbox.c
        mine = sa.select(sa.func.count()).where(columns.state == "sending", columns.claimed_by == bridge)
        return self.read(lambda connection: connection.scalar(mine))

    @contextmanager
    def locked(self, device: str) -> Generator[None]:
        """Somebody else has the device's row in hand."""
        with self._ledger.write() as connection:
            rows.lock(connection, [device])
            yield

    def replies(self, device: str) -> dict[str, str | None]:
        """Result of each command by its name."""
        query = sa.select(schema.commands.c.name, schema.commands.c.result).where(schema.commands.c.device == device)
        return self.read(lambda connection: dict(tuple(row) for row in connection.execute(query)))

    def command(self, device: str, name: str, arguments: dict[str, Any], now: int) -> int:
        """Write a command down, as the bridge does for those that no person gives; its counter."""
        with self._ledger.write() as connection:
            row = rows.lock(connection, [device])[device]
            return commands.add(connection, row, name, arguments, now, now + 60_000).counter
