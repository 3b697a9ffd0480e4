"""An engine's driver on MicroPython at one end of a pseudo-terminal, and at the other whatever the test puts there."""

import contextlib
import json
import os
import select
import subprocess
import termios
import threading
import time
import tty
from pathlib import Path
from typing import Any

from scanlatch_tools.twin import interpreter
from scanlatch_tools.twin.engines.grow import Grow

_ROOT = Path(__file__).parents[2]
_SCRIPT = Path(__file__).parent / "device_scripts" / "read_engine.py"
_SPEEDS = {termios.B9600: 9600, termios.B115200: 115200}
PATIENCE_S = 20.0


class Terminal:
    """The device's side. `reports`: what it said, in order."""

    def __init__(self, kind: str) -> None:
        self.line, slave = os.openpty()
        tty.setraw(slave)
        self._process = subprocess.Popen(
            interpreter.command([str(_SCRIPT), kind, os.ttyname(slave)]),
            env={**os.environ, "MICROPYPATH": interpreter.search_path(_ROOT / "firmware", stand_ins=False)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._slave = slave
        self.reports: list[list[Any]] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._listen)
        self._reader.start()
        self.wait("up")

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            with self._news:
                self.reports.append(json.loads(line))
                self._news.notify_all()

    def wait(self, what: str, *values: object, since: int = 0) -> list[Any]:
        """The first report `what` that begins with `values`, at or after position `since`."""

        def found() -> list[Any] | None:
            for report in self.reports[since:]:
                if report[0] == what and report[2 : 2 + len(values)] == list(values):
                    return report
            return None

        with self._news:
            seen = self._news.wait_for(found, PATIENCE_S)
        assert seen, f"no report {what} {values} in {self.reports[since:]}"
        return seen

    def frames(self) -> list[tuple[str, bytes]]:
        """Every frame so far: AIM identifier and data."""
        return [(report[2], bytes(report[3])) for report in self.reports if report[0] == "frame"]

    def tell(self, word: str) -> None:
        """Give a command: on, off, quiet."""
        assert self._process.stdin
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()

    def baud(self) -> int:
        """The speed that the device's end is set to."""
        return _SPEEDS.get(termios.tcgetattr(self._slave)[5], 9600)  # as a board opens it, until its driver chooses

    def close(self) -> None:
        """End the interpreter."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(PATIENCE_S)
        finally:
            self._process.kill()
            self._reader.join(PATIENCE_S)
            os.close(self.line)
            os.close(self._slave)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Engine:
    """A GROW stand-in wired to a terminal's line."""

    def __init__(self, terminal: Terminal, sim: Grow) -> None:
        self.sim = sim
        self._terminal = terminal
        self._lock = threading.Lock()
        self._wake, self._waker = os.pipe()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        line = self._terminal.line
        while True:
            with self._lock:
                deadline = self.sim.next_deadline()
            timeout = None if deadline is None else max(deadline - time.monotonic(), 0)
            ready, _, _ = select.select([line, self._wake], [], [], timeout)
            if self._wake in ready and os.read(self._wake, 1) == b"q":
                return
            received = os.read(line, 4096) if line in ready else b""
            with self._lock:
                now, baud = time.monotonic(), self._terminal.baud()
                if received:
                    self.sim.receive(received, now, baud)
                sent = self.sim.poll(now, baud)
            if sent:
                os.write(line, sent)

    def do(self, name: str, *arguments: object, **options: object) -> None:
        """Call a method of the engine; those that need the time get it as `now`."""
        with self._lock:
            if name != "remove":
                options["now"] = time.monotonic()
            getattr(self.sim, name)(*arguments, **options)
        os.write(self._waker, b"w")

    def close(self) -> None:
        """Take the engine off the line."""
        with contextlib.suppress(OSError):
            os.write(self._waker, b"q")
        self._thread.join(PATIENCE_S)

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
