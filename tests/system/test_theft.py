"""A terminal is stolen and revoked: cut off at broker and bridge, and what it signed stays what it is.

Then it turns up again, is reinstated, and retired at last, for its board to become another terminal.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from scanlatch_tools import enrol
from scanlatch_tools.books import Books
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.evidence import cli as audit_cli
from scanlatch_tools.evidence import verify
from scanlatch_tools.fleet import cli as fleet_cli
from scanlatch_tools.rescue import work as rescue
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin.device import Twin, twin_board
from typer import Typer
from typer.testing import CliRunner

from host_bridge import cli as bridge_cli
from host_bridge import metrics
from host_bridge.clock import SystemClock, system_chance
from host_bridge.intake import Intake, Parts
from host_bridge.ledger import open_ledger
from host_bridge.opening import Inbound
from host_bridge.replies import Done, Replies
from host_bridge.wire import Outcome, UnsaidReason
from tests.system.conftest import SITE
from tests.system.ledger_view import LedgerView
from tests.system.raw_device import RawDevice
from tests.system.waiting import console, switch_on, until

STOLEN, FORGED, HEIR = "d-stolen-01", "d-stolen-raw", "d-heir-01"
CUT_OFF_S = 5.0  # from the command to the last thing that it does
_UNSENT = 2
_BUSY_S = 90  # for processes, on a machine that does other things
_RETIRE = """
from scanlatch.system import retire
class Terminal:
    newest, freed, said = {newest}, {freed}, None
    def fail(self, fault):
        Terminal.said = fault
Terminal.journal = Terminal
print(retire.carry_out("retire", {{}}, Terminal()))
print(Terminal.said)
"""
_CABLE = "from binascii import b2a_base64 as _enc\n"


@dataclass
class Story:
    """What has happened so far."""

    stage: Stage
    desk: Desk
    folder: Path
    sold: str
    unsent: list[str] = field(default_factory=list[str])

    @property
    def twin(self) -> Twin:
        return self.desk.twin


@pytest.fixture(scope="module")
def story(stage: Stage, codes: Iterator[str], tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The terminal has sold one box, is revoked, and then the thief scans two more."""
    desk = Desk(STOLEN, SITE, stage.terminal(STOLEN, SITE))
    desk.wait_ready(_BUSY_S)
    made = Story(stage, desk, tmp_path_factory.mktemp("theft"), next(codes))
    assert desk.hold_text(made.sold, frozenset({"accepted"})).answer == "accepted"
    ended = len(console(desk.twin, "link"))
    began = time.monotonic()
    told = json.loads(_run(fleet_cli.app, "revoke", STOLEN, "--json", stage=stage))
    assert time.monotonic() - began < CUT_OFF_S
    assert told == {
        "device": STOLEN,
        "status": "revoked",
        "broker": {"publish": True, "connect": True, "ended": True, "todo": []},
    }
    until(lambda: console(desk.twin, "link")[ended:], "the end of its link", _BUSY_S)
    for _ in range(_UNSENT):
        made.unsent.append(next(codes))
        assert "kept" in desk.hold_text(made.unsent[-1], frozenset({"pending"})).shown
    return made


def test_its_next_connects_are_refused_by_the_broker_and_others_go_on(
    story: Story, window: Desk, codes: Iterator[str]
) -> None:
    ended = len(console(story.twin, "link"))
    until(lambda: len(console(story.twin, "link")) > ended, "a try to connect", _BUSY_S)
    tries = [one for one in console(story.twin, "link")[ended:] if not one["online"]]
    assert {one["cause"] for one in tries} == {"certificate"}
    assert window.hold_text(next(codes), frozenset({"accepted"})).answer == "accepted"


def test_a_message_past_the_broker_is_refused_and_counted_and_nothing_is_signed(
    stage: Stage, codes: Iterator[str]
) -> None:
    code = next(codes)
    with RawDevice(stage, FORGED, SITE) as raw:
        record, head = raw.scan(code), raw.head()
        with LedgerView(stage) as ledger:
            ledger.command(FORGED, "health", {}, SystemClock().now())
        _run(fleet_cli.app, "revoke", FORGED, stage=stage)
        until(lambda: raw.lost, "the end of its connection", _BUSY_S)
        before = _refused("scan"), _refused("head")
        outlet, ledger = _Outlet(), open_ledger(stage.site.ledger_url)
        try:
            with enrol.registry(stage.site) as registry:
                clock = SystemClock()
                parts = Parts(
                    ledger, registry, Replies(outlet, registry, clock), clock, system_chance(), 900, lambda: None
                )
                intake = Intake(parts)
                for kind, message in (("scan", record), ("head", head)):
                    intake.process([Inbound(f"scanlatch/v1/{SITE}/{FORGED}/{kind}", message, lambda: None)])
                intake.publish_unsent()
        finally:
            ledger.close()
        assert (_refused("scan"), _refused("head")) == (before[0] + 1, before[1] + 1)
        assert [topic for topic in outlet.topics if FORGED in topic] == []
        assert raw.topics() == []
    with Books(stage.site) as books:
        assert books.entries(FORGED) == []
    assert stage.platform.sales(code) == []


