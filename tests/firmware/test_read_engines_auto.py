"""Which engine is there is found out by asking, without harm to any, and again where another is put in its place."""

from collections.abc import Iterator
from typing import Any

import pytest
from scanlatch_tools.twin.engines import simulator

from tests.firmware.engine_bench import Bench, Play

KINDS = ["grow", "newland", "honeywell", "ssi", "ssi_lite", "m14", "de2120"]
CODES = [f"8338652000194165{i:04}".encode() for i in range(5)]
NOBODY = ("lost", "no engine answers: whatever comes is read as by line")
# What would erase an engine, return it to its delivered state, or take its serial line.
HARM = [
    b"\x7e\x00\x05",
    b"\xd9",
    b"FACDEF",
    b"INTERF",
    b"DEFALT",
    b"PAP",
    b"\x32\x76",
    b"\xc8",
    b"POR",
    b"BAD",
    b"\x00\x09",
]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def found(play: Play) -> str:
    """The family that answered, as the engine's version begins."""
    return play.ready().split()[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("baud", [9600, 115200])
def test_each_is_found_and_read(bench: Bench, kind: str, baud: int) -> None:
    play = bench.play("auto", simulator(kind, baud=baud))
    assert found(play) == kind
    assert play.now < 10
    play.scan(*CODES)
    play.end()
    assert play.lost == 0
    assert not play.engine.forbidden


@pytest.mark.parametrize(
    ("kind", "knobs"),
    [
        ("ssi_lite", {"tells_revision": True}),
        ("ssi_lite", {"acks_as_host": True}),
        ("grow", {"newland_errors": True}),
        ("grow", {"late_s": 0.2}),
        ("newland", {"noise": b"\x00\xff"}),
    ],
)
def test_each_is_found_whatever_its_ways(bench: Bench, kind: str, knobs: dict[str, Any]) -> None:
    play = bench.play("auto", simulator(kind, **knobs))
    assert found(play) == kind
    play.end()


def test_no_question_harms_an_engine_of_another_family(bench: Bench) -> None:
    play = bench.play("auto", simulator("line", silent=True))
    play.until(lambda: play.states)
    asked = set(play.sent)
    play.end()
    assert len(asked) == 8, "seven questions, and the waking of SSI"
    for one in asked:
        assert not [harm for harm in HARM if harm in one]


@pytest.mark.parametrize("kind", ["grow", "newland", "honeywell", "ssi", "de2120"])
def test_questions_change_nothing(bench: Bench, kind: str) -> None:
    play = bench.play("auto", simulator("line", silent=True))
    play.until(lambda: play.states)
    asked = list(play.sent)
    play.end()
    engine: Any = simulator(kind)
    before = repr(_settings(engine))
    now = 1.0
    for one in asked:
        for baud in (9600, 115200):
            engine.receive(one, now, baud)
            engine.poll(now + 0.9, baud)
            now += 1.0
    assert repr(_settings(engine)) == before and not engine.forbidden


def _settings(engine: Any) -> list[Any]:
    names = ("registers", "flash", "menu", "parameters", "permanent", "settings")
    values = [getattr(engine, name, None) for name in names]
    return [getattr(value, "permanent", value) for value in values]


def test_what_answers_nobody_is_read_as_lines(bench: Bench) -> None:
    play = bench.play("auto", simulator("line"))
    play.until(lambda: play.states)
    assert play.states == [NOBODY]
    play.scan(*CODES)
    assert play.states == [NOBODY, ("ready", "line")]
    asked = len(play.sent)
    play.run(300)
    play.scan(CODES[0])
    assert len(play.sent) == asked, "what is read as lines is asked no more"
    play.end()


@pytest.mark.parametrize("kind", KINDS)
def test_an_engine_whose_answers_come_too_late_is_not_taken_for_one_that_sends_lines(bench: Bench, kind: str) -> None:
    play = bench.play("auto", simulator(kind, late_s=3))
    play.until(lambda: play.states)
    play.run(5)
    play.engine.faults.late_s = 0.0
    assert play.states == [NOBODY]
    assert found(play) == kind
    play.scan(*CODES)
    play.end()
    assert not play.engine.forbidden


def test_an_engine_that_is_put_in_later_is_found(bench: Bench) -> None:
    play = bench.play("auto", simulator("grow", silent=True))
    play.until(lambda: play.states)
    play.engine.faults.silent = False
    assert found(play) == "grow"
    play.scan(*CODES)
    play.end()


def test_another_engine_in_its_place_is_found(bench: Bench) -> None:
    play = bench.play("auto", simulator("grow"))
    assert found(play) == "grow"
    play.scan(CODES[0])
    play.engine = simulator("honeywell")
    play.engine.power_cycle(play.now)
    assert found(play) == "honeywell"
    play.scan(CODES[1])
    play.end()
    loaded = bench.value("[name.split('.')[-1] for name in __import__('sys').modules if '.engines.' in name]")
    assert sorted(loaded) == ["commanded", "honeywell"], "the other driver is gone"


def test_an_engine_that_comes_back_soon_is_not_looked_for_among_all(bench: Bench) -> None:
    play = bench.play("auto", simulator("newland"))
    play.ready()
    play.engine.unplug(play.now)
    play.until(lambda: play.states[-1][0] == "lost")
    play.engine.power_cycle(play.now)
    asked = len(play.sent)
    play.ready()
    assert not [one for one in play.sent[asked:] if b"REVINF" in one]
    play.scan(*CODES)
    play.end()


def test_a_question_that_could_not_be_loaded_is_asked_later(bench: Bench) -> None:
    bench.do("import engine_desk")
    bench.send(("starve", "detect"))
    play = bench.play("auto", simulator("grow"))
    assert found(play) == "grow"
    assert play.states[:2] == [("lost", "no room"), ("lost", "[Errno 5] EIO")]
    play.end()


@pytest.mark.parametrize(("short", "ends"), [(5, False), (70, True)])
def test_memory_that_is_short_for_good_ends_the_search_and_so_restarts_the_terminal(short: int, ends: bool) -> None:
    bench = Bench()
    try:
        bench.do("import engine_desk")
        bench.send(("starve", "detect", short))
        play = bench.play("auto", simulator("grow"))
        if ends:
            with pytest.raises(RuntimeError, match="MemoryError: no room"):
                play.run(700)
            assert play.now >= 600, "Wi-Fi and TLS have their time to come up first"
        else:
            play.until(lambda: play.states and play.states[-1][0] == "ready", 120)
    finally:
        bench.kill()


def test_a_kind_that_there_is_not_is_refused(bench: Bench) -> None:
    bench.do(
        "from scanlatch.read.engines import choice\n"
        "try: choice.driver('commanded', None, None, None)\n"
        "except ValueError as error: why = str(error)"
    )
    assert bench.value("why") == (
        "engine.kind must be one of line grow newland honeywell ssi ssi_lite m14 de2120 auto, not commanded"
    )
