"""No statement of a bridge at work reads a whole table: the cost of a scan must not grow with the ledger."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from host_bridge.wire import Operation
from tests.bridge.world import CODES, OTHER_SITE, World

# A scan is right only over an index that holds few rows: those are named in schema.py, SQLite's own are not.
_WHOLE = re.compile(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX sqlite_autoindex_\w+)?\Z")
_GROWING = {"scans", "outbox", "verdicts", "codes", "quarantine", "heads", "passed", "alerts", "commands"}


@pytest.fixture
def statements() -> Any:
    seen: dict[str, Any] = {}

    def note(_connection: object, _cursor: object, statement: str, values: Any, _context: object, many: bool) -> None:
        seen.setdefault(statement, values[0] if many else values)

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


def _live(world: World) -> None:
    """A day in short: sales, gaps, losses, quarantine, voids, returns, trouble, heads, a restart."""
    till, other = world.terminal(), world.terminal("d-window-02", OTHER_SITE)
    world.sell(till, *CODES[:3], CODES[0])
    world.sell(other, CODES[0], CODES[3])
    world.deliver(till, till.void(1), till.messages[2], b"\xff")
    world.deliver(till, till.scan(CODES[1], Operation.RETURN), till.scan(CODES[5], Operation.QUERY))
    world.settle()
    world.platform.reachable = False
    world.sell(till, CODES[6], CODES[7])
    world.deliver(till, till.void(till.seq))
    world.later(5_000)
    for code in CODES[8:14]:
        till.scan(code)
    world.deliver(till, till.messages[till.seq])
    newest = till.seq
    world.deliver(till, till.head(missing=((newest - 4, newest - 3),)), kind="head")
    world.later(200_000)
    world.platform.reachable = True
    world.deliver(till, *till.messages.values())
    world.later(20_000)
    world.settle()
    world.deliver(till, till.head(), till.head(), kind="head")
    world.deliver(till, till.credential(1), kind="credential")
    world.start()
    world.later(20_000)


def test_no_statement_reads_a_whole_table(statements: dict[str, Any], world: World, tmp_path: Path) -> None:
    _live(world)
    plain = sqlite3.connect(tmp_path / "ledger.sqlite")
    whole: list[str] = []
    for statement, values in statements.items():
        if not re.match(r"\s*(SELECT|UPDATE|DELETE)", statement) or "sqlite_" in statement:
            continue
        plan = plain.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
        read = {found[1] for row in plan if (found := _WHOLE.match(row[3]))}
        if read & _GROWING:
            whole.append(f"{sorted(read)}: {statement}")
    assert whole == []
    assert len(statements) > 40