def test_what_it_had_delivered_still_verifies_and_its_unsent_records_are_marked(story: Story) -> None:
    stage, folder = story.stage, story.folder
    _proved(stage, folder / "before.bundle", [])
    story.twin.kill()
    found = rescue.read(_Cable(story.twin), False, lambda _done, _total: None)  # type: ignore[arg-type]
    assert len(found.records) == _UNSENT
    rescue.save(found, folder / "stolen.rescue")
    for _ in range(2):  # safe to repeat
        said = _run(bridge_cli.app, "take", str(folder / "stolen.rescue"), stage=stage)
        assert f"{STOLEN} is revoked: they are evidence only" in said
    with Books(stage.site) as books:
        late = books.entries(STOLEN)[1:]
    assert [(one.outcome, one.reason) for one in late] == [(Outcome.ERROR, UnsaidReason.DEVICE_REVOKED)] * _UNSENT
    assert [stage.platform.sales(code) for code in story.unsent] == [[]] * _UNSENT
    assert f"{_UNSENT} taken after it was revoked" in _run(audit_cli.app, "--device", STOLEN, stage=stage, status=None)
    _proved(stage, folder / "after.bundle", story.unsent)


def test_a_terminal_with_unsent_records_is_not_retired(story: Story) -> None:
    said = story.twin.run(_RETIRE.format(newest=7, freed=4))
    assert said.splitlines() == ["('3 records are not with the bridge yet', {})", "None"]


def test_one_that_turns_up_again_is_let_in_again(story: Story, codes: Iterator[str]) -> None:
    told = json.loads(_run(fleet_cli.app, "reinstate", STOLEN, "--json", stage=story.stage))
    assert (told["status"], told["broker"]["todo"]) == ("enrolled", [])
    mark = story.twin.mark()
    switch_on(story.twin)
    story.desk.wait_online(_BUSY_S, mark)
    assert story.desk.hold_text(next(codes), frozenset({"accepted"})).answer == "accepted"


def test_a_retired_terminal_has_no_keys_left_and_its_board_becomes_another(story: Story, codes: Iterator[str]) -> None:
    stage, twin = story.stage, story.twin
    keys = {"sign_key", "tls_key", "agree_key", "mac_key", "cred_key"}
    old = {name: value for name, value in _stored(twin).items() if name in keys}
    assert set(old) == keys
    said = _run(fleet_cli.app, "retire", STOLEN, stage=stage)
    assert f"{STOLEN} is retired" in said
    until(lambda: console(twin, "settings"), "its restart without settings", _BUSY_S)
    twin.kill()
    assert not keys & set(_stored(twin))
    assert not (twin.files / "settings.json").exists()
    refused = _run(fleet_cli.app, "reinstate", STOLEN, stage=stage, status=1)
    assert refused == "" or "retired" in refused
    enrol.enrol(stage.site.folder, twin, HEIR, SITE, twin_board(twin.engine.simulator))
    assert not [name for name, value in old.items() if _stored(twin)[name] == value]
    heir = Desk(HEIR, SITE, twin)
    mark = twin.mark()
    switch_on(twin)
    heir.wait_online(_BUSY_S, mark)
    assert heir.hold_text(next(codes), frozenset({"accepted"})).answer == "accepted"
    rows = {one["device"]: one for one in json.loads(_run(fleet_cli.app, "list", "--json", stage=stage))}
    assert (rows[STOLEN]["status"], rows[STOLEN]["shut_out"]) == ("retired", True)
    assert (rows[HEIR]["status"], rows[HEIR]["shut_out"], rows[HEIR]["upto"]) == ("enrolled", False, 1)


class _Outlet:
    """Takes what a bridge would publish."""

    def __init__(self) -> None:
        self.topics: list[str] = []

    def publish(self, topic: str, payload: bytes, done: Done | None) -> bool:
        self.topics.append(topic)
        return True


class _Cable:
    """A twin's MicroPython as the rescue reaches a board's: each run is a process, so the journal is opened anew."""

    port = "twin"

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._opened = ""

    def run(self, code: str) -> str:
        if not self._opened:
            self._opened = _CABLE + code
            return self._twin.run(self._opened)
        return self._twin.run(self._opened + code).partition("\n")[2]


def _stored(twin: Twin) -> dict[str, object]:
    """What lies in its key-value store."""
    stored = json.loads((twin.folder / "nvs.json").read_text())["scanlatch"]
    return {name: value for name, value in stored.items() if value is not None}


def _refused(kind: str) -> float:
    counter: Any = metrics.refused.labels(kind, "revoked")
    return counter._value.get()


def _proved(stage: Stage, bundle: Path, late: list[str]) -> None:
    _run(audit_cli.app, "export", str(bundle), "--device", STOLEN, stage=stage)
    ca = (stage.site.folder / "ca" / "ca.der").read_bytes()
    with bundle.open("rb") as file:
        check = verify.Check(ca, "")
        assert check.run(file) == verify.PROVED, check.wrong
    told = "\n".join(check.lines)
    assert told.count("accepted, reason 0") == 1
    assert told.count("taken after its terminal was revoked") == len(late)


def _run(app: Typer, *arguments: str, stage: Stage, status: int | None = 0) -> str:
    done = CliRunner().invoke(app, [*arguments, "--config", str(stage.site.config)])
    assert status is None or done.exit_code == status, f"{done.output}\n{done.exception!r}"
    return done.output
