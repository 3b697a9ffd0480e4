"""Every command of the documents runs as it is written, and the demo ends as the front pages print it."""

import re
import shlex
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from scanlatch_tools.broker import free_port

from tests.documents import CHINESE, ENGLISH, PAGES, ROOT, commands, links, once
from tests.running import Running, answers, elsewhere, hears_ctrl_c
from tests.system.test_update import WRITTEN as UPDATES
from tests.test_docs_technician import TECHNICIAN

BROKER = "mosquitto -c site/mosquitto.conf"
PLATFORM = "scanlatch platform run --knob open=true"
BRIDGE = "scanlatch bridge run --config site/bridge.toml"
TWIN = "scanlatch twin twin --site site"
SECOND_TWIN = "scanlatch twin twin-2 --site site --device twin-2 --at pharmacy-3"
OTHER_PLATFORM = "scanlatch platform run --port 8810 --admin-port 8811 --database platform.sqlite --codes codes.txt"
SERVICES = [BROKER, PLATFORM, BRIDGE, TWIN, SECOND_TWIN, OTHER_PLATFORM]
FLEET = [  # the first ends by itself
    "scanlatch site init fleet --site clinic-7 --site pharmacy-3 --bridges 2"
    " --ledger postgresql://scanlatch@localhost/scanlatch",
    "mosquitto -c fleet/mosquitto.conf",
    "scanlatch bridge run --config fleet/bridge-1.toml",
    "scanlatch bridge run --config fleet/bridge-2.toml",
]
DAYS = {"scanlatch demo --scenario dock": "dock", "scanlatch demo --scenario fleet": "fleet"}  # see tools/test_demo.py
MAKE = {"make demo": "scanlatch demo", "make test": "pytest"}  # target, and what its recipe must run
BEFORE = {  # command: what it says; in the order in which they are run
    ". .venv/bin/activate": "",
    "scanlatch board list": "wt32-eth01",
    "scanlatch board check": "twin: right",
    "scanlatch board new mine.toml --like esp32-devkitc --no-ask --set uart.tx=4 --set engine.kind=auto": "made mine",
    "scanlatch board check mine.toml": "mine.toml: right",
    "scanlatch board draw mine.toml": "drew mine.svg",
    "scanlatch image list": "no images",
    "scanlatch site init site --site clinic-7 --site pharmacy-3": "made ",
    "scanlatch labels sheet sheet.pdf --site site --operator li-wei-7": "2 pages of A4",
    "scanlatch labels device labels.pdf --site site --device twin-1 --device twin-2": "2 labels",
    "scanlatch labels calibration calibration.pdf": "one page",
    "scanlatch bridge check --config site/bridge.toml": "2 sites, 0 devices",
    "scanlatch bridge migrate --config site/bridge.toml": "already",
    "scanlatch bridge check --deep --config site/bridge.toml": "nothing is damaged",
    "scanlatch bridge backup --config site/bridge.toml --to ledger-backup.sqlite": "is in ledger-backup.sqlite",
    "scanlatch bridge restore --config site/bridge.toml --from ledger-backup.sqlite": "ledger.sqlite.before-",
}
AFTER = {
    "scanlatch audit certify site": "twin-2: was certified",
    "scanlatch audit --config site/bridge.toml": "nothing is wrong",
    "scanlatch audit --config site/bridge.toml --device twin-1 --json": '"ok": true',
    "scanlatch audit export sale.evidence --config site/bridge.toml --code 83386520001941653320": "of 2 terminals",
    "scanlatch audit export terminal.evidence --config site/bridge.toml --device twin-1 --from 1 --to 2": "SHA-256",
    "scanlatch audit verifier verify.py": "python3 verify.py",
    "python3 verify.py sale.evidence --ca site/ca/ca.pem": "PROVED: these terminals signed the records above",
    "scanlatch bridge devices list --config site/bridge.toml": "twin-2",
    "scanlatch bridge alerts --config site/bridge.toml": "since (UTC)",
    "scanlatch bridge outbox list --config site/bridge.toml": "0 without an answer",
    "scanlatch bridge outbox list --stuck --config site/bridge.toml": "0 shown",
    "scanlatch bridge command twin-1 identify --config site/bridge.toml": "number 1 for twin-1",
    "scanlatch bridge command twin-1 health --config site/bridge.toml": "number 2 for twin-1",
    "scanlatch bridge command twin-1 acknowledge --config site/bridge.toml": "number 3 for twin-1",
    "scanlatch fleet list --config site/bridge.toml": "enrolled",
    "scanlatch fleet show twin-1 --config site/bridge.toml": "records complete to",
    "scanlatch fleet suspend twin-1 --config site/bridge.toml": "twin-1 is suspended",
    "scanlatch fleet reinstate twin-1 --config site/bridge.toml": "twin-1 is enrolled",
    "scanlatch fleet revoke twin-1 --config site/bridge.toml": "the broker refuses its next connect",
    "scanlatch platform knobs outage=503": "503",
    "scanlatch platform knobs outage=none": "none",
    "scanlatch platform knobs": "latency_ms",
    "scanlatch site renew site": "renewed",
    "scanlatch site certificates site": "bridge.pem",
    "scanlatch fleet renew --within 60 --config site/bridge.toml": "60",
    "scanlatch fleet rotate --config site/bridge.toml": "agreement-2.key",
    "scanlatch fleet rotate --show --config site/bridge.toml": "agreement-2.key",
    "scanlatch bridge settings twin-2 rescan_ms=1500 --config site/bridge.toml": "settings number",
}


