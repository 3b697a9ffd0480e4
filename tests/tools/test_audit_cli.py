"""`scanlatch audit` by its commands and exit statuses, on a site's folder."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from scanlatch_tools import site
from scanlatch_tools.errors import ToolError
from scanlatch_tools.evidence import cli, verify
from scanlatch_tools.evidence.certify import certify
from typer.testing import CliRunner

from tests.bridge.world import CODES, SITE, World
from tests.wire_peer import WirePeer, point

DEVICE = "d-window-01"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A site with one terminal that sold two boxes."""
    made = site.create(tmp_path / "site", [SITE])
    world = World(tmp_path, url=made.ledger_url)
    till = world.terminal(DEVICE)
    world.sell(till, CODES[0], CODES[1])
    world.deliver(till, till.head(), kind="head")
    yield made.folder
    world.close()


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(cli.app, [str(one) for one in arguments])
    return done.exit_code, done.output


def change(folder: Path, statement: str) -> None:
    engine = sa.create_engine(f"sqlite:///{folder / 'ledger.sqlite'}")
    with engine.begin() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()


def test_the_status_of_an_audit_says_what_it_found(folder: Path) -> None:
    config = folder / "bridge.toml"
    assert run("--config", config)[0] == 0
    change(folder, "DELETE FROM scans WHERE seq = 1")
    status, told = run("--config", config)
    assert status == 1
    assert f"finding: {DEVICE} 1: records 1 to 1 are missing; no open alert says so [gap]. To do: " in told
    status, told = run("--config", config, "--json")
    found = json.loads(told)
    assert (status, found["ok"], found["findings"][0]["kind"], found["findings"][0]["first"]) == (1, False, "gap", 1)
    assert run("--config", config, "--device", "d-nobody")[0] == 2
    assert run("--config", folder / "nothing.toml")[0] == 2
    assert run()[0] == 2
    change(folder, "UPDATE alembic_version SET version_num = '0001'")
    status, told = run("--config", config)
    assert (status, "scanlatch bridge migrate" in told) == (2, True)


def test_evidence_is_exported_and_proved_by_the_commands(folder: Path, tmp_path: Path) -> None:
    config, out, verifier = folder / "bridge.toml", tmp_path / "day", tmp_path / "verify.py"
    day = ("--day", "2026-09-21", "--site", SITE)
    status, told = run("export", out, "--config", config, *day)
    assert (status, "scanlatch audit certify" in told) == (2, True)
    assert run("certify", folder) == (0, f"{DEVICE}: certified\n")
    assert run("certify", folder) == (0, f"{DEVICE}: was certified\n")
    status, told = run("export", out, "--config", config, *day)
    assert (status, "2 records of 1 terminals" in told) == (0, True)
    assert verify.main([str(out), "--ca", str(folder / "ca" / "ca.pem")]) == 0
    assert verify.main([str(out), "--ca", str(folder / "ca" / "ca.der")]) == 0
    assert run("export", out, "--config", config, *day)[0] == 2
    assert run("export", tmp_path / "other", "--config", config, *day, "--code", CODES[0])[0] == 2
    assert run("export", tmp_path / "other", "--config", config)[0] == 2
    assert (run("verifier", verifier)[0], run("verifier", verifier)[0]) == (0, 2)
    assert verifier.read_bytes() == Path(verify.__file__).read_bytes()


def test_an_export_with_records_missing_says_so(folder: Path, tmp_path: Path) -> None:
    run("certify", folder)
    change(folder, "DELETE FROM scans WHERE seq = 1")
    status, told = run("export", tmp_path / "out", "--config", folder / "bridge.toml", "--device", DEVICE)
    assert (status, f"records of {DEVICE} 1 to 1 are not in the ledger" in told) == (1, True)
    assert verify.main([str(tmp_path / "out"), "--ca", str(folder / "ca" / "ca.pem")]) == 1


def test_a_key_is_certified_for_life(folder: Path) -> None:
    run("certify", folder)
    other = WirePeer.new(DEVICE, site.load(folder).bridge_public())
    with pytest.raises(ToolError, match="needs a new id"):
        certify(folder, DEVICE, point(other.signing))
    path = folder / "ca" / "terminals" / f"{DEVICE}.der"
    path.write_bytes(b"nothing")
    with pytest.raises(ToolError, match="put it back"):
        certify(folder, DEVICE, point(other.signing))
