"""A twin's power: cuts, resets, the watchdog, the memory, and the end of its launcher."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from scanlatch_tools.twin.device import Twin, TwinError

from tests.tools.twin_jobs import SAY, UART, job, program, said


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Twin]:
    with Twin(tmp_path / "twin", firmware=program(tmp_path)) as made:
        yield made


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
dog = machine.WDT(timeout=400)  # a busy computer may keep this program from its feeding for a while
for _ in range(40):
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


def test_memory_is_as_short_as_on_the_chip(twin: Twin):
    job(twin, "import esp32, neopixel, network\nbytearray(160 * 1024)")
    with pytest.raises(TwinError, match="MemoryError"):
        twin.wait_for(said("never"), timeout=5)


def test_the_heap_is_told_where_that_is_asked_for(tmp_path: Path):
    code = """
import esp32, neopixel, network
dog = machine.WDT()
while True:
    dog.feed()
    time.sleep_ms(10)
"""
    with Twin(tmp_path / "twin", firmware=program(tmp_path), heap="160K", heap_every_ms=20) as twin:
        job(twin, code)
        first = twin.wait_for(lambda line: line["what"] == "heap")
        last = twin.wait_for(lambda line: line["what"] == "heap", after=first["n"] + 20)
    assert 140_000 < last["free"] <= first["free"] < 160 * 1024
    assert abs(last["used"] - first["used"]) <= 256


def test_a_cut_inside_a_flash_operation_unwinds_nothing(tmp_path: Path):
    code = """
import esp32
flash = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="scanlog")[0]
try:
    flash.writeblocks(0, b"half", 0)
    flash.writeblocks(0, b"half", 4)
finally:
    say(unwound=1)
"""
    with Twin(tmp_path / "twin", firmware=program(tmp_path), cut="2:lost") as twin:
        job(twin, code)
        assert twin.wait_until_ended(10) == 99
        assert [line["what"] for line in twin.trace()][-2:] == ["flash", "cut"]


def test_a_twin_does_not_outlive_its_launcher(tmp_path: Path):
    code = f"""
import sys
from pathlib import Path
from scanlatch_tools.twin.device import Twin
twin = Twin(Path({str(tmp_path / "twin")!r}), firmware=Path({str(program(tmp_path))!r}))
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