def test_every_command_of_the_documents_is_one_that_a_test_runs() -> None:
    written = {command for page in PAGES for command in commands(page)}
    assert written == {*MAKE, *BEFORE, *SERVICES, *AFTER, *FLEET, *DAYS, *TECHNICIAN, *UPDATES}


def test_what_looks_like_a_command_stands_in_a_block_that_is_read() -> None:
    for page in PAGES:
        blocks = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
        for language, text in blocks:
            assert language == "sh" or not re.search(r"^(scanlatch|make|mosquitto) ", text, re.MULTILINE), page.name


def test_both_front_pages_have_the_same_commands_and_lead_to_the_same_places() -> None:
    assert commands(ENGLISH) == commands(CHINESE)
    other = {ENGLISH: CHINESE.name, CHINESE: ENGLISH.name}
    english, chinese = (
        {link.replace(".zh-CN.md", ".md") for link in links(page) if link != other[page]} for page in (ENGLISH, CHINESE)
    )
    assert english == chinese


@pytest.mark.parametrize("command", MAKE)
def test_make_has_the_target_and_runs_what_it_says(command: str) -> None:
    recipe = subprocess.run(["make", "-n", *command.split()[1:]], cwd=ROOT, capture_output=True, text=True, check=True)
    assert MAKE[command] in recipe.stdout


def test_the_demo_ends_as_the_front_pages_print_it() -> None:
    told = once("scanlatch demo --json", ROOT, COLUMNS="92")
    assert '"ok": true' in told
    assert len(_rows(told)) > 15
    for page in (ENGLISH, CHINESE):
        assert _rows(page.read_text("utf-8")) == _rows(told), page.name


def _rows(text: str) -> list[list[str]]:
    """The demo's tables without their milliseconds."""
    found: list[list[str]] = []
    for line in re.findall(r"^│ (?!  ).*│$", text, re.MULTILINE):
        cells = [cell.strip() for cell in line.strip("│").split("│")]
        found.append([cell for cell in cells if not re.fullmatch(r"[\d.]*", cell)])
    return found


@pytest.mark.parametrize("day", DAYS.values())
def test_the_days_that_are_named_are_played_by_the_demos_own_test(day: str) -> None:
    assert f'"--scenario", "{day}"' in (ROOT / "tests" / "tools" / "test_demo.py").read_text()


def test_the_commands_run_as_they_are_written(tmp_path: Path) -> None:
    ports = {"broker": free_port(), "platform": free_port(), "knobs": free_port()}
    with hears_ctrl_c(), ExitStack() as running:

        def start(command: str, ready: str | Callable[[], bool]) -> "Running":
            return running.enter_context(Running(elsewhere(command, ports), tmp_path, ready))

        for command, says in BEFORE.items():
            assert says in once(elsewhere(command, ports), tmp_path, XDG_DATA_HOME=str(tmp_path)), command
        start(BROKER, lambda: answers(ports["broker"]))
        platform = start(PLATFORM, "platform http")
        start(BRIDGE, '"event": "ready"')
        window = start(TWIN, "net up")
        for typed, seen in (("83386520001941653320", "3300 Hz"), ("83386520001941653320", "light 255,100,0")):
            window.types(typed, seen)
            time.sleep(1.6)  # the same symbol sooner would be a bounce
        window.types("6901234567892", "light 255,210,0")
        start(SECOND_TWIN, "net up").types("83386520001941653320", "light 255,0,0")
        for command, says in AFTER.items():
            assert says in once(elsewhere(command, ports), tmp_path), command
        platform.end()
        (tmp_path / "codes.txt").write_text("83386520001941653320\n")
        start(OTHER_PLATFORM, "1 codes loaded")


def test_a_fleet_starts_as_it_is_written(tmp_path: Path, database: str) -> None:
    ports = {"broker": free_port(), "platform": free_port()}
    init, broker, *bridges = FLEET
    assert "bridge-2.toml" in once(f"{elsewhere(init, ports)} --ledger {shlex.quote(database)}", tmp_path)
    with hears_ctrl_c(), ExitStack() as running:
        running.enter_context(Running(broker, tmp_path, lambda: answers(ports["broker"])))
        for command in bridges:
            running.enter_context(Running(command, tmp_path, '"event": "ready"'))
