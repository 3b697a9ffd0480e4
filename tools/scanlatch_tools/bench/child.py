"""A process that is measured: it tells its CPU time, whole and by thread, whenever it is asked."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _

_END_S = 15.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Child:
    """`python -m MODULE ARGUMENTS`, whose `main` uses `obey`; a context manager. Its log goes to `log`."""

    def __init__(self, module: str, arguments: list[str], log: Path) -> None:
        self._command = [sys.executable, "-m", module, *arguments]
        self._log = log
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Child":
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1
            )
        self._next("ready")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        try:
            self._process.communicate(timeout=_END_S)  # the end of its input lets it end in order
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def cpu(self) -> dict[str, float]:
        """Seconds of CPU since its start: "all", each thread's by name, and what it counts."""
        if self._process is None or self._process.stdin is None:
            raise ToolError(_("it does not run"))
        self._process.stdin.write("cpu\n")
        return self._next("cpu")

    def _next(self, wanted: str) -> Any:
        process = self._process
        if process is None or process.stdout is None:
            raise ToolError(_("it does not run"))
        for line in process.stdout:
            told = json.loads(line)
            if wanted in told:
                return told[wanted]
        tail = "\n".join(self._log.read_text(errors="replace").splitlines()[-10:])
        raise ToolError(_("{command} has ended:\n{tail}").format(command=" ".join(self._command[2:4]), tail=tail))


def ready() -> None:
    """In the child: it can be used."""
    print(json.dumps({"ready": True}), flush=True)


def obey(stop: Callable[[], None], counts: Callable[[], dict[str, float]] = dict) -> None:
    """In the child: answer from a thread of its own, with `counts` beside; call `stop` at the end of the input."""
    threading.Thread(target=_obey, args=(stop, counts), name="bench", daemon=True).start()


def _obey(stop: Callable[[], None], counts: Callable[[], dict[str, float]]) -> None:
    for _line in sys.stdin:
        print(json.dumps({"cpu": {"all": time.process_time(), **_by_thread(), **counts()}}), flush=True)
    stop()


def _by_thread() -> dict[str, float]:
    found: dict[str, float] = {}
    for thread in threading.enumerate():
        if thread.ident is not None:
            clock = time.pthread_getcpuclockid(thread.ident)
            found[thread.name] = time.clock_gettime(clock)
    return found


def cpu_of(pid: int) -> float:
    """Seconds of CPU that another program has used, from Linux' /proc; 0 elsewhere."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0  # proc(5): utime, stime


def cpu_of_tree(pid: int) -> float:
    """The same of a program and its children, those included that have ended."""
    fields = _stat(pid)
    ended = (int(fields[13]) + int(fields[14])) / _TICKS if fields else 0.0  # proc(5): cutime, cstime
    children = Path(f"/proc/{pid}/task/{pid}/children")
    living = children.read_text().split() if children.exists() else []
    return cpu_of(pid) + ended + sum(cpu_of_tree(int(child)) for child in living)


def parent_of(pid: int) -> int:
    """Process id of the parent; 0 where there is no /proc."""
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def _stat(pid: int) -> list[str]:
    """proc(5) /proc/pid/stat from field 3 on; empty where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
