"""Records that a terminal could not send: saved over its cable, and taken by the bridge as they were signed."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cbor2
import pytest
from scanlatch_tools import enrol
from scanlatch_tools import site as sites
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.flash.errors import UnsentError
from scanlatch_tools.flash.work import flash
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin.chip.bare import BareBoard
from typer.testing import CliRunner

from host_bridge import cli as bridge_cli
from tests.documents import BIN
from tests.tools import provision_case as case
from tests.tools.flash_case import Listener, flashed, until, wish

KEPT = 3


def test_what_was_kept_in_an_outage_reaches_the_ledger_over_the_cable(
    stage: Stage, codes: Iterator[str], tmp_path: Path
) -> None:
    saved = tmp_path / "saved.rescue"
    with BareBoard(tmp_path / "board") as board:
        board.start()
        flashed(board, tmp_path, "esp32")
        case.made(stage, board, name="rescued-01")
        desk = Desk("rescued-01", case.SITE, board)
        desk.wait_online(60)
        stage.bridge.stop()
        for _ in range(KEPT):
            seen = desk.hold_text(next(codes), frozenset({"kept"}))
            assert "kept" in seen.shown
        told = _run("rescue", "--port", board.port, "--out", saved)
        assert f"{KEPT} records, 1 to {KEPT}" in told
        again = _run("rescue", "--port", board.port, "--out", saved, status=1)
        assert "is there already" in again
        other = sites.create(tmp_path / "other", ["pharmacy-3"]).folder
        asked = ("provision", "--site", other, "--port", board.port, "--leave-site", case.SITE, "--no-link")
        told = _run(*asked, "--leave-records", f"leave {KEPT - 1} records", status=5)
        assert f"another site, '{case.SITE}', and its journal holds {KEPT} records" in told
        assert f'--leave-records "leave {KEPT} records"' in told
        file = cbor2.loads(saved.read_bytes())
        assert (file["device"], file["site"], file["lost"], len(file["records"])) == ("rescued-01", case.SITE, [], KEPT)
        wanted = replace(wish(board, tmp_path, "esp32"), site=stage.site.folder)
        with pytest.raises(UnsentError, match=f"holds {KEPT} records .*save them first with `scanlatch rescue --port"):
            flash(wanted, Listener())  # saved in a file is not yet handed over
        for _ in range(2):  # what is known stays as it is
            assert f"now reach to {KEPT}" in _taken(stage, saved)
        talk = Listener()
        flash(wanted, talk)
        assert (talk.asked, talk.told("journal")["handed"]) == ([], KEPT)
        assert "scanlog" in talk.told("plan")["keeps"]
        with pytest.raises(UnsentError):
            flash(replace(wanted, site=None), Listener())
        until(lambda: board.runs)
        stage.bridge.start()  # the broker has them, too
        case.sold(board, "rescued-01", next(codes))
    spoilt = tmp_path / "spoilt.rescue"
    spoilt.write_bytes(saved.read_bytes()[:-10])
    assert "is not what `scanlatch rescue` wrote" in _taken(stage, spoilt, 1)
    with enrol.registry(stage.site) as registry:
        found = registry.find("rescued-01")
        assert (found.quarantined, found.newest) == (0, KEPT + 1)
        registry.revoke("rescued-01")
    assert "is revoked: they are evidence only" in _taken(stage, saved)


def _taken(stage: Stage, file: Path, status: int = 0) -> str:
    done = CliRunner().invoke(bridge_cli.app, ["take", str(file), "--config", str(stage.site.config)])
    assert done.exit_code == status, done.output
    return done.output


def _run(*arguments: object, status: int = 0) -> str:
    done = subprocess.run(
        [BIN / "scanlatch", *map(str, arguments)], capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr
