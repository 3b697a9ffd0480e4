"""A part of a site as a process of its own: started, waited for, ended or cut."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _

_READY_S = 20.0
_END_S = 10.0


class ServiceError(ToolError):
    """A part did not start; the message has the end of what it said."""


class Service:
    """`scanlatch ARGUMENTS` as a process.

    Args:
        arguments: of the command.
        ready: what stands in the line that it prints when it can be used.
        log: file that gets everything it prints.
    """

    def __init__(self, arguments: Sequence[str], ready: str, log: Path) -> None:
        self._arguments = list(arguments)
        self._ready = ready
        self._log = log
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._is_ready = threading.Event()

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id. Raises ServiceError where it was not started."""
        if self._process is None:
            raise ServiceError(_("{arguments} is not running").format(arguments=self._arguments[0]))
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it is ready. Raises ServiceError."""
        self._is_ready.clear()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scanlatch_tools.cli", *self._arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        deadline = time.monotonic() + _READY_S
        while not self._is_ready.wait(0.05):
            if not self.running or time.monotonic() > deadline:
                self.kill()
                raise ServiceError(
                    _("scanlatch {arguments} did not start:\n{tail}").format(
                        arguments=" ".join(self._arguments), tail=self.tail()
                    )
                )

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def hang(self) -> None:
        """Let it stand still, as a machine that hangs: its connections stay. Only `kill` ends it then."""
        os.kill(self.pid, signal.SIGSTOP)

    def tail(self, lines: int = 20) -> str:
        """The last lines that it printed."""
        if not self._log.exists():
            return ""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])

    def _read(self, process: subprocess.Popen[str]) -> None:
        if process.stdout is None:
            return
        with self._log.open("a") as log:
            for line in process.stdout:
                log.write(line)
                log.flush()
                if self._ready in line:
                    self._is_ready.set()

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._reader is not None:
            self._reader.join(_END_S)
