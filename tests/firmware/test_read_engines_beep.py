"""The engine's own buzzer: published bytes, what of a tone becomes a beep, and reading that goes on undisturbed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from scanlatch_tools.boards.schema import BEEPS
from scanlatch_tools.light_table import rows

from tests.firmware.engine_bench import CODES, KINDS, LONG, Bench, Play, Wired, data

ROOT = Path(__file__).parents[2]
PATTERNS = ROOT / "firmware/scanlatch/show/patterns.py"
HZ = dict(zip("abcdefgh", (440, 660, 880, 1320, 1760, 2200, 2640, 3300), strict=True))
COMMANDS = {"honeywell": bytes.fromhex("16 07 0D"), "ssi": bytes.fromhex("05 E6 04 00 00 FF 11")}
BEAT = bytes.fromhex("05 C7 04 00 8A FE A6")
ACCEPTED_HZ, REJECTED_HZ = 3300, 440

_QUIET = """
import engine_desk
from scanlatch.read.engines import honeywell
from scanlatch.system.parts.engine_buzzer import Buzzer

def written_after(ms):
    # How many commands an engine gets whose last byte came so many ms ago.
    written = []
    line = engine_desk.Line()
    line.write = written.append
    engine = honeywell.Driver(line, line, line.set_baud)
    engine.kind = "honeywell"
    line.now += ms
    buzzer = Buzzer(None)
    buzzer.driver = engine
    buzzer.freq(3300)
    buzzer.duty_u16(1)
    try:
        buzzer.play(4).send(None)
    except StopIteration:
        pass
    return len(written)
