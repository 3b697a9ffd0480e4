"""Reads a twin's trace: every output of the device, one JSON line each, as it is written."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _

Line = dict[str, Any]

POLL_S = 0.002


class TraceTimeoutError(ToolError):
    """What was waited for did not come; the message has the last lines."""


class Trace:
    """Lines of a trace file; "n" in each is its number, from 0. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[Line] = []
        self._last: dict[str, Line] = {}  # the newest of each kind
        self._rest = b""
        self._offset = 0
        self._lock = threading.Lock()

    def lines(self, after: int = 0) -> list[Line]:
        """The lines from number `after` on."""
        self._read()
        return self._lines[after:]

    def count(self) -> int:
        """How many lines there are: what comes next has this number."""
        self._read()
        return len(self._lines)

    def last(self, what: str) -> Line | None:
        """The newest line of a kind."""
        self._read()
        return self._last.get(what)

    def wait_for(
        self,
        wanted: Callable[[Line], bool],
        timeout: float,
        after: int = 0,
        check: Callable[[], None] | None = None,
    ) -> Line:
        """The first line from number `after` on that is `wanted`.

        Args:
            timeout: seconds.
            check: called while waiting; raises where waiting on is no use.

        Raises:
            TraceTimeoutError: none came in time.
        """
        end = time.monotonic() + timeout
        at = after
        while True:
            self._read()
            while at < len(self._lines):
                if wanted(self._lines[at]):
                    return self._lines[at]
                at += 1
            if time.monotonic() >= end:
                raise TraceTimeoutError(
                    _("not within {timeout} s; the trace ends with\n{tail}").format(timeout=timeout, tail=self.tail())
                )
            if check:
                check()
            time.sleep(POLL_S)

    def add(self, what: str, **fields: object) -> None:
        """Append a line of the launcher's own; `at` is UTC ms, as in the device's."""
        line = json.dumps({"what": what, **fields, "at": round(time.time() * 1000, 3)})
        with self._path.open("ab", buffering=0) as file:
            file.write(line.encode() + b"\n")

    def tail(self, count: int = 12) -> str:
        """The last lines, as text."""
        return "\n".join(json.dumps(line) for line in self._lines[-count:])

    def _read(self) -> None:
        with self._lock:
            try:
                if self._path.stat().st_size <= self._offset:
                    return
                with self._path.open("rb") as file:
                    file.seek(self._offset)
                    new = file.read()
            except FileNotFoundError:
                return
            self._offset += len(new)
            *whole, self._rest = (self._rest + new).split(b"\n")
            for line in whole:
                made: Line = {**json.loads(line), "n": len(self._lines)}
                self._lines.append(made)
                self._last[made["what"]] = made
