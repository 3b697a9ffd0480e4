"""A twin has power, resets, a watchdog, a beam, a button and a link, as a terminal has."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from scanlatch_tools.errors import ToolError
from scanlatch_tools.twin.device import Twin, TwinError
from scanlatch_tools.twin.trace import Line, TraceTimeoutError

MAIN = 'exec(open("job.py").read())'

SAY = """
import json, machine, sys, time, twin_trace
def say(**fields):
    twin_trace.line("said", **fields)
"""

UART = """
uart = machine.UART(1, baudrate=9600, tx=17, rx=16, rxbuf=256)
def ask(text, wait=0.3):
    uart.write(bytes.fromhex(text))
    end = time.ticks_add(time.ticks_ms(), int(wait * 1000))
    got = b""
    while time.ticks_diff(end, time.ticks_ms()) > 0:
        got += uart.read() or b""
        time.sleep_ms(2)
        if len(got) >= 7:
            break
    return got.hex()
say(model=ask("7E000701" "00E001" "11F3"))
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("program")
    (folder / "boot.py").write_text("booted = True\n")
    (folder / "main.py").write_text(MAIN)
    return folder


@pytest.fixture
def twin(tmp_path: Path, program: Path) -> Iterator[Twin]:
    with Twin(tmp_path / "twin", firmware=program) as made:
        yield made


def said(name: str):
    def wanted(line: Line) -> bool:
        return line["what"] == "said" and name in line

    return wanted


def job(twin: Twin, code: str) -> None:
    twin.put("job.py", (SAY + code).encode())
    twin.start()


def test_resets_are_told_apart_and_only_the_soft_one_keeps_the_clock(twin: Twin):
    job(
        twin,
        """
cause = machine.reset_cause()
rtc = machine.RTC()
say(cause=cause, year=rtc.datetime()[0], memory=str(rtc.memory(), "utf-8"))
if cause == machine.PWRON_RESET:
    rtc.datetime((2026, 11, 22, 0, 1, 2, 3, 0))
    rtc.memory(b"kept")
    machine.soft_reset()
if cause == machine.SOFT_RESET:
    machine.reset()
if cause == machine.HARD_RESET:
    machine.WDT(timeout=200)
    while True:
        pass
""",
    )
    last = twin.wait_for(lambda line: said("cause")(line) and line["cause"] == 3)
    seen = [(line["cause"], line["year"], line["memory"]) for line in twin.trace() if said("cause")(line)]
    assert seen == [(1, 2000, ""), (5, 2026, "kept"), (2, 2000, ""), (3, 2000, "")]
    assert twin.restarts == 3
    bite = next(line for line in twin.trace() if line.get("event") == "bite")
    started = next(line for line in twin.trace() if line.get("event") == "started")
    assert 200 <= bite["at"] - started["at"] < 500
    assert last["n"] > bite["n"]


def test_a_fed_watchdog_does_not_bite(twin: Twin):
    job(
        twin,
        """
dog = machine.WDT(timeout=150)
for _ in range(20):
    time.sleep_ms(25)
    dog.feed()
say(done=1)
""",
    )
    twin.wait_for(said("done"))
    assert twin.restarts == 0


def test_a_program_that_fell_waits_for_the_watchdog_and_starts_again(twin: Twin):
    job(
        twin,
        """
say(cause=machine.reset_cause())
if machine.reset_cause() == machine.PWRON_RESET:
    machine.WDT(timeout=100)
    raise KeyError("fallen")
say(done=1)
""",
    )
    twin.wait_for(said("done"))
    assert "KeyError: fallen" in twin.console()


def test_a_program_that_fell_without_a_watchdog_is_told_at_once(twin: Twin):
    job(twin, 'raise KeyError("fallen")')
    with pytest.raises(TwinError, match="KeyError: fallen"):
        twin.wait_for(said("never"), timeout=5)
    assert twin.wait_until_ended(1) == 1


def test_a_power_cut_unwinds_nothing_and_the_next_start_is_cold(twin: Twin):
    code = """
say(cause=machine.reset_cause(), file=len(open("kept").read()) if "kept" in __import__("os").listdir() else -1)
machine.RTC().memory(b"gone")
file = open("kept", "w")
file.write("x" * 10)
file.flush()
say(written=1)
try:
    time.sleep(60)
finally:
    file.write("y")
    file.close()
"""
    job(twin, code)
    mark = twin.wait_for(said("written"))["n"]
    twin.kill()
    assert not twin.running
    twin.start()
    line = twin.wait_for(said("cause"), after=mark)
    assert (line["cause"], line["file"]) == (1, 10)


def test_waiting_ends_with_the_trace_in_hand(twin: Twin):
    job(twin, "say(here=1)\ntime.sleep(60)")
    twin.wait_for(said("here"))
    with pytest.raises(TraceTimeoutError, match='"here": 1'):
        twin.wait_for(said("never"), timeout=0.05)


def test_the_engine_answers_on_the_serial_line_and_hears_the_change_of_speed(twin: Twin):
    job(
        twin,
        UART
        + """
say(ack=ask("7E000802" "002A1A00" "E47E"))
say(before=ask("7E000701" "00E001" "11F3", 0.1))
uart.init(baudrate=115200, tx=17, rx=16, rxbuf=256)
say(after=ask("7E000701" "00E001" "11F3"))
""",
    )
    after = twin.wait_for(said("after"))
    answers = {key: line[key] for line in twin.trace() for key in ("model", "ack", "before") if said(key)(line)}
    assert answers["model"] == after["after"] == "02000001056394"
    assert answers["ack"] == "02000001003331"
    assert answers["before"] != after["after"]


