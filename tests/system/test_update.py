"""New firmware comes over the air: what fails at one terminal goes to no other, and what is good gets to all."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from scanlatch_tools import cli, places
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin.device import Twin

from host_bridge import rollout_plan
from host_bridge.ledger import Ledger, alerts, open_ledger
from tests.system.waiting import until, until_shown

DEVICES = ("d-1", "d-2")
SITE = "clinic-7"
CODES = [f"8338652{number:013}" for number in range(4)]
FULL = bool(os.environ.get("SCANLATCH_FULL"))  # both terminals, in two groups
_UPDATED_S = 150  # a busy machine: a hundred chunks, a restart, its health


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A site of its own, where every terminal is to be updated."""
    with Stage(tmp_path_factory.mktemp("update") / "stage", [SITE], broker="mosquitto") as stage:
        stage.platform.know(CODES)
        for device in DEVICES:
            Desk(device, SITE, stage.terminal(device, SITE)).wait_ready()
        yield stage


@pytest.fixture(scope="module")
def ledger(fleet: Stage) -> Iterator[Ledger]:
    found = open_ledger(fleet.site.ledger_url)
    yield found
    found.close()


def _bundle(stage: Stage, version: str, *, broken: bool = False) -> Path:
    """A bundle of our own firmware under another version; `broken`: of one that starts anew as soon as it runs."""
    source, made = stage.folder / f"firmware-{version}", stage.folder / f"{version}.slb"
    package = source / "scanlatch"
    if broken:
        package.mkdir(parents=True)
        (package / "app.py").write_text("import machine\n\n\ndef run():\n    machine.reset()\n")
        (package / "__init__.py").write_text(f'VERSION = "{version}"\n')
    else:
        shutil.copytree(places.firmware(), source)
        about = package / "__init__.py"
        about.write_text(re.sub('^VERSION = ".*"$', f'VERSION = "{version}"', about.read_text(), flags=re.MULTILINE))
    asked = Twin(stage.folder / "asked").run("from scanlatch.system import update_begin as it\nprint(it.family())")
    family = asked.strip()
    _run("update", "build", "--firmware", str(source), "--family", family, "--out", str(made), site=stage)
    return made


def _run(*arguments: str, site: Stage) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*arguments, "--site", str(site.site.folder)])
    assert not ended.value.code


def _states(ledger: Ledger) -> dict[str, str]:
    """State of the newest rollout under "rollout", and of each terminal that it has come to."""
    found = rollout_plan.status(ledger)
    assert found is not None
    return {"rollout": found.rollout.state, **{one.device: one.state for one in found.places.values()}}


def _roll_out(stage: Stage, ledger: Ledger, bundle: Path, group: str) -> None:
    _run("update", "--bundle", str(bundle), "--group", group, "--errors", "0", site=stage)
    until(lambda: _states(ledger)["rollout"] != "running", "the rollout's end", _UPDATED_S * len(DEVICES))


def test_a_firmware_that_fails_at_one_terminal_goes_to_no_other(fleet: Stage, ledger: Ledger) -> None:
    _roll_out(fleet, ledger, _bundle(fleet, "0.1.8", broken=True), "5%")
    states = _states(ledger)
    assert states.pop("rollout") == "stopped"
    assert list(states.values()) == ["failed"]
    with ledger.read() as connection:
        assert [one.kind for one in alerts.listed(connection)] == ["update"]
    for device, twin in fleet.terminals.items():
        assert (len(twin.said("restart")) > 0) == (device in states)


def test_a_firmware_that_works_gets_to_its_terminals_which_scan(fleet: Stage, ledger: Ledger) -> None:
    chosen = DEVICES if FULL else DEVICES[:1]
    _roll_out(fleet, ledger, _bundle(fleet, "0.1.9"), "1" if FULL else chosen[0])
    states = _states(ledger)
    assert states.pop("rollout") == ("done" if FULL else "waiting"), states
    assert states == dict.fromkeys(chosen, "done")
    for device, code in zip(chosen, CODES, strict=False):
        twin = fleet.terminals[device]
        twin.wait_engine()
        mark = twin.mark()
        twin.scan(code)
        until_shown(twin, "accepted", mark, _UPDATED_S)
