"""Parts of a site are killed with `kill -9` under a stream of scans, at random and all at once; the books balance."""

import os
import random
from pathlib import Path

from tests.faults import plagues
from tests.faults.bad_day import Day, live_through
from tests.faults.person import Stream
from tests.faults.plagues import Plague
from tests.faults.wired_site import WiredSite

_FULL = os.environ.get("SCANLATCH_FULL") == "1"
_KILLS = 200 if _FULL else 10
_CODES = [f"8101235{number:013}" for number in range(40_000 if _FULL else 4_000)]  # more than are held up meanwhile


def test_the_books_balance_after_many_kills(tmp_path: Path) -> None:
    seed = int(os.environ.get("SCANLATCH_SEED") or random.SystemRandom().randrange(1 << 32))
    day = live_through(tmp_path, seed, _has_had_enough, _kills, codes=_CODES)
    assert len(day.done) >= _KILLS


def _has_had_enough(day: Day) -> bool:
    return len(day.done) >= _KILLS


def _kills(site: WiredSite, streams: list[Stream]) -> list[Plague]:
    return plagues.kills(site, streams)
