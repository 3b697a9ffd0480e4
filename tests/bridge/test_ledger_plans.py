"""No statement of a bridge at work reads a whole table: the cost of a scan must not grow with the ledger."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from host_bridge.ledger import alerts, commands
from host_bridge.ledger.schema import alerts as alerts_table
from host_bridge.ledger.schema import commands as table
from host_bridge.wire import Operation
from tests.bridge.world import CODES, OTHER_SITE, World

# A scan is right only over an index that holds few rows: those are named in schema.py, SQLite's own are not.
_WHOLE = re.compile(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX sqlite_autoindex_\w+)?\Z")
_FIRST_COLUMNS = (
    "SELECT relname, attname FROM pg_index JOIN pg_class c ON c.oid = indexrelid"
    " JOIN pg_attribute a ON a.attrelid = indrelid AND a.attnum = indkey[0]"
    " WHERE indpred IS NULL AND relnamespace = 'public'::regnamespace"
)
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


def test_no_statement_reads_a_whole_table_on_sqlite(statements: dict[str, Any], sqlite_world: World) -> None:
    _live(sqlite_world)
    plain = sqlite3.connect(sqlite_world.folder / "ledger.sqlite")
    whole: list[str] = []
    for statement, values in _queries(statements).items():
        plan = plain.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
        read = {found[1] for row in plan if (found := _WHOLE.match(row[3]))}
        if read & _GROWING:
            whole.append(f"{sorted(read)}: {statement}")
    assert whole == []


def test_no_statement_reads_a_whole_table_on_postgresql(
    statements: dict[str, Any], tmp_path: Path, database: str
) -> None:
    world = World(tmp_path, url=database)
    _live(world)
    queries = _queries(statements)
    whole: list[str] = []
    with world.ledger.write() as connection:
        # So few rows are always read whole where that may be; where it may not, an index is looked for.
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        first = {row[0]: row[1] for row in connection.exec_driver_sql(_FIRST_COLUMNS)}
        for statement, values in queries.items():
            plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values).scalar_one()
            read = {name for name in _read_whole(plan[0]["Plan"], first) if name.split("_")[0] in _GROWING}
            if read:
                whole.append(f"{sorted(read)}: {statement}")
    world.close()
    assert whole == []


def test_the_last_command_of_a_name_is_found_among_many_of_other_names(
    statements: dict[str, Any], world: World
) -> None:
    rows: list[dict[str, Any]] = [
        {
            "device": "d-1",
            "counter": number,
            "name": "session",
            "arguments": {},
            "made_at": 0,
            "not_after": 0,
            "sent": True,
        }
        for number in range(1, 2_001)
    ]
    with world.ledger.write() as connection:
        connection.execute(table.insert(), rows)
        connection.exec_driver_sql("ANALYZE commands")
    statements.clear()
    with world.ledger.read() as connection:
        assert commands.last(connection, "d-1", "settings") == ({}, None)
        assert commands.last_told(connection, "d-1", "settings") == ({}, None, {})
        assert not commands.unanswered(connection, "d-1", "bridge-key", 3)
        queries = {told: values for told, values in statements.items() if "commands.name" in told}
        assert len(queries) == 2
        how = "EXPLAIN" if world.ledger.is_postgresql else "EXPLAIN QUERY PLAN"
        for told, values in queries.items():
            plan = str(connection.exec_driver_sql(f"{how} {told}", values).all())
            assert "commands_name" in plan, plan


def test_an_alert_that_is_open_is_found_among_many_of_its_terminal(statements: dict[str, Any], world: World) -> None:
    same: dict[str, Any] = {"kind": alerts.CHAIN, "device": "d-1", "detail": "", "opened_at": 0}
    with world.ledger.write() as connection:
        connection.execute(alerts_table.insert(), [{**same, "first": at, "last": at} for at in range(1, 2_001)])
        connection.exec_driver_sql("ANALYZE alerts")
        statements.clear()
        alerts.open_alert(connection, alerts.CHAIN, "d-1", 7, 7, "", 0)
        ((told, values),) = ((told, values) for told, values in statements.items() if "SELECT" in told)
        how = "EXPLAIN" if world.ledger.is_postgresql else "EXPLAIN QUERY PLAN"
        plan = str(connection.exec_driver_sql(f"{how} {told}", values).all())
    assert re.search(r"alerts_device.*(first=\?|Cond.*first = )", plan), plan


def _queries(statements: dict[str, Any]) -> dict[str, Any]:
    ours = re.compile(r"\s*(SELECT|UPDATE|DELETE|WITH)")
    others = re.compile("sqlite_|pg_catalog|pg_inherits|alembic_version|pg_advisory")
    found = {text: values for text, values in statements.items() if ours.match(text) and not others.search(text)}
    assert len(found) > 40
    return found


def _read_whole(node: dict[str, Any], first: dict[str, str]) -> set[str]:
    """Tables of which a plan reads every row: by themselves, or by an index whose first column is not asked for.

    A partial index may be read whole: it holds few rows. `first` has the others and their first columns.
    """
    found: set[str] = set()
    for child in node.get("Plans", []):
        found |= _read_whole(child, first)
    table, index = node.get("Relation Name"), node.get("Index Name")
    if node["Node Type"] == "Seq Scan" and table:
        found.add(table)
    elif index in first and not re.search(rf"\b{first[index]}\b", node.get("Index Cond", "")):
        found.add(table or index)
    return found