"""


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


@pytest.fixture(params=COMMANDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def beeped(kind: str, play: Play) -> int:
    return play.sent.count(COMMANDS[kind])


def sound(play: Play, hz: int, seconds: float) -> None:
    """One tone, then silence."""
    play.tell(f"tone{hz}")
    play.run(seconds)
    play.tell("tone0")
    play.run(0.05)


def show(play: Play, *names: str) -> None:
    """Patterns as the indicator plays them."""
    once = {row.name: row.once for row in rows(PATTERNS)}
    for name in names:
        for step in once[name]:
            play.tell(f"tone{HZ[step.tone] if step.tone else 0}")
            play.run(step.ms / 1000)
    play.tell("tone0")
    play.run(0.5)


def test_the_published_bytes_are_the_only_beeps_and_board_files_allow_no_others(bench: Bench) -> None:
    bench.do("from scanlatch.read.engines import beep")
    assert bench.value("beep.COMMANDS") == {kind: (said, kind == "ssi") for kind, said in COMMANDS.items()}
    assert set(BEEPS) == {"auto", *COMMANDS}
    assert set(COMMANDS) < set(KINDS)


def test_each_answer_makes_as_many_beeps_as_the_page_of_lights_says(bench: Bench, kind: str) -> None:
    page = (ROOT / "docs/lights.md").read_text("utf-8")
    wanted = {name: int(count) for name, count in re.findall(r"^\| `(\w+)` \| (\d) \|", page, re.MULTILINE)}
    assert {"accepted", "rejected", "duplicate", "pending", "torn"} <= set(wanted)
    assert wanted["accepted"] == 1 not in {count for name, count in wanted.items() if name != "accepted"}
    with Wired(bench, kind) as play:
        play.ready()
        for name, count in wanted.items():
            before = play.engine.beeps
            show(play, *(["read", "kept"] if name in ("accepted", "rejected") else ["read"]), name)
            assert (name, play.engine.beeps - before) == (name, count)
        before = play.engine.beeps
        show(play, "read", "kept")
        assert play.engine.beeps == before, "the beep is the answer's"


@pytest.mark.parametrize("pause_s", [0.0, 0.15])
def test_no_beep_is_sent_while_a_symbol_arrives(bench: Bench, kind: str, pause_s: float) -> None:
    with Wired(bench, kind, baud=9600) as play:
        play.ready()
        play.engine.faults.split_s = pause_s
        play.until(lambda: play.engine.armed)
        play.engine.present(LONG, play.now, aim="]C0")  # over half a second of bytes
        play.run(0.25)
        for _ in range(4):
            play.tell(f"tone{ACCEPTED_HZ}")
            play.run(0.05)
        assert not play.frames
        play.tell(f"tone{HZ['g']}")  # read: what waited is not to be heard any more
        play.until(lambda: play.frames)
        assert not beeped(kind, play)
        assert data(play) == [LONG]
        play.engine.faults.split_s = 0.0
        play.run(0.5)
        sound(play, ACCEPTED_HZ, 0.12)
        assert play.engine.beeps == 1
    assert play.lost == 0


def test_no_beep_is_sent_right_behind_what_the_engine_sent(bench: Bench) -> None:
    bench.do(_QUIET)
    assert bench.value("[written_after(ms) for ms in (0, 19, 20, 5000)]") == [0, 0, 1, 1]


def test_no_beep_waits_for_an_engine_that_comes_back(bench: Bench, kind: str) -> None:
    with Wired(bench, kind) as play:
        play.ready()
        play.deaf = True
        play.until(lambda: play.states[-1][0] == "lost")
        for _ in range(10):
            sound(play, REJECTED_HZ, 0.3)
        play.deaf = False
        play.ready()
        play.run(2)
        assert not beeped(kind, play)


def test_many_tones_are_few_beeps_and_none_is_left_for_later(bench: Bench, kind: str) -> None:
    with Wired(bench, kind) as play:
        play.ready()
        play.run(1)
        for _ in range(30):
            play.tell(f"tone{ACCEPTED_HZ}")
            play.run(0.03)
        play.tell("tone0")
        play.run(2)
        assert 4 <= beeped(kind, play) <= 9  # within 0.9 s, 120 ms apart


def test_symbols_and_beeps_side_by_side_are_all_read(bench: Bench, kind: str) -> None:
    with Wired(bench, kind) as play:
        play.ready()
        for code in CODES:
            play.engine.present(code, play.now, aim="]C0")
            sound(play, REJECTED_HZ, 0.3)
        play.until(lambda: len(play.frames) == len(CODES))
        assert data(play) == CODES
        assert play.engine.beeps >= len(CODES)
    assert play.lost == 0
    assert [state for state, _ in play.states] == ["ready"]


def test_an_engine_that_sleeps_is_woken_to_beep(bench: Bench) -> None:
    with Wired(bench, "ssi", auto=False) as play:
        play.ready()
        play.run(1.5)
        sound(play, ACCEPTED_HZ, 0.12)
        play.run(0.5)
        assert play.engine.beeps == 1


def test_a_beep_just_before_the_heartbeat_is_not_taken_for_its_answer(bench: Bench) -> None:
    with Wired(bench, "ssi") as play:
        play.ready()
        for early_ms in range(0, 100, 8):
            count = play.sent.count(BEAT)
            play.until(lambda count=count: play.sent.count(BEAT) > count)
            play.run(3.0 - early_ms / 1000)
            sound(play, ACCEPTED_HZ, 0.12)
    assert beeped("ssi", play) > 10
    assert [state for state, _ in play.states] == ["ready"]


@pytest.mark.parametrize("fault", [{"late_s": 0.6}, {"wrong_checksums": 1}, {"silent": True}], ids=str)
def test_an_acknowledgement_that_is_late_or_damaged_is_taken_for_nothing_else(
    bench: Bench, fault: dict[str, float]
) -> None:
    with Wired(bench, "ssi") as play:
        play.ready()
        play.until(lambda: BEAT in play.sent)
        play.run(2.45)  # what comes late comes when the next heartbeat is due
        for name, value in fault.items():
            setattr(play.engine.faults, name, value)
        play.tell(f"tone{ACCEPTED_HZ}")
        play.until(lambda: beeped("ssi", play))
        play.tell("tone0")
        play.run(0.2)
        play.engine.faults.late_s, play.engine.faults.silent = 0.0, False
        play.run(7)  # two heartbeats
        play.scan(CODES[0])
        assert beeped("ssi", play) == 1
    assert [state for state, _ in play.states] == ["ready"]
