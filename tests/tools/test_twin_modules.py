"""The twin's modules are as strict as the chip's."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from scanlatch_tools.twin import build, interpreter
from scanlatch_tools.twin.device import Twin

_MEASURE = """
import gc
def used():
    gc.collect()
    gc.collect()
    return gc.mem_alloc()
before = used()
import power_on
import esp32, machine, neopixel, network, time
def ask():  # what is loaded for these goes, but its names stay
    esp32.NVS, machine.Pin, machine.RTC, network.STA_IF, time.time
ask()
used()
print(used() - before)
"""

CASES = {
    # name: (code, what it prints)
    "flash pin": ("machine.Pin(6)", "ValueError"),
    "no such pin": ("machine.Pin(40)", "ValueError"),
    "pin as text": ("machine.Pin('4')", "ValueError"),
    "output on an input-only pin": ("machine.Pin(34, machine.Pin.OUT)", "ValueError"),
    "pull on an input-only pin": ("machine.Pin(39, machine.Pin.IN, machine.Pin.PULL_UP)", "ValueError"),
    "input-only pin as input": ("print(machine.Pin(39, machine.Pin.IN).value())", "0"),
    "pulled up": ("print(machine.Pin(4, machine.Pin.IN, machine.Pin.PULL_UP).value())", "1"),
    "output keeps": ("p = machine.Pin(4, machine.Pin.OUT, value=1); print(p.value(), p())", "1 1"),
    "tone too low": ("machine.PWM(machine.Pin(26), freq=0)", "ValueError"),
    "tone as a float": ("machine.PWM(machine.Pin(26), freq=440.0)", "TypeError"),
    "duty too big": ("machine.PWM(machine.Pin(26), freq=440, duty_u16=65536)", "ValueError"),
    "tone on an input-only pin": ("machine.PWM(machine.Pin(35), freq=440)", "ValueError"),
    "colour too big": ("neopixel.NeoPixel(machine.Pin(27), 1)[0] = (0, 0, 256)", "ValueError"),
    "colour as a float": ("neopixel.NeoPixel(machine.Pin(27), 1)[0] = (0, 0, 1.0)", "TypeError"),
    "colour of two": ("neopixel.NeoPixel(machine.Pin(27), 1)[0] = (0, 0)", "ValueError"),
    "light beyond": ("neopixel.NeoPixel(machine.Pin(27), 1)[1] = (0, 0, 0)", "IndexError"),
    "connect before active": ("network.WLAN(network.STA_IF).connect('a', 'b')", "OSError"),
    "connect twice": ("w = network.WLAN(); w.active(True); w.connect('a'); w.connect('a')", "OSError"),
    "one Wi-Fi": ("print(network.WLAN(network.WLAN.IF_STA) is network.WLAN())", "True"),
    "lan needs a PHY": (
        "network.LAN(mdc=machine.Pin(23), mdio=machine.Pin(18), phy_type=99, phy_addr=0)",
        "ValueError",
    ),
    "console's uart": ("machine.UART(0, 9600)", "ValueError"),
    "uart on a flash pin": ("machine.UART(1, 9600, tx=6, rx=16)", "ValueError"),
    "uart sends on an input-only pin": ("machine.UART(1, 9600, tx=34, rx=16)", "ValueError"),
    "uart's unknown option": ("machine.UART(1, 9600, tx=17, rx=16, buffer=3)", "TypeError"),
    "odd speed": ("machine.freq(100_000_000)", "ValueError"),
    "starts slow": ("print(machine.freq()); machine.freq(240_000_000); print(machine.freq())", "160000000 240000000"),
    "watchdog without time": ("machine.WDT(timeout=0)", "ValueError"),
    "epoch": ("print(time.gmtime(0)[:6])", "(2000, 1, 1, 0, 0, 0)"),
    "unset clock": ("print(time.gmtime()[:5], time.time() < 5)", "(2000, 1, 1, 0, 0) True"),
    "mktime": (
        "print(all(time.mktime(time.gmtime(s)) == s for s in range(0, 4_000_000_000, 86399 * 37)))",
        "True",
    ),
    "rtc": (
        "machine.RTC().datetime((2026, 11, 22, 6, 3, 4, 5, 0)); print(machine.RTC().datetime()[:7], time.time())",
        "(2026, 11, 22, 6, 3, 4, 5) 848631845",
    ),
    "rtc memory too long": ("machine.RTC().memory(bytes(2049))", "ValueError"),
    "ticks are the interpreter's": ("import utime; print(time.ticks_ms is utime.ticks_ms)", "True"),
    "cold": ("print(machine.reset_cause() == machine.PWRON_RESET)", "True"),
}

SCRIPT = """
import io, json, machine, neopixel, network, sys, time
for name, code in json.loads(open("cases.json").read()).items():
    print("@" + name)
    try:
        exec(code)
    except Exception as error:
        print(type(error).__name__)
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with Twin(tmp_path_factory.mktemp("twin")) as twin:
        twin.put("cases.json", json.dumps({name: code for name, (code, _) in CASES.items()}).encode())
        printed = twin.run(SCRIPT)
    blocks = (block.partition("\n") for block in printed.split("@")[1:])
    yield {name: " ".join(said.split()) for name, _, said in blocks}


@pytest.mark.parametrize("name", CASES)
def test_a_stand_in_does_as_the_chip(outcomes: dict[str, str], name: str):
    assert outcomes[name] == CASES[name][1]


def test_outputs_are_traced_when_they_change(tmp_path: Path):
    code = """
import machine, neopixel
light = neopixel.NeoPixel(machine.Pin(27), 2)
light.fill((1, 2, 3)); light.write(); light.write()
light[1] = (4, 5, 6); light.write()
tone = machine.PWM(machine.Pin(26), freq=2000, duty_u16=0)
tone.freq(880); tone.duty_u16(32768); tone.duty_u16(0); tone.duty_u16(0)
"""
    with Twin(tmp_path) as twin:
        twin.run(code)
        lines = [line for line in twin.trace() if line["what"] in ("light", "tone")]
    assert [line.get("rgb") or line["hz"] for line in lines] == [[1, 2, 3], [1, 2, 3], 880, 0]
    assert lines[1]["all"] == [[1, 2, 3], [4, 5, 6]]
    assert all(line["t"] >= 0 and line["at"] > 1_700_000_000_000 for line in lines)


def test_the_stand_ins_leave_the_heap_to_the_firmware():
    # In their own folder, as each module's path stays on the heap, and a long one is no doing of theirs.
    environment = {"SCANLATCH_TWIN": ""}
    done = interpreter.run(["-c", _MEASURE], ".:.frozen", heap="1M", cwd=build.stand_ins(), environment=environment)
    assert int(done.stdout) <= 13_500, done.stderr