def test_a_code_under_the_beam_is_read_when_triggered(twin: Twin):
    job(
        twin,
        UART
        + """
for frame in ("7E0008010000D1AFC5", "7E000801006001" "6F92", "7E00080100020102DA"):
    ask(frame)
say(armed=1)
got = b""
while not got.endswith(b"\\r"):
    got += uart.read() or b""
say(code=str(got, "utf-8"), any=uart.any())
""",
    )
    twin.wait_for(said("armed"))
    twin.scan("83386520001941653320")
    line = twin.wait_for(said("code"))
    assert (line["code"], line["any"]) == ("83386520001941653320\r", 0)
    sent = [one for one in twin.trace() if one["what"] == "engine" and one["reads"] == 1]
    assert len(sent) == 1
    assert -5 < line["at"] - sent[0]["at"] < 100


def test_what_the_receive_buffer_can_not_hold_is_lost(twin: Twin):
    job(
        twin,
        UART
        + """
for frame in ("7E0008010000D1AFC5", "7E00080100020102DA"):
    ask(frame)
say(armed=1)
time.sleep_ms(600)
got = b""
while uart.any():
    got += uart.read()
say(count=len(got))
""",
    )
    twin.wait_for(said("armed"))
    twin.scan(b"Z" * 400)
    assert twin.wait_for(said("count"))["count"] == 256
    assert twin.engine.lost == 144


def test_opening_the_line_anew_drops_what_was_not_read(twin: Twin):
    job(
        twin,
        UART
        + """
uart.write(bytes.fromhex("7E00070100E00111F3"))
time.sleep_ms(100)
waiting = uart.any()
uart.init(baudrate=9600, tx=17, rx=16)
say(waiting=waiting, left=uart.any())
""",
    )
    line = twin.wait_for(said("left"))
    assert (line["waiting"], line["left"]) == (1, 0)


def test_the_link_goes_and_comes_back_by_itself(twin: Twin):
    job(
        twin,
        """
import network
station = network.WLAN(network.STA_IF)
station.active(True)
station.connect("site", "secret")
while True:
    station.isconnected()
    time.sleep_ms(5)
""",
    )

    def event(name: str):
        return lambda line: line["what"] == "net" and line["event"] == name

    up = twin.wait_for(event("up"))
    twin.link(False)
    down = twin.wait_for(event("down"), after=up["n"])
    twin.link(True)
    twin.wait_for(event("up"), after=down["n"])
    assert "secret" not in str(twin.trace())


def test_the_button_is_seen_down_and_up(twin: Twin):
    job(
        twin,
        """
pin = machine.Pin(0, machine.Pin.IN, machine.Pin.PULL_UP)
last = None
while True:
    if pin.value() != last:
        last = pin.value()
        say(level=last)
    time.sleep_ms(5)
""",
    )
    first = twin.wait_for(said("level"))
    twin.button(True)
    pressed = twin.wait_for(said("level"), after=first["n"] + 1)
    twin.button(False)
    released = twin.wait_for(said("level"), after=pressed["n"] + 1)
    assert (first["level"], pressed["level"], released["level"]) == (1, 0, 1)


def test_a_running_twin_is_neither_started_nor_enrolled(twin: Twin):
    job(twin, "time.sleep(60)")
    with pytest.raises(TwinError, match="running"):
        twin.start()
    with pytest.raises(TwinError, match="running"):
        twin.run("print(1)")


def test_code_run_on_the_device_gives_its_output_or_its_traceback(twin: Twin):
    twin.put("/data/file.bin", b"\x00\x01")
    assert twin.run('print(open("data/file.bin", "rb").read())') == "b'\\x00\\x01'\n"
    with pytest.raises(ToolError, match="KeyError: of the device"):
        twin.run('raise KeyError("of the device")')


def test_memory_is_as_short_as_on_the_chip(twin: Twin):
    job(twin, "bytearray(170_000)")
    with pytest.raises(TwinError, match="MemoryError"):
        twin.wait_for(said("never"), timeout=5)


def test_a_twin_does_not_outlive_its_launcher(tmp_path: Path, program: Path):
    code = f"""
import sys
from pathlib import Path
from scanlatch_tools.twin.device import Twin
twin = Twin(Path({str(tmp_path / "twin")!r}), firmware=Path({str(program)!r}))
twin.put("job.py", {(SAY + UART + "while True: uart.read(); time.sleep_ms(5)").encode()!r})
twin.start()
twin.wait_for(lambda line: "model" in line)
print("ready", flush=True)
sys.stdin.read()
"""
    launcher = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert launcher.stdout
    assert launcher.stdin
    assert launcher.stdout.readline() == "ready\n"
    assert lives(tmp_path / "twin")
    launcher.send_signal(signal.SIGKILL)
    launcher.wait()
    end = time.monotonic() + 5
    while lives(tmp_path / "twin"):
        assert time.monotonic() < end
        time.sleep(0.01)
    launcher.stdin.close()
    launcher.stdout.close()


def lives(folder: Path) -> bool:
    wanted = f"SCANLATCH_TWIN={folder}\0".encode()
    for process in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if wanted in process.read_bytes():
                return True
    return False
