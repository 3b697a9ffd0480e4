"""Programs of a few lines for a twin, in place of the terminal's own."""

from collections.abc import Callable
from pathlib import Path

from scanlatch_tools.twin.device import Twin
from scanlatch_tools.twin.trace import Line

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


def program(folder: Path) -> Path:
    """Device files that run whatever `job` gives them."""
    made = folder / "program"
    made.mkdir(exist_ok=True)
    (made / "boot.py").write_text("booted = True\n")
    (made / "main.py").write_text(MAIN)
    return made


def job(twin: Twin, code: str) -> None:
    """Switch `twin` on with this to do; its function `say` writes a line "said" into the trace."""
    twin.put("job.py", (SAY + code).encode())
    twin.start()


def said(name: str) -> Callable[[Line], bool]:
    """Whether a line was said and has a field of this name."""

    def wanted(line: Line) -> bool:
        return line["what"] == "said" and name in line

    return wanted
