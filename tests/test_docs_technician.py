"""The technician's page: its commands, in their order, lead from a board out of its bag to an accepted scan."""

import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from scanlatch_tools import light_table, places
from scanlatch_tools.broker import free_port
from scanlatch_tools.doctor.texts import FINDINGS

from tests.documents import ROOT, commands, links, once
from tests.running import Running, answers, elsewhere, hears_ctrl_c

PAGE, CHINESE = ROOT / "docs" / "technician.md", ROOT / "docs" / "technician.zh-CN.md"
PAIRS = [(PAGE, CHINESE), (ROOT / "docs" / "troubleshooting.md", ROOT / "docs" / "troubleshooting.zh-CN.md")]
READY, GREEN = " 660 Hz", " 3300 Hz"  # how "ready: sale" ends, and accepted
CODES = "83386520001941653320", "83386520001941653321"  # the page's, and one that was not sold
TECHNICIAN = {  # command: what it says; None: it goes on until it is ended
    "scanlatch site init site --site clinic-7 --site pharmacy-3": "made ",
    "mosquitto -c site/mosquitto.conf": None,
    "scanlatch platform run --knob open=true": None,
    "scanlatch bridge run --config site/bridge.toml": None,
    "scanlatch twin bare --bare": None,
    "scanlatch flash --board esp32-devkitc --port bare/port --image bare/stand-in.bin": "flashed esp32-devkitc",
    "scanlatch provision --site site --name twin-3 --port bare/port --board esp32-devkitc --wifi clinic"
    " --wifi-password-file wifi.txt": "twin-3 is ready",
    "scanlatch doctor --port bare/port --site site": "twin-3",
    "scanlatch rescue --port bare/port": "nothing to rescue, the bridge has all",
}


def test_the_page_s_commands_end_with_an_accepted_scan(tmp_path: Path) -> None:
    assert commands(PAGE) == list(TECHNICIAN)
    assert CODES[0] in PAGE.read_text("utf-8")
    ports = {"broker": free_port(), "platform": free_port(), "knobs": free_port()}
    (tmp_path / "wifi.txt").write_text("a password of the air\n")
    with hears_ctrl_c(), ExitStack() as running:
        board: Running | None = None
        for command in commands(PAGE):
            says, mark = TECHNICIAN[command], board.mark() if board else 0
            if says is None:
                seen = {
                    "mosquitto": lambda: answers(ports["broker"]),
                    "scanlatch platform": "platform http",
                    "scanlatch bridge": '"event": "ready"',
                    "scanlatch twin": "stand-in.bin",
                }
                ready = next(one for name, one in seen.items() if command.startswith(name))
                board = running.enter_context(Running(elsewhere(command, ports), tmp_path, ready))
            else:
                assert says in once(elsewhere(command, ports), tmp_path), command
            if command.startswith("scanlatch provision"):
                assert board
                board.types(CODES[0], GREEN)
        assert board
        board.says(READY, mark)  # the last command has started it anew
        board.types(CODES[1], GREEN)


@pytest.mark.parametrize("page", PAIRS[1], ids=lambda page: page.name)
def test_every_light_can_be_looked_up_and_each_finding_that_is_named_is_one(page: Path) -> None:
    text = page.read_text("utf-8")
    families = re.compile(r"(query|void|session|idle)_")  # which are explained by their first light
    lights = {row.name for row in light_table.rows(places.firmware() / "scanlatch" / "show" / "patterns.py")}
    assert [name for name in sorted(lights) if not families.match(name) and f"(lights/{name}.svg)" not in text] == []
    standing = re.search(r"^\| .* \| doctor \|\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert standing
    named = {word for row in standing[1].splitlines() for word in re.findall(r"`(\w+)`", row.split("|")[-2])}
    assert len(named) > 15
    assert named - {key.partition(".")[0] for key in FINDINGS} == set()


def test_the_pictures_of_lights_are_what_the_terminal_plays() -> None:
    script = ROOT / "tools" / "scripts" / "lights_table.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=lambda page: page.name)
def test_both_languages_have_the_same_commands_pictures_tables_and_ways(english: Path, chinese: Path) -> None:
    assert commands(english) == commands(chinese)
    other = {page.name for pair in PAIRS for page in pair}
    leads = [{link.partition("#")[0] for link in links(page)} - other for page in (english, chinese)]
    assert leads[0] == leads[1]
    rows, ranks = r"^\|.*\|$", r"^#+(?= )"
    for look in (rows, ranks):
        found = [len(re.findall(look, page.read_text("utf-8"), re.MULTILINE)) for page in (english, chinese)]
        assert found[0] == found[1], look
