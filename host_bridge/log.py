"""The bridge's log: one JSON line an event, to standard output; a log that takes nothing stops no bridge."""

import sys
import threading
from typing import Any, TextIO

import structlog

from host_bridge import metrics


def as_json(out: TextIO | None = None) -> None:
    """From now on every event is a line of `out`, standard output where it is not given."""
    lines = _Lines(out or sys.stdout)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )


class _Lines:
    """A disk that is full, a reader that is gone or a terminal without the characters is no reason to end."""

    def __init__(self, to: TextIO) -> None:
        self._to = to
        self._lock = threading.Lock()

    def msg(self, line: str) -> None:
        """Write one line, whole, at once."""
        encoding = self._to.encoding or "utf-8"
        line = line.encode(encoding, "backslashreplace").decode(encoding)
        try:
            with self._lock:
                self._to.write(line + "\n")
                self._to.flush()
        except (OSError, ValueError):  # ValueError: it was closed
            metrics.not_logged.inc()

    def __getattr__(self, level: str) -> Any:
        return self.msg
