"""What terminals say of themselves: the newest is kept, of terminals that there are; nothing else suffers from it."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from scanlatch_tools.postgres import Postgres

from host_bridge.hints import LARGEST
from host_bridge.ledger import hints
from tests.bridge.conftest import DATABASES
from tests.bridge.world import CODES, Terminal, World


@pytest.fixture(params=DATABASES)
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A bridge on each database."""
    if request.param == "sqlite":
        world = World(tmp_path)
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        postgres.drop("hints")
        world = World(tmp_path, url=postgres.create("hints"))
    yield world
    world.close()


def _say(terminal: Terminal, kind: str, **told: object) -> None:
    terminal.world.deliver(terminal, json.dumps({"v": 1, **told}).encode(), kind=kind)


def _kept(world: World, device: str = "d-window-01") -> dict[str, hints.Hint]:
    world.later(2_000)
    with world.ledger.read() as connection:
        return hints.of_device(connection, device)


def test_the_newest_of_each_kind_is_kept(there: World) -> None:
    terminal = there.terminal()
    _say(terminal, "health", heap_free=1)
    _say(terminal, "status", online=True, boot=1, connection=1)
    first = _kept(there)
    assert (first["health"].told["heap_free"], first["status"].told["online"]) == (1, True)
    _say(terminal, "health", heap_free=2)
    _say(terminal, "health", heap_free=3)
    second = _kept(there)
    assert second["health"].told["heap_free"] == 3
    assert second["health"].received_at > first["health"].received_at
    with there.ledger.read() as connection:
        assert list(hints.every(connection, "health")) == ["d-window-01"]


def test_a_will_behind_the_next_birth_says_nothing(world: World) -> None:
    terminal = world.terminal()
    _say(terminal, "status", online=True, boot=2, connection=3)
    _say(terminal, "status", online=False, boot=2, connection=2)
    assert _kept(world)["status"].told["online"] is True
    _say(terminal, "status", online=False, boot=2, connection=3)
    assert _kept(world)["status"].told["online"] is False


def test_who_is_no_terminal_or_is_revoked_leaves_nothing(world: World) -> None:
    _say(world.terminal(enrolled=False), "health", heap_free=1)
    revoked = world.terminal("d-window-02")
    world.registry.revoke("d-window-02")
    _say(revoked, "health", heap_free=1)
    assert (_kept(world), _kept(world, "d-window-02")) == ({}, {})


@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b"{", b"\xff", b'{"v":1}' + b" " * LARGEST, b'{"v":' + b"[" * 3_000 + b"]" * 1_000, b'"x"'],
)
def test_what_is_no_table_of_json_is_left_out(world: World, payload: bytes) -> None:
    terminal = world.terminal()
    for kind in ("health", "status"):
        world.deliver(terminal, payload, kind=kind)
    assert _kept(world) == {}


def test_a_ledger_that_is_busy_keeps_no_scan_waiting_for_a_hint(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.busy_timeout_ms = 50
    world.start()
    terminal = world.terminal()
    world.sell(terminal, CODES[0])
    world.later(2_000)
    _say(terminal, "health", heap_free=1)
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        world.clock.ms += 1_000
        world.intake.tick()  # raises nothing
        other.execute("ROLLBACK")
    assert _kept(world)["health"].told["heap_free"] == 1
    world.close()
