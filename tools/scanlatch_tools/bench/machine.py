"""What the figures were measured on, and whether it had anything else to do."""

import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

_FLUSHES = 50
_PAGE = bytes(4096)


def described() -> dict[str, object]:
    """Processor, cores, system, Python, what the disk takes for a page and its fsync (median, ms), and the load of
    the last minute before the bench began.
    """
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
        "fsync_ms": round(_fsync_ms(), 2),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    for line in path.read_text().splitlines() if path.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _fsync_ms() -> float:
    took: list[float] = []
    with tempfile.TemporaryFile(prefix="scanlatch-bench-", buffering=0) as file:
        for _ in range(_FLUSHES):
            began = time.perf_counter()
            file.write(_PAGE)
            os.fsync(file.fileno())
            took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)
