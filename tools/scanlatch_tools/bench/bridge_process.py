"""The bridge as a measured process: the same service as `scanlatch bridge run`."""

import signal
import sys
from pathlib import Path

import structlog
from prometheus_client import REGISTRY

from host_bridge.config import load
from host_bridge.service import Service
from scanlatch_tools.bench import child


def main(config: Path) -> None:
    """Run until the input ends."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    service = Service(load(config), child.ready)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who measures: our input ends with it
    child.obey(service.stop, _calls)
    service.run()


def _calls() -> dict[str, float]:
    made = (REGISTRY.get_sample_value("scanlatch_platform_calls_total", {"call": call}) for call in ("submit", "ask"))
    return {"calls": sum(one or 0.0 for one in made)}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
