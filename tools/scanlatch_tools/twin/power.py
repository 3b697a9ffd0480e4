"""Power for one twin: a process that is cut off, resets itself and is bitten by its watchdog as a chip is."""

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from scanlatch_tools.twin import interpreter
from scanlatch_tools.twin.trace import Trace

# Reset causes as machine.reset_cause() gives them on the ESP32.
POWER_ON, RESET, WATCHDOG, SOFT = 1, 2, 3, 5

FLASH_CUT = 99  # exit status after an injected power cut at a flash operation
FLASH_CUT_SIGNAL = signal.SIGUSR1  # by which the stand-ins end the process there, so that nothing is unwound

RESETS = {-signal.SIGUSR2: RESET, -signal.SIGALRM: SOFT}  # how the stand-ins end the process
_ENTRY = ["-c", "import power_on"]
_WATCH_S = 0.05


class Power:
    """Runs the program of the twin in `folder`; `environment` and `search_path` are its own."""

    def __init__(self, folder: Path, trace: Trace, heap: str, environment: Mapping[str, str], search_path: str) -> None:
        self.restarts = 0  # by a reset or the watchdog
        self.status: int | None = None  # exit status of a program that came to its end by itself
        self.on = False
        self._folder = folder
        self._trace = trace
        self._heap = heap
        self._environment = {**environment, "MICROPYPATH": search_path}
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: threading.Thread | None = None
        self._lock = threading.Lock()  # over `on` and `_process`

    def switch_on(self, more: Mapping[str, str]) -> None:
        """Cold start. more: environment for this time only, restarts included."""
        self._join()
        self.on = True
        self.status = None
        self._more = dict(more)
        self._trace.add("power", event="on")
        process = self._launch(POWER_ON)
        self._watcher = threading.Thread(target=self._watch, args=(process,), name="twin", daemon=True)
        self._watcher.start()

    def cut(self) -> None:
        """Power is gone: nothing is unwound or written any more."""
        with self._lock:
            self.on = False
            if self._process is not None:
                self._process.kill()
        self._join()
        self._trace.add("power", event="cut")

    def wait_until_ended(self, timeout: float) -> int | None:
        """Wait `timeout` seconds at most until the program has come to its end by itself; its exit status."""
        if self._watcher is not None:
            self._watcher.join(timeout)
        return self.status

    def _join(self) -> None:
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None

    def _launch(self, cause: int) -> subprocess.Popen[bytes]:
        for name in ("wdt", "timer"):
            (self._folder / name).unlink(missing_ok=True)
        if cause != SOFT:
            (self._folder / "rtc").unlink(missing_ok=True)
        with (self._folder / "console.log").open("ab") as console:
            self._process = subprocess.Popen(
                interpreter.command(_ENTRY, self._heap),
                env={**os.environ, **self._environment, **self._more, "SCANLATCH_TWIN_CAUSE": str(cause)},
                cwd=self._folder / "files",
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the launcher
            )
        return self._process

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        while True:
            cause = self._next_start(process)
            with self._lock:
                if not self.on:
                    return
                if cause is None:
                    cut = process.returncode == -FLASH_CUT_SIGNAL
                    self.status = FLASH_CUT if cut else process.returncode
                    return
                self.restarts += 1
                process = self._launch(cause)

    def _next_start(self, process: subprocess.Popen[bytes]) -> int | None:
        """Wait until the program has ended; the cause with which it starts again, None where it does not."""
        if not self._ends(process):
            return self._bite()
        if process.returncode in RESETS:
            return RESETS[process.returncode]
        if process.returncode == -FLASH_CUT_SIGNAL:
            return None
        # On the chip the console would wait for a person now, until the watchdog bites, where one was started.
        while (self._folder / "wdt").exists() and self.on:
            if self._ms_left() < 0:
                return self._bite()
            time.sleep(_WATCH_S)
        return None

    def _ends(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait until the program has ended; False where the watchdog ended it."""
        with _End(process) as end:
            while process.poll() is None:
                left = self._ms_left()
                if left < 0:
                    process.kill()
                    process.wait()
                    return False
                end.wait(min(_WATCH_S, left / 1000 + 0.001))
        return True

    def _bite(self) -> int:
        if self._timer_ms_left() < 0:
            self._trace.add("timer", event="over")
            return RESET
        self._trace.add("wdt", event="bite")
        return WATCHDOG

    def _ms_left(self) -> float:
        return min(self._watchdog_ms_left(), self._timer_ms_left())

    def _watchdog_ms_left(self) -> float:
        try:
            fed, timeout = (self._folder / "wdt").read_text().split()
        except (FileNotFoundError, ValueError):
            return 1000.0  # not started, or just being written
        return int(fed) + int(timeout) - time.monotonic() * 1000

    def _timer_ms_left(self) -> float:
        try:
            return int((self._folder / "timer").read_text()) - time.monotonic() * 1000
        except (FileNotFoundError, ValueError):
            return 1000.0


class _End:
    """A process's end, to be waited for asleep: `Popen.wait` with a limit wakes 150 times a second to look."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._told = os.pidfd_open(process.pid) if hasattr(os, "pidfd_open") else None  # Linux only
        self._look = select.poll()
        if self._told is not None:
            self._look.register(self._told, select.POLLIN)

    def __enter__(self) -> "_End":
        return self

    def __exit__(self, *_: object) -> None:
        if self._told is not None:
            os.close(self._told)

    def wait(self, seconds: float) -> None:
        """Until it has ended, or this is over."""
        if self._told is not None:
            self._look.poll(seconds * 1000)
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
