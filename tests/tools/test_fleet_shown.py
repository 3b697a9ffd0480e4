"""What terminals say of themselves is shown as a text: it draws nothing, hides nothing and ends no command."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table
from scanlatch_tools import tables
from scanlatch_tools.fleet import view

from host_bridge.ledger import hints
from tests.bridge.world import World

_HARMFUL = "[/bold] \x1b[2J\x1b]0;x\x07 [red]ok[/red] \r\n"


def _shown(table: Table) -> str:
    out = StringIO()
    Console(file=out, width=400, force_terminal=True, color_system=None).print(table)
    return out.getvalue()


@pytest.mark.parametrize("said", [_HARMFUL, {"a": _HARMFUL}, [_HARMFUL], "x" * 4_000])
def test_words_of_a_terminal_that_means_harm_are_shown_as_they_are(tmp_path: Path, said: object) -> None:
    world = World(tmp_path)
    world.terminal()
    with world.ledger.write() as connection:
        told = json.dumps(dict.fromkeys(("fw", "queue", "board", "engine", "certificate_days", "update"), said))
        now = world.clock.now()
        hints.put(connection, {("d-window-01", "health"): (told, now), ("d-window-01", "status"): (told, now)})
    row = view.row(world.ledger, world.registry, set(), "d-window-01")
    for table in (view.table([row]), view.sheet(row)):
        text = _shown(table)
        assert not {"\x1b", "\x07", "\r"} & set(text)
        assert "d-window-01" in text
        assert len(text) < 10_000
        assert said != _HARMFUL or "[red]ok[/red]" in text
    world.close()


@pytest.mark.parametrize("terminal", [False, True])
def test_no_column_is_left_out_where_the_window_is_narrow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], terminal: bool
) -> None:
    world = World(tmp_path)
    world.terminal()
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TTY_COMPATIBLE" if terminal else "NO_COLOR", "1")
    tables.show(view.table(view.rows(world.ledger, world.registry, set())))
    said = capsys.readouterr().out
    for heading in ("records", "record", "waiting", "certificate", "alerts"):
        assert heading in said
    assert "…" not in said
