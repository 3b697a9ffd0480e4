"""Each family's driver on MicroPython against its simulated engine: set up, armed, and brought back."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from scanlatch_tools.twin.engines import simulator

from tests.firmware.engine_bench import CODES, EAN, GS1, KINDS, LONG, TORN, Bench, Play, Wired, data

_OLD_S = 600  # from then on memory that is short for good restarts a terminal


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


# What makes an engine write its flash.
WRITES = {
    "grow": rb"\x7e\x00\x09",
    "newland": rb"\x7e\x010000@",
    "honeywell": rb"\x16M\r(?!REVINF).*\.",
    "ssi": rb"\xc6\x04\x08",
    "ssi_lite": rb"\xc6\x04\x08",
}


def writes(kind: str, play: Play) -> int:
    return sum(bool(re.search(WRITES[kind], sent, re.DOTALL)) for sent in play.sent)


VERSIONS = {
    "grow": "grow model 5 hardware 1.00 software 1.05 of 2016-04-12",
    "newland": "newland Product Name: EM3080-W Firmware Version: V1.01.07.G",
    "honeywell": "honeywell Product Name: N3680 Series Boot Revision: 1.23 Sof",
    "ssi": "ssi PAABLS00-005-R00 0 9 2A0F",
    "ssi_lite": "ssi_lite",
    "m14": "m14 M14 V1.0.2",
    "de2120": "de2120 DE2120 V1.2.6",
}


def test_each_is_set_up_from_its_delivered_state_and_tells_its_version(bench: Bench, kind: str) -> None:
    with Wired(bench, kind) as play:
        assert play.ready().strip() == VERSIONS[kind]
        assert play.now < 5
        play.until(lambda: play.engine.armed)


def test_each_reads_its_symbologies_and_tells_the_identifier_where_it_can(bench: Bench, kind: str) -> None:
    with Wired(bench, kind) as play:
        play.ready()
        play.scan(CODES[0], aim="]C0")
        play.scan(GS1, aim="]C1")
        play.scan(GS1, aim="]d2")
        play.scan(GS1, aim="]Q3")
        play.scan(EAN, aim="]E0")
        told = [identifier for identifier, _ in play.frames]
    none = ["", "", "", "", ""]
    knows = ["]C0", "]C1", "]d2", "]Q3", "]E0"]
    assert told == {"newland": knows, "honeywell": knows, "ssi": knows, "ssi_lite": ["]C0", "]C1", "", "", "]E0"]}.get(
        kind, none
    )


@pytest.mark.parametrize("kind", WRITES)
def test_an_engine_that_is_set_up_is_not_written_again(bench: Bench, kind: str) -> None:
    with Wired(bench, kind) as play:
        play.ready()
        assert writes(kind, play)
        engine = play.engine
        play.end()
    engine.power_cycle(play.now)
    with Wired(bench, kind, engine, start=play.now) as play:
        play.ready()
        assert not writes(kind, play), "its flash wears"


@pytest.mark.parametrize("kind", WRITES)
def test_an_engine_that_forgets_is_written_three_times_a_boot(bench: Bench, kind: str) -> None:
    with Wired(bench, kind) as play:
        counts = []
        for _ in range(5):
            play.ready()
            counts.append(writes(kind, play))
            play.engine = simulator(kind)
            play.engine.power_cycle(play.now)
        assert counts[1] > counts[0] and counts[4] == counts[2]


def test_a_burst_and_a_long_symbol_lose_nothing_while_the_flash_erases(bench: Bench, kind: str) -> None:
    with Wired(bench, kind) as play:
        play.ready()
        for i, code in enumerate(CODES):  # in 2 s
            play.engine.present(code, play.now, aim="]C0")
            if i in (3, 12):
                play.tell("stall")
            play.run(0.1)
        play.until(lambda: len(play.frames) >= len(CODES), 5)
        for _ in range(4):
            play.engine.present(LONG, play.now, aim="]Q1")
            play.run(0.012)  # in the middle of it, or in front
            play.tell("stall")
            play.until(lambda: data(play)[-1:] == [LONG])
            play.frames.remove(play.frames[-1])
        assert data(play) == CODES
        play.end()
        assert (play.lost, play.overruns) == (0, 0)


def test_each_comes_back_after_its_power_went(bench: Bench, kind: str) -> None:
    with Wired(bench, kind) as play:
        play.ready()
        play.scan(*CODES[:2])
        play.run(0.5)
        play.engine.power_cycle(play.now)
        if kind == "m14":  # forgets its protocol, which is seen at the first symbol
            play.engine.present(CODES[2], play.now)
            play.until(lambda: play.frames[-1] == TORN)
            play.until(lambda: play.states[-1][0] == "lost")
            play.ready()
        play.scan(*CODES[2:5])
        assert data(play) == CODES[:5]


def test_each_is_missed_when_it_is_unplugged_and_found_again(bench: Bench, kind: str) -> None:
    with Wired(bench, kind) as play:
        play.ready()
        play.engine.unplug(play.now)
        play.until(lambda: play.states[-1][0] == "lost", 10)
        assert play.states[-1][1] == "no answer"
        play.run(20)
        play.engine.power_cycle(play.now)
        play.ready()
        play.scan(*CODES[:3])


def test_each_is_found_when_it_changed_its_speed(bench: Bench, kind: str) -> None:
    with Wired(bench, kind) as play:
        play.ready()
        play.engine.change_baud(9600 if play.engine.baud != 9600 else 115200, play.now)
        play.ready()
        play.scan(*CODES[:3])


@pytest.mark.parametrize("baud", [9600, 115200])
def test_each_is_found_at_both_speeds(bench: Bench, kind: str, baud: int) -> None:
    with Wired(bench, kind, baud=baud) as play:
        play.ready()
        play.scan(*CODES[:3])


@pytest.mark.parametrize("baud", [19200, 57600])
def test_each_is_found_at_the_speed_that_its_board_says(bench: Bench, kind: str, baud: int) -> None:
    play = bench.play(kind, simulator(kind, baud=baud), told=baud)
    play.ready()
    play.scan(*CODES[:3])
    play.engine.power_cycle(play.now)  # GROW's goes back to it from 115200
    play.engine.baud = baud
    play.run(8)
    assert play.states[-1][0] == "ready"
    play.scan(CODES[4])
    play.end()


def test_each_that_says_nothing_is_reported(bench: Bench, kind: str) -> None:
    with Wired(bench, kind, silent=True) as play:
        play.until(lambda: play.states)
        assert play.states == [("lost", "no answer at 9600 or 115200 baud")]


def test_each_reads_only_when_told_where_the_trigger_is_a_button(bench: Bench, kind: str) -> None:
    with Wired(bench, kind, auto=False) as play:
        play.ready()
        for code in CODES[:2]:
            play.engine.present(code, play.now, aim="]C0")
        play.run(8)
        assert not play.engine.reads
        play.tell("on")
        play.until(lambda: play.frames, 2)
        play.run(8)
        assert data(play) == CODES[:1], "one read for one trigger"
        play.tell("on")
        play.until(lambda: len(play.frames) == 2, 2)


def test_each_stops_when_told(bench: Bench, kind: str) -> None:
    with Wired(bench, kind) as play:
        play.ready()
        play.tell("off")
        play.run(0.5)
        assert not play.engine.armed
        play.engine.present(CODES[0], play.now, aim="]C0")
        play.run(8)
        assert not play.engine.reads
        play.tell("on")
        play.until(lambda: play.frames, 2)


def test_the_same_box_left_under_the_beam_is_read_a_few_times_a_second(bench: Bench, kind: str) -> None:
    with Wired(bench, kind) as play:
        play.ready()
        play.engine.present(CODES[0], play.now, aim="]C0", stays=True)
        play.run(3)
        assert 5 <= len(play.frames) <= 12


@pytest.mark.parametrize("kind", ["grow", "newland", "honeywell", "ssi"])
def test_an_engine_whose_settings_somebody_changed_is_set_up_again(bench: Bench, kind: str) -> None:
    with Wired(bench, kind) as play:
        play.ready()
        engine: Any = play.engine
        if kind == "grow":
            engine.registers[0] = 0xD0
        elif kind == "ssi":
            engine.parameters[0x8A] = 0
        else:
            engine.menu.current["SCNMOD" if kind == "newland" else "TRGMOD"] = "3"
        play.until(lambda: play.states[-1] == ("lost", "forgot its settings"), 10)
        play.ready()
        play.scan(*CODES[:2])


def test_a_driver_that_found_no_memory_to_set_up_tries_again(bench: Bench) -> None:
    bench.send(("starve", "newland_setup"))
    with Wired(bench, "newland") as play:
        play.ready()
        assert play.states[:2] == [("lost", "no memory"), ("lost", "[Errno 5] EIO")]
        play.scan(*CODES[:3])


def test_memory_that_is_short_to_set_up_restarts_no_terminal_that_may_still_be_coming_up(bench: Bench) -> None:
    """Wi-Fi and TLS take longer than five tries: a terminal without its engine still has to get its records out."""
    bench.send(("starve", "newland_setup", 60))
    with Wired(bench, "newland") as play:
        play.run(300)
        assert set(play.states) == {("lost", "no memory")}
        play.until(lambda: play.states[-1][0] == "ready", 250)
        play.scan(*CODES[:3])


def test_memory_that_is_short_to_set_up_for_good_restarts_the_terminal_in_the_end() -> None:
    bench = Bench()
    try:
        bench.do("import engine_desk")
        bench.send(("starve", "newland_setup", 200))
        play = bench.play("newland", simulator("newland"))
        with pytest.raises(RuntimeError, match="no memory"):
            play.run(700)
        assert play.now > _OLD_S
    finally:
        bench.kill()


def test_memory_that_is_short_now_and_then_restarts_nothing_however_old_the_terminal() -> None:
    bench = Bench()
    try:
        bench.do(
            "import builtins\n"
            "whole, failed = builtins.__import__, []\n"
            "def failing(name, *arguments):\n"
            "    if not name.endswith('newland_setup'): return whole(name, *arguments)\n"
            "    failed.append(name)\n"
            "    raise MemoryError if len(failed) % 5 else OSError(5)\n"
            "builtins.__import__ = failing"
        )
        play = bench.play("newland", simulator("newland"))
        play.run(_OLD_S + 100)
        assert play.states.count(("lost", "no memory")) > 60
    finally:
        bench.kill()
