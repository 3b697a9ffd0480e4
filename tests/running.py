"""Commands of the documents that go on until they are ended, as a person at a shell runs them."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.documents import environment

READY_S = 60.0
_END_S = 20.0
_PRESSES = (signal.SIGINT, signal.SIGABRT)  # Ctrl-C must do; the other says where it hangs, and fails the test


def elsewhere(command: str, ports: dict[str, int]) -> str:
    """The command with ports that are free on this machine: of an option given twice the last one counts."""
    if command.startswith("scanlatch site init"):
        return f"{command} --port {ports['broker']} --platform-url http://127.0.0.1:{ports['platform']}"
    if command.startswith("scanlatch platform run"):
        return f"{command} --port {ports['platform']} --admin-port {ports['knobs']}"
    if command.startswith("scanlatch platform knobs"):
        return f"{command} --admin-port {ports['knobs']}"
    return command.replace(".venv", sys.prefix)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def hears_ctrl_c() -> Generator[None]:
    """For the block: what a shell starts in the background ignores Ctrl-C, and so would all that it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Running:
    """A command that goes on until it is ended."""

    def __init__(self, command: str, folder: Path, ready: str | Callable[[], bool]) -> None:
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        self._command = command
        self._process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=folder,
            env={**environment(), "PYTHONFAULTHANDLER": "1"},
            text=True,
            start_new_session=True,
            **pipes,
        )
        self._said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._ready = ready

    def __enter__(self) -> "Running":
        try:
            self._wait(self._ready if callable(self._ready) else self._since(0, self._ready))
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def types(self, line: str, seen: str) -> None:
        """Type a line and wait until it says `seen`."""
        assert self._process.stdin
        at = len(self._said)
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        self._wait(self._since(at, seen))

    def mark(self) -> int:
        """How many lines it has said until now."""
        return len(self._said)

    def says(self, wanted: str, since: int) -> None:
        """Wait until it says `wanted`, or has since that mark."""
        self._wait(self._since(since, wanted))

    def end(self) -> None:
        """End it as Ctrl-C would, and all that it started."""
        if self._process.poll() is None:
            for number in _PRESSES:
                os.killpg(self._process.pid, number)
                try:
                    self._process.wait(_END_S)
                    break
                except subprocess.TimeoutExpired:
                    continue
            else:
                os.killpg(self._process.pid, signal.SIGKILL)
            assert self._process.wait() != -signal.SIGABRT, f"{self._command} did not end:\n{self._said[-60:]}"
        self._reader.join(10)

    def _since(self, at: int, wanted: str) -> Callable[[], bool]:
        return lambda: any(wanted in line for line in self._said[at:])

    def _wait(self, true: Callable[[], bool]) -> None:
        until = time.monotonic() + READY_S
        while not true():
            assert self._process.poll() is None, f"{self._command} ended:\n{''.join(self._said)}"
            assert time.monotonic() < until, f"{self._command} said only:\n{''.join(self._said)[-3000:]}"
            time.sleep(0.02)

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._said.append(line)
