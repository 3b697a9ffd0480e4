"""The bridge as a measured process: the same service as `scanlatch bridge run`."""

import signal
import sys
import threading
import time
from pathlib import Path

import structlog
from prometheus_client import REGISTRY

from host_bridge.config import load
from host_bridge.replies import Replies
from host_bridge.service import Service
from host_bridge.work import After
from scanlatch_tools.bench import child
from scanlatch_tools.bench.profiling import Profiler

_SETTLING = "outbox"  # name of the thread that settles
_verdicts_s = 0.0


def main(config: Path, profile: Path | None = None) -> None:
    """Run until the input ends; with `profile`, write where the time went into that folder."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    Replies.send = _timed  # a verdict is a scan's cost, whichever thread seals it
    profiler = Profiler(profile) if profile else None
    service = Service(load(config), child.ready)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who measures: our input ends with it
    child.obey(service.stop, _counts)
    service.run()
    if profiler:
        profiler.write()


_send = Replies.send


def _timed(self: Replies, after: After, **options: bool) -> None:
    global _verdicts_s  # noqa: PLW0603  # one thread adds to it
    began = time.thread_time()
    _send(self, after, **options)
    if threading.current_thread().name == _SETTLING:
        _verdicts_s += time.thread_time() - began


def _counts() -> dict[str, float]:
    made = (REGISTRY.get_sample_value("scanlatch_platform_calls_total", {"call": call}) for call in ("submit", "ask"))
    return {"calls": sum(one or 0.0 for one in made), "verdicts": _verdicts_s}


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
