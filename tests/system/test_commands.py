"""Commands from the bridge to a real terminal, and its replies."""

import time

import pytest
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.stage import Stage
from typer.testing import CliRunner

from host_bridge import cli
from tests.system.ledger_view import LedgerView
from tests.system.waiting import until, until_shown

_ROUND_S = 15  # commands given by hand go out with the bridge's next round, every 10 s


@pytest.fixture(scope="module")
def told(stage: Stage, window: Desk) -> int:
    """Every command is given at once, since they share the bridge's round; the mark in the trace before it."""
    mark = window.twin.mark()
    with LedgerView(stage) as ledger:
        now = int(time.time() * 1000)
        ledger.session(window.device, now)
        ledger.command(window.device, "resend", {"from": 1}, now)
    for name in ("acknowledge", "health", "identify"):
        done = CliRunner().invoke(cli.app, ["command", window.device, name, "--config", str(stage.site.config)])
        assert done.exit_code == 0, done.output
    return mark


@pytest.mark.parametrize("name", ["session", "resend", "acknowledge", "health", "identify"])
def test_a_terminal_obeys_and_says_so(stage: Stage, window: Desk, told: int, name: str) -> None:
    with LedgerView(stage) as ledger:
        until(lambda: ledger.replies(window.device).get(name), f"a reply to {name}", _ROUND_S)
        assert ledger.replies(window.device)[name] == "ok"


def test_identify_shows(window: Desk, told: int) -> None:
    until_shown(window.twin, "identify", told)


def test_a_command_that_does_not_exist_is_refused_with_those_that_do(stage: Stage, window: Desk) -> None:
    done = CliRunner().invoke(cli.app, ["command", window.device, "explode", "--config", str(stage.site.config)])
    assert done.exit_code == 1
    assert "identify" in done.output
