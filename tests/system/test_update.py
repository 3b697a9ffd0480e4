"""New firmware comes over the air: what fails at one terminal goes to no other, and what is good gets to all."""

import contextlib
import os
import re
import shlex
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
WRITTEN = [  # on docs/updates.md, with what each says
    "scanlatch update build --site site --out new.slb",
    "scanlatch update show new.slb --site site",
    "scanlatch update --bundle new.slb --group 5% --site site",
    "scanlatch update status --site site",
    "scanlatch update stop --site site",
]
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


@pytest.fixture(scope="module")
def family(fleet: Stage) -> str:
    """Which compiled files run on this machine."""
    asked = Twin(fleet.folder / "asked").run("from scanlatch.system import update_begin as it\nprint(it.family())")
    return asked.strip()


def _broken(stage: Stage) -> Path:
    """Firmware that starts anew as soon as it runs."""
    source = stage.folder / "broken"
    (source / "scanlatch").mkdir(parents=True)
    (source / "scanlatch" / "app.py").write_text("import machine\n\n\ndef run():\n    machine.reset()\n")
    (source / "scanlatch" / "__init__.py").write_text('VERSION = "0.1.8"\n')
    return source


def _newer(stage: Stage) -> Path:
    """Our own firmware under another version."""
    source = stage.folder / "newer"
    shutil.copytree(places.firmware(), source)
    about = source / "scanlatch" / "__init__.py"
    about.write_text(re.sub('^VERSION = ".*"$', 'VERSION = "0.1.9"', about.read_text(), flags=re.MULTILINE))
    return source


def _run(command: str, stage: Stage) -> None:
    with pytest.raises(SystemExit) as ended, contextlib.chdir(stage.folder):
        cli.main(shlex.split(command)[1:])
    assert not ended.value.code, command


def _states(ledger: Ledger) -> dict[str, str]:
    """State of the newest rollout under "rollout", and of each terminal that it has come to."""
    found = rollout_plan.status(ledger)
    assert found is not None
    return {"rollout": found.rollout.state, **{one.device: one.state for one in found.places.values()}}


def _to_its_end(ledger: Ledger) -> dict[str, str]:
    until(lambda: _states(ledger)["rollout"] != "running", "the rollout's end", _UPDATED_S * len(DEVICES))
    return _states(ledger)


def test_a_firmware_that_fails_at_one_terminal_goes_to_no_other(fleet: Stage, ledger: Ledger, family: str) -> None:
    source = _broken(fleet)
    _run(f"scanlatch update build --site site --firmware {source} --family {family} --out broken.slb", fleet)
    _run("scanlatch update --bundle broken.slb --group 5% --errors 0 --site site", fleet)
    states = _to_its_end(ledger)
    assert states.pop("rollout") == "stopped"
    assert list(states.values()) == ["failed"]
    with ledger.read() as connection:
        assert [one.kind for one in alerts.listed(connection)] == ["update"]
    for device, twin in fleet.terminals.items():
        assert (len(twin.said("restart")) > 0) == (device in states)


def test_a_firmware_that_works_gets_to_its_terminals_which_scan(fleet: Stage, ledger: Ledger, family: str) -> None:
    source = _newer(fleet)
    for command in WRITTEN:
        _run(f"{command} --firmware {source} --family {family}" if " build " in command else command, fleet)
    states = _states(ledger)
    assert states.pop("rollout") == "stopped"
    (first,) = states
    chosen = DEVICES if FULL else (first,)
    _run(f"scanlatch update --bundle new.slb --group {1 if FULL else first} --site site", fleet)
    assert _to_its_end(ledger) == {"rollout": "done" if FULL else "waiting", **dict.fromkeys(chosen, "done")}
    for device, code in zip(chosen, CODES, strict=False):
        twin = fleet.terminals[device]
        twin.wait_engine()
        mark = twin.mark()
        twin.scan(code)
        until_shown(twin, "accepted", mark, _UPDATED_S)
