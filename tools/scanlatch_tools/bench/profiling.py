"""Where a bridge's CPU time goes: cProfile in each of its threads, on the clock of that thread's own CPU."""

import cProfile
import pstats
import threading
import time
from pathlib import Path
from typing import Any

_ROWS = 45


class Profiler:
    """Watches the thread that makes it, and all started after it. A watched run is slower: only its shares count."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._profiles: dict[str, cProfile.Profile] = {}
        threading.setprofile(self._begin)
        self._watch()

    def write(self) -> None:
        """Write `<thread>.prof` for pstats, and `<thread>.txt` to read; call it when the other threads have ended."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for name, profile in self._profiles.items():
            profile.create_stats()
            profile.dump_stats(self._folder / f"{name}.prof")
            with (self._folder / f"{name}.txt").open("w") as text:
                stats = pstats.Stats(profile, stream=text).strip_dirs()
                stats.sort_stats("cumulative").print_stats(_ROWS)
                stats.sort_stats("tottime").print_stats(_ROWS)

    def _begin(self, _frame: Any, _event: str, _argument: Any) -> None:
        self._watch()  # takes this function's place as the thread's profiler

    def _watch(self) -> None:
        name = threading.current_thread().name.replace("/", "-")
        self._profiles[name] = profile = cProfile.Profile(time.thread_time)
        profile.enable()
