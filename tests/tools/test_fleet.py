"""`scanlatch fleet` where the broker is not at hand: nothing is said to hold that was not seen; the rest is told."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scanlatch_tools import broker, revocation, site
from scanlatch_tools.errors import ToolError
from scanlatch_tools.fleet import cli, shut
from typer.testing import CliRunner

from host_bridge.errors import PermanentError
from tests.tools import test_broker as brokers

LOST = "d-lost-01"


@pytest.fixture
def made(tmp_path: Path) -> SimpleNamespace:
    folder = tmp_path / "site"
    there = site.create(folder, ["clinic-7"], port=broker.free_port())
    return SimpleNamespace(site=there, identities={LOST: brokers.identity(there, LOST, tmp_path)})


def test_where_no_broker_runs_the_person_is_told_and_one_that_is_started_refuses(made: SimpleNamespace) -> None:
    told = _cut(made.site.folder, status=cli.LEFT)
    assert (told["publish"], told["connect"], told["ended"]) == (None, None, None)
    assert "no broker of this folder runs here" in told["todo"][0]
    with broker.Mosquitto(made.site):
        with brokers.Client(made, LOST) as lost:
            lost.wait(lambda it: it.refused or it.lost > 0)
            assert lost.connects == 0
        told = _cut(made.site.folder)
        assert (told["publish"], told["connect"], told["ended"]) == (True, True, True)
        assert shut.shut_out(made.site.folder) == {LOST}
        _cut(made.site.folder, "--admit")
        assert shut.shut_out(made.site.folder) == set()


def test_a_broker_whose_settings_are_older_is_not_said_to_refuse(made: SimpleNamespace) -> None:
    settings = made.site.folder / "mosquitto.conf"
    settings.write_text("".join(line for line in settings.read_text().splitlines(True) if "crlfile" not in line))
    told = _cut(made.site.folder, status=cli.LEFT)
    assert told["connect"] is None
    assert f"`crlfile {made.site.folder / revocation.LIST}`" in told["todo"][0]


def test_a_list_that_would_refuse_everybody_is_never_written(made: SimpleNamespace) -> None:
    (made.site.folder / revocation.LIST).write_text("")
    with pytest.raises(ToolError, match="would refuse all"):
        shut.shut(made.site.folder, {LOST}, LOST)
    assert (made.site.folder / revocation.LIST).read_text() == ""


def test_what_no_terminal_can_be_called_gets_no_line_in_the_brokers_files(made: SimpleNamespace) -> None:
    acl = made.site.folder / "acl"
    before = acl.read_text()
    for wrong in ("../../x", "x\nuser y\ntopic readwrite #", ""):
        done = CliRunner().invoke(cli.app, ["cut", wrong, "--site", str(made.site.folder)])
        assert isinstance(done.exception, PermanentError), done.output
    assert acl.read_text() == before


def _cut(folder: Path, *more: str, status: int = 0) -> dict[str, Any]:
    done = CliRunner().invoke(cli.app, ["cut", LOST, "--site", str(folder), "--json", *more])
    assert done.exit_code == status, f"{done.output}\n{done.exception!r}"
    return json.loads(done.output)["broker"]
