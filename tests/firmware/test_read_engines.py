"""What an engine sends becomes frames, and an engine that went astray is brought back: on MicroPython."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from scanlatch_tools.twin.grow_sim import GrowSim

from tests.firmware.read_bench import Engine, Terminal

_ROOT = Path(__file__).parents[2]
for _folder in (_ROOT / "tests" / "stubs", _ROOT / "firmware"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

from scanlatch.read.engines.grow import READ, SAVE, WRITE, Replies, request  # noqa: E402

ACK = bytes.fromhex("02000001003331")
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


def wired(sim: GrowSim, auto: str = "auto") -> Iterator[tuple[Terminal, Engine]]:
    with Terminal("grow", auto) as terminal, Engine(terminal, sim) as engine:
        yield terminal, engine


@pytest.fixture
def armed() -> Iterator[tuple[Terminal, Engine]]:
    """A configured engine, as delivered before, with its trigger armed by the driver."""
    for terminal, engine in wired(GrowSim()):
        terminal.wait("state", "ready")
        yield terminal, engine


def read_all(terminal: Terminal, engine: Engine, codes: list[bytes], aim: str | None = "]C0") -> None:
    before = len(terminal.reports)
    for code in codes:
        engine.do("present", code, aim=aim)
    terminal.wait("frame", "", list(codes[-1]), since=before)


@pytest.mark.parametrize(
    ("frame", "wanted"),
    [
        (request(READ, 0x0A, b"\x01"), "7E 00 07 01 00 0A 01 EE 8A"),
        (request(READ, 0x2A, b"\x02"), "7E 00 07 01 00 2A 02 D8 0F"),
        (request(READ, 0x0D, b"\x01"), "7E 00 07 01 00 0D 01 77 1D"),
        (request(READ, 0x60, b"\x01"), "7E 00 07 01 00 60 01 0A 6B"),
        (request(READ, 0xE1, b"\x05"), "7E 00 07 01 00 E1 05 62 46"),
        (request(WRITE, 0x0A, b"\x3e"), "7E 00 08 01 00 0A 3E 4C CF"),
        (request(WRITE, 0x00, b"\xd1"), "7E 00 08 01 00 00 D1 AF C5"),
        (request(WRITE, 0x02, b"\x01"), "7E 00 08 01 00 02 01 02 DA"),
        (request(WRITE, 0x02, b"\x00"), "7E 00 08 01 00 02 00 12 FB"),
        (request(WRITE, 0x06, b"\x00"), "7E 00 08 01 00 06 00 DE 3F"),
        (request(WRITE, 0x2A, b"\x1a\x00"), "7E 00 08 02 00 2A 1A 00 E4 7E"),
        (request(WRITE, 0x60, b"\x01"), "7E 00 08 01 00 60 01 6F 92"),
        (request(SAVE, 0, b"\x00"), "7E 00 09 01 00 00 00 DE C8"),
    ],
)
def test_grow_requests_are_the_manuals_bytes(frame: bytes, wanted: str) -> None:
    assert frame == bytes.fromhex(wanted)


def split(stream: bytes, due: int) -> tuple[bytes, bytes, int]:
    """(scanned bytes, last reply, replies still due)."""
    scanned = bytearray()
    replies = Replies(scanned.append)
    replies.due = due
    for byte in stream:
        replies.put(byte)
    replies.flush()
    return bytes(scanned), replies.reply, replies.due


@pytest.mark.parametrize(
    ("stream", "due", "scanned", "left"),
    [
        (ACK + CODES[0] + b"\r", 1, CODES[0] + b"\r", 0),
        (CODES[0] + b"\r" + ACK, 1, CODES[0] + b"\r", 0),
        (CODES[0] + b"\r" + ACK + CODES[1] + b"\r", 1, CODES[0] + b"\r" + CODES[1] + b"\r", 0),
        (ACK + ACK + CODES[0], 2, CODES[0], 0),
        (ACK + ACK, 1, ACK, 0),
        (ACK, 0, ACK, 0),
        (b"\x02" + ACK, 1, b"\x02", 0),
        (b"\x02\x00\x00\x01" + ACK, 1, b"\x02\x00\x00\x01", 0),
        (ACK[:-1] + b"\x32", 1, ACK[:-1] + b"\x32", 1),
        (ACK[:4], 1, ACK[:4], 1),
    ],
    ids=["ACK, scan", "scan, ACK", "scan, ACK, scan", "late ACK", "barcode like an ACK", "none due", "noise before",
         "cut off before", "wrong CRC", "cut off"],
)  # fmt: skip
def test_grow_replies_are_told_from_scans(stream: bytes, due: int, scanned: bytes, left: int) -> None:
    out, reply, still_due = split(stream, due)
    assert (out, still_due) == (scanned, left)
    assert (reply == b"\0") == (left < due)


@pytest.mark.parametrize("refusal", ["02 00 01 01 00 04 01", "02 00 03 01 00 6A 61"])
def test_grow_takes_newlands_errors_for_refusals(refusal: str) -> None:
    assert split(bytes.fromhex(refusal), 1) == (b"", b"", 0)


def test_grow_is_configured_from_its_delivered_state(armed: tuple[Terminal, Engine]) -> None:
    terminal, engine = armed
    assert terminal.wait("state", "ready")[3] == "grow model 5 software 1.05"
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
    for other, again in wired(GrowSim()):
        again.sim.flash[:] = flash
        again.do("power_cycle")
        other.wait("state", "ready")
        assert again.sim.saves == 0, "flash wear"


def test_grow_at_115200_is_found() -> None:
    sim = GrowSim()
    sim.flash[0x2A:0x2C] = b"\x1a\x00"
    sim.power_cycle(time.monotonic() - 1)
    for terminal, engine in wired(sim):
        terminal.wait("state", "ready")
        read_all(terminal, engine, CODES[:3])


def test_grow_that_read_on_its_own_is_calmed() -> None:
    sim = GrowSim()
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
    for terminal, engine in wired(GrowSim(newland_errors=True)):
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
    for terminal, engine in wired(GrowSim(), "starved"):
        terminal.wait("state", "ready")
        assert [report[2:] for report in terminal.reports if report[:1] == ["state"]][:2] == [
            ["lost", "no room"],
            ["lost", "[Errno 5] EIO"],
        ]
        read_all(terminal, engine, CODES[:3])


def test_grow_reads_only_when_told_where_the_trigger_is_a_button() -> None:
    for terminal, engine in wired(GrowSim(), "button"):
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
