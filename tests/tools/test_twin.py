"""A twin has a scan engine, a button, a link and a console, as a terminal has."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from scanlatch_tools.errors import ToolError
from scanlatch_tools.twin import pictures
from scanlatch_tools.twin.device import Twin, TwinError
from scanlatch_tools.twin.trace import TraceTimeoutError

from tests.tools.twin_jobs import UART, job, program, said


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Twin]:
    with Twin(tmp_path / "twin", firmware=program(tmp_path)) as made:
        yield made


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
    sent = twin.wait_for(lambda one: one["what"] == "engine" and one["reads"] == 1)
    assert -5 < line["at"] - sent["at"] < 100


def test_an_engine_without_its_plug_is_silent_and_answers_when_it_is_back(twin: Twin):
    twin.engine.plug(False)
    job(twin, UART + 'say(unplugged=1)\nwhile not ask("7E000701" "00E001" "11F3"): pass\nsay(answers=1)\n')
    assert twin.wait_for(said("model"))["model"] == ""
    twin.wait_for(said("unplugged"))
    twin.engine.plug(True)
    twin.wait_for(said("answers"))


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


def test_barcodes_of_a_picture_come_under_the_beam_one_after_the_other(twin: Twin, tmp_path: Path):
    job(
        twin,
        UART
        + """
got = b""
for frame in ("7E0008010000D6DF22", "7E000801006001" "6F92"):
    ask(frame)
say(armed=1)
while got.count(b"\\r") < 1:
    got += uart.read() or b""
say(code=str(got, "utf-8"))
""",
    )
    twin.wait_for(said("armed"))
    pictures.draw("83386520001941653320", "code128", tmp_path / "code.png")
    twin.scan_picture(tmp_path / "code.png")
    assert "83386520001941653320" in twin.wait_for(said("code"))["code"]


def test_a_picture_without_a_barcode_is_refused(twin: Twin, tmp_path: Path):
    (tmp_path / "not.png").write_text("no picture")
    with pytest.raises(ToolError, match="not a picture"):
        twin.scan_picture(tmp_path / "not.png")
