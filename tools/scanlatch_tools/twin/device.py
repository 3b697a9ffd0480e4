"""One terminal without the hardware: the firmware's own files on real MicroPython, with power, a beam and a button."""

import atexit
import json
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scanlatch_tools import boards
from scanlatch_tools.boards import Board
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _
from scanlatch_tools.twin import build, interpreter
from scanlatch_tools.twin.engine import Engine
from scanlatch_tools.twin.engines import Simulator
from scanlatch_tools.twin.engines import simulator as engine_of
from scanlatch_tools.twin.folder import fill_slot, link, replace
from scanlatch_tools.twin.power import Power
from scanlatch_tools.twin.trace import POLL_S, Line, Trace, TraceTimeoutError

# All of the interpreter's heap: the terminal, its link with TLS, and the stand-ins for what the chip has in flash. On
# 64 bit an object takes about twice the chip's room, so this is less than a chip has; the chip's own measure, 113 KB
# with TLS up, is held by the 32-bit build in the firmware's tests.
HEAP = "160K"

_RUN_TIMEOUT_S = 120.0  # for one script of the enrolment
_DEFAULT_RXBUF = 256
_PINS = 40
_alive: "weakref.WeakSet[Twin]" = weakref.WeakSet()


class TwinError(ToolError):
    """The twin can't do what was asked in the state it is in."""


