"""What an engine sends becomes frames, and an engine that went astray is brought back: on MicroPython."""

import os
import time
from collections.abc import Iterator

import pytest
from scanlatch_tools.twin.engines.grow import Grow

from tests.firmware.read_bench import Engine, Terminal

CODES = [f"8338652000194165{i:04}".encode() for i in range(40)]


# The line engine


@pytest.fixture(scope="module")
def plain() -> Iterator[Terminal]:
    with Terminal("line") as terminal:
        yield terminal


@pytest.mark.parametrize(
    ("sent", "frames"),
    [
        (b"8338\r", [("", b"8338")]),
        (b"8338\n", [("", b"8338")]),
        (b"8338\r\n8339\r\n", [("", b"8338"), ("", b"8339")]),
        (b"\r\n\r\n8338\r", [("", b"8338")]),
        (b"8338", [("", b"8338")]),
        (b"]C08338\r", [("]C0", b"8338")]),
        (b"]d2\x1d0106901234567892\x1d21A\r", [("]d2", b"\x1d0106901234567892\x1d21A")]),
        (b"\x00\xff\x80\r", [("", b"\x00\xff\x80")]),
        (b"8" * 1024 + b"\r", [("", b"8" * 1024)]),
        (b"8" * 1025 + b"\r8339\r", [("", b""), ("", b"8339")]),
        (b"8" * 5000 + b"\n8339", [("", b""), ("", b"8339")]),
        (b"8" * 128 + b"\r" + b"7" * 129 + b"\r", [("", b"8" * 128), ("", b"7" * 129)]),
    ],
    ids=[
        "CR",
        "LF",
        "CR LF is one",
        "empty",
        "silence",
        "identifier",
        "GS1",
        "binary",
        "longest",
        "over",
        "far over",
        "unusually long",
    ],
)
def test_line_frames(plain: Terminal, sent: bytes, frames: list[tuple[str, bytes]]) -> None:
    before = len(plain.reports)
    for start in range(0, len(sent), 1000):  # a terminal's queue holds 4,095 bytes
        os.write(plain.line, sent[start : start + 1000])
    os.write(plain.line, b"\rend\r")
    plain.wait("frame", "", list(b"end"), since=before)
    assert plain.frames()[-len(frames) - 1 : -1] == frames


def test_line_ends_a_frame_at_silence(plain: Terminal) -> None:
    before = len(plain.reports)
    os.write(plain.line, b"silent")
    plain.wait("frame", "", list(b"silent"), since=before)


def test_line_knows_how_long_it_was_quiet(plain: Terminal) -> None:
    before = len(plain.reports)
    os.write(plain.line, b"x\r")
    plain.wait("frame", "", list(b"x"), since=before)
    time.sleep(0.3)  # silence is what is measured
    plain.tell("quiet")
    assert 290 <= plain.wait("quiet", since=before)[2] < 3000


# The GROW engine


def wired(sim: Grow, auto: str = "auto") -> Iterator[tuple[Terminal, Engine]]:
    with Terminal("grow", auto) as terminal, Engine(terminal, sim) as engine:
        yield terminal, engine


@pytest.fixture
def armed() -> Iterator[tuple[Terminal, Engine]]:
    """A configured engine, as delivered before, with its trigger armed by the driver."""
    for terminal, engine in wired(Grow()):
        terminal.wait("state", "ready")
        yield terminal, engine


def read_all(terminal: Terminal, engine: Engine, codes: list[bytes], aim: str | None = "]C0") -> None:
    before = len(terminal.reports)
    for code in codes:
        engine.do("present", code, aim=aim)
    terminal.wait("frame", "", list(codes[-1]), since=before)


def test_grow_is_configured_from_its_delivered_state(armed: tuple[Terminal, Engine]) -> None:
    terminal, engine = armed
    assert terminal.wait("state", "ready")[3] == "grow model 5 hardware 1.00 software 1.05 of 2016-04-12"
    registers = engine.sim.registers
    assert registers[0x00] & 0x03 == 1, "command mode"
    assert registers[0x03] & 0x02, "setup codes are off"
    assert registers[0x0D] & 0x03 == 0, "serial"
    assert registers[0x60] == 0x01, "CR"
    assert [registers[r] & 1 for r in (0x2E, 0x33, 0x3F, 0x54)] == [1, 1, 1, 1]
    assert engine.sim.baud == terminal.baud() == 115200
    assert engine.sim.saves == 1
    assert engine.sim.flash[0x2A] == 0x39, "the speed is not saved: every probe begins at 9600"


def test_grow_reads_one_after_the_other(armed: tuple[Terminal, Engine]) -> None:
    terminal, engine = armed
    read_all(terminal, engine, CODES)
    assert terminal.frames() == [("", code) for code in CODES]
    assert not engine.sim.erased


