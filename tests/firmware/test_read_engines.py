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


# An engine that takes commands: the families' other tests have a time of their own (see `engine_bench`)


@pytest.fixture
def armed() -> Iterator[tuple[Terminal, Engine]]:
    """A GROW engine, as delivered before, with its trigger armed by the driver."""
    with Terminal("grow") as terminal, Engine(terminal, Grow()) as engine:
        terminal.wait("state", "ready")
        yield terminal, engine


def test_grow_is_set_up_and_stopped_over_a_real_line(armed: tuple[Terminal, Engine]) -> None:
    terminal, engine = armed
    assert terminal.wait("state", "ready")[3].startswith("grow model 5")
    assert engine.sim.baud == terminal.baud() == 115200
    terminal.tell("off")
    deadline = time.monotonic() + 5
    while engine.sim.armed and time.monotonic() < deadline:
        time.sleep(0.005)
    assert not engine.sim.armed


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