class Twin:
    """A terminal in a folder, which holds all that survives a power cut; see the trace for what it shows.

    heap: as `-X heapsize` takes it; simulator: the engine, a GROW as delivered by default;
    button_pin: GPIO of the button, active low; cut: "n:kind", the flash operation at which power goes, and how (see
    `stand_ins/torn.py`); firmware: source of device files other than our own; heap_every_ms: how often a line "heap"
    tells what is free after a collection, never by default, as collecting more often than the firmware does helps it;
    erase_ms: how long an erase of a flash sector stops everything, 45 to 400 on a chip; minute_ms: how long a
    watchdog of a minute waits in truth, and longer ones half as long again; 0: as long as they say.
    """

    _has_slot = True  # from the beginning: nobody provisions it

    def __init__(
        self,
        folder: Path,
        *,
        heap: str = HEAP,
        simulator: Simulator | None = None,
        button_pin: int = 0,
        cut: str | None = None,
        firmware: Path | None = None,
        heap_every_ms: int = 0,
        erase_ms: int = 0,
        minute_ms: int = 0,
    ) -> None:
        self.folder = folder.resolve()
        self.files = self.folder / "files"
        self.cut = cut
        self._heap = heap
        self._button_pin = button_pin
        self.files.mkdir(parents=True, exist_ok=True)
        compiled = build.firmware(firmware)
        link(self.folder / "lib", compiled)
        if self._has_slot:
            fill_slot(self.files, compiled)
        link(self.folder / "stand_ins", build.stand_ins())
        # Seen from `files`: the heap holds every module's path, and a long one would be none of the firmware's doing.
        self._search_path = "../stand_ins:../lib:.frozen"
        self._trace = Trace(self.folder / "trace.jsonl")
        environment = {
            "SCANLATCH_TWIN": str(self.folder),
            "TZ": "UTC",
            "SCANLATCH_TWIN_HEAP_MS": str(heap_every_ms),
            "SCANLATCH_TWIN_MINUTE_MS": str(minute_ms or ""),
        }
        running = {**environment, "SCANLATCH_TWIN_ERASE_MS": str(erase_ms)}  # enrolment erases the whole partition
        self._environment = environment
        self._power = Power(self.folder, self._trace, self._heap, running, self._search_path)
        self.engine = Engine(simulator or engine_of("grow"), self._rxbuf, self._on_engine, self._on_beep)
        link(self.folder / "uart", self.engine.port)
        _alive.add(self)

    # Power

    def start(self) -> None:
        """Power on. The RTC starts anew.

        Raises:
            TwinError: it has power already.
        """
        if self._power.on:
            raise TwinError(_("the twin in {folder} is running already").format(folder=self.folder))
        self._power.switch_on({"SCANLATCH_TWIN_CUT": self.cut} if self.cut else {})

    def kill(self) -> None:
        """Cut the power, the engine's too: nothing is unwound or written any more."""
        self._power.cut()
        self.engine.power_cycle()

    def stop(self) -> None:
        """Cut the power and take the engine away; the folder stays. The end of this object."""
        if self._power.on:
            self.kill()
        self.engine.close()
        _alive.discard(self)

    def __enter__(self) -> "Twin":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether its program runs: not cut, fallen or ended."""
        return self._power.on and self._power.status is None

    @property
    def status(self) -> int | None:
        """Exit status of a device that ended by itself: 99 at an injected power cut, 1 after an exception."""
        return self._power.status

    @property
    def restarts(self) -> int:
        """How often it has started again by a reset or its watchdog."""
        return self._power.restarts

    def wait_until_ended(self, timeout: float) -> int:
        """Wait until the device has come to its end by itself; its exit status.

        Raises:
            TwinError: it has not within `timeout` seconds.
        """
        status = self._power.wait_until_ended(timeout)
        if status is None:
            late = _("the twin did not end within {timeout} s; its trace ends with\n{tail}")
            raise TwinError(late.format(timeout=timeout, tail=self._trace.tail()))
        return status

    # What people do to it

    def scan(self, code: str | bytes, aim: str | None = None) -> None:
        """Hold a barcode with this content under the beam. aim: its AIM identifier, e.g. "]d2"; None: by its look."""
        self.engine.present(code.encode() if isinstance(code, str) else code, aim)

    def scan_picture(self, path: Path) -> None:
        """Hold a picture under the beam; every barcode on it is read.

        Raises:
            ToolError: it is no picture, or has no barcode that can be read.
        """
        from scanlatch_tools.twin import pictures  # takes long to import, and few need it

        try:
            found = pictures.read_picture(path)
        except pictures.PictureError as error:
            raise ToolError(str(error)) from None
        if not found:
            raise ToolError(_("{path}: no barcode on it that can be read").format(path=path))
        for symbol in found:
            self.engine.present(symbol.data, symbol.aim)

    def button(self, down: bool) -> None:
        """Press the button, or let it go."""
        pins = ["z"] * _PINS
        if down:
            pins[self._button_pin] = "0"
        replace(self.folder / "pins", "".join(pins))

    def link(self, up: bool) -> None:
        """Cut Wi-Fi or cable, or mend it. Connections that stand are not torn; the device sees the link go."""
        replace(self.folder / "net", "1" if up else "0")

    # What it shows

    def trace(self, after: int = 0) -> list[Line]:
        """Lines of the trace from number `after` on; "n" in a line is its number."""
        return self._trace.lines(after)

    def mark(self) -> int:
        """The number that the next line will have."""
        return self._trace.count()

    def wait_for(self, wanted: Callable[[Line], bool], timeout: float = 10, after: int = 0) -> Line:
        """The first line from number `after` on that is `wanted`.

        Args:
            timeout: seconds.

        Raises:
            TraceTimeoutError: none came in time.
            TwinError: the device has come to its end, so none will.
        """
        return self._trace.wait_for(wanted, timeout, after, self._check_alive)

    def violations(self) -> list[dict[str, Any]]:
        """What the firmware did to its flash that real NOR forbids; an empty list is what a test wants."""
        try:
            lines = (self.folder / "violations.jsonl").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines]

    def said(self, event: str) -> list[dict[str, Any]]:
        """Events of this name that it told on its console since its folder was made, oldest first."""
        lines = (line for line in self.console().splitlines() if line.startswith("{") and line.endswith("}"))
        return [told for line in lines if (told := json.loads(line)).get("event") == event]

    def wait_engine(self, timeout: float = 30, after: int = 0) -> None:
        """Wait until it says, behind the first `after` events "engine", that its engine is set up and read from.

        An engine that takes no commands, where the terminal has to find out: that nobody answered, and it is read so.

        Raises:
            TraceTimeoutError: it has not within `timeout` seconds.
            TwinError: the device has come to its end, so it won't.
        """
        over = time.monotonic() + timeout
        mute = self.engine.simulator.name == "line"
        while not any(
            told["state"] == "ready" or (mute and told["detail"].endswith("by line"))
            for told in self.said("engine")[after:]
        ):
            self._check_alive()
            if time.monotonic() > over:
                late = _("no engine within {timeout} s; it says\n{said}")
                raise TraceTimeoutError(late.format(timeout=timeout, said=self.said("engine")))
            time.sleep(POLL_S)

    def console(self) -> str:
        """All that it printed."""
        try:
            return (self.folder / "console.log").read_text(errors="replace")
        except FileNotFoundError:
            return ""

    # Enrolment's way in, as over the console of a board

    def run(self, code: str) -> str:
        """Run code on the device while its own program does not run; what it printed.

        Raises:
            TwinError: it is running, or the code raised; the message has the traceback.
        """
        if self.running:
            raise TwinError(_("the twin is running: stop it before it is enrolled"))
        done = interpreter.run(
            ["-c", code], self._search_path,
            heap=self._heap, cwd=self.files, environment=self._environment, timeout=_RUN_TIMEOUT_S,
        )  # fmt: skip
        if done.returncode:
            silent = _("exit status {returncode}").format(returncode=done.returncode)
            raise TwinError(done.stderr.strip() or done.stdout.strip() or silent)
        return done.stdout

    def put(self, path: str, data: bytes) -> None:
        """Write a file of the device's file system, whole."""
        target = self.files / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    # The machine

    def _check_alive(self) -> None:
        if self._power.status is not None:
            ended = _("the device ended with status {status}:\n{console}")
            raise TwinError(ended.format(status=self._power.status, console=self.console()[-2000:]))

    def _rxbuf(self) -> int:
        line = self._trace.last("uart")
        return _DEFAULT_RXBUF if line is None else line["rxbuf"]

    def _on_engine(self, count: int, reads: int, lost: int) -> None:
        self._trace.add("engine", bytes=count, reads=reads, **({"lost": lost} if lost else {}))

    def _on_beep(self, beeps: int) -> None:
        self._trace.add("beep", beeps=beeps)


def twin_board(engine: Simulator, *, detect: bool = False) -> Board:
    """The twin's board file, with the family and the first speed of `engine`; detect: with neither of them."""
    board = boards.load("twin")
    return boards.with_engine(board, "auto") if detect else boards.with_engine(board, engine.name, engine.baud)


@atexit.register
def _stop_all() -> None:
    for twin in list(_alive):
        twin.stop()