def test_grow_reports_a_frame_within_20_ms(armed: tuple[Terminal, Engine]) -> None:
    terminal, engine = armed
    spans = []
    for code in CODES[:10]:
        before = len(terminal.reports)
        started = time.monotonic()
        engine.do("present", code)
        terminal.wait("frame", "", list(code), since=before)
        spans.append(time.monotonic() - started - engine.sim._decode_s)
    assert sorted(spans)[5] < 0.020


def test_grow_that_is_configured_is_not_written_again(armed: tuple[Terminal, Engine]) -> None:
    _, engine = armed
    flash = bytes(engine.sim.flash)
    for other, again in wired(Grow()):
        again.sim.flash[:] = flash
        again.do("power_cycle")
        other.wait("state", "ready")
        assert again.sim.saves == 0, "flash wear"


def test_grow_at_115200_is_found() -> None:
    sim = Grow()
    sim.flash[0x2A:0x2C] = b"\x1a\x00"
    sim.power_cycle(time.monotonic() - 1)
    for terminal, engine in wired(sim):
        terminal.wait("state", "ready")
        read_all(terminal, engine, CODES[:3])


def test_grow_that_read_on_its_own_is_calmed() -> None:
    sim = Grow()
    sim.flash[0x00] = 0xD6
    sim.power_cycle(time.monotonic() - 1)
    sim.present(b"\x02\x00\x00\x01", time.monotonic(), stays=True)  # in every pause, bytes that look like a reply
    sim.registers[0x05] = 0
    for terminal, engine in wired(sim):
        terminal.wait("state", "ready")
        engine.do("remove")
        read_all(terminal, engine, CODES[:3])
        assert engine.sim.registers[0] & 3 == 1


def test_grow_answering_errors_is_configured() -> None:
    for terminal, engine in wired(Grow(newland_errors=True)):
        terminal.wait("state", "ready")
        read_all(terminal, engine, CODES[:3])


@pytest.mark.parametrize("how", ["power_cycle", "factory_reset"])
def test_grow_comes_back_after_a_reset(armed: tuple[Terminal, Engine], how: str) -> None:
    terminal, engine = armed
    read_all(terminal, engine, CODES[:2])
    before = len(terminal.reports)
    engine.do(how)
    terminal.wait("state", "lost", since=before)
    terminal.wait("state", "ready", since=before)
    read_all(terminal, engine, CODES[2:5])
    assert terminal.frames() == [("", code) for code in CODES[:5]]
    sent = b"".join(engine.requests)
    kinds = {sent[i + 2] for i in range(len(sent) - 2) if sent[i : i + 2] == b"\x7e\x00"}
    assert kinds == {7, 8, 9}, "type 05 erases the engine"


def test_grow_that_lost_only_its_arming_is_armed_again(armed: tuple[Terminal, Engine]) -> None:
    terminal, engine = armed
    engine.sim.flash[:] = engine.sim.registers  # somebody saved it at 115200
    engine.do("power_cycle")
    read_all(terminal, engine, CODES[:2])


def test_grow_unplugged_is_reported_and_found_again(armed: tuple[Terminal, Engine]) -> None:
    terminal, engine = armed
    before = len(terminal.reports)
    engine.deaf = True
    assert terminal.wait("state", "lost", since=before)[3] == "no answer"
    engine.deaf = False
    terminal.wait("state", "ready", since=before)
    read_all(terminal, engine, CODES[:2])


def test_grow_that_is_not_there_is_reported() -> None:
    with Terminal("grow") as terminal:
        assert terminal.wait("state", "lost")[3] == "no answer at 9600 or 115200 baud"


def test_grow_that_could_not_be_set_up_for_want_of_memory_is_tried_again() -> None:
    for terminal, engine in wired(Grow(), "starved"):
        terminal.wait("state", "ready")
        assert [report[2:] for report in terminal.reports if report[:1] == ["state"]][:2] == [
            ["lost", "no room"],
            ["lost", "[Errno 5] EIO"],
        ]
        read_all(terminal, engine, CODES[:3])


def test_grow_reads_only_when_told_where_the_trigger_is_a_button() -> None:
    for terminal, engine in wired(Grow(), "button"):
        terminal.wait("state", "ready")
        engine.do("present", CODES[0])
        engine.do("present", CODES[1])
        assert engine.sim.reads == 0
        terminal.tell("on")
        terminal.wait("frame", "", list(CODES[0]))
        terminal.tell("quiet")
        terminal.wait("quiet")
        assert terminal.frames() == [("", CODES[0])], "one read for one trigger"
        terminal.tell("on")
        terminal.wait("frame", "", list(CODES[1]))


def test_grow_stops_when_told(armed: tuple[Terminal, Engine]) -> None:
    terminal, engine = armed
    terminal.tell("off")
    deadline = time.monotonic() + 5
    while engine.sim.armed and time.monotonic() < deadline:
        time.sleep(0.005)
    assert not engine.sim.armed
    engine.do("present", CODES[0])
    assert engine.sim.reads == 0
    terminal.tell("on")
    terminal.wait("frame", "", list(CODES[0]))
