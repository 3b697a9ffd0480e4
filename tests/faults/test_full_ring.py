"""A journal without room refuses the scan, loudly, and takes scans again once the bridge has its records."""

import json
import os
import signal
import time
from pathlib import Path

from scanlatch_tools.demo.desk import Desk

from tests.faults.site_with_terminals import CODES, SITE, Person, check_books, stage
from tests.system.waiting import until

_SECTORS = 8  # 12 records of 320 bytes in each, less what is kept back
_MOST = 120


def test_a_full_ring_refuses_and_recovers_after_receipts(tmp_path: Path) -> None:
    with stage(tmp_path) as site:
        site.platform.know(CODES)
        (site.folder / "d-full-01").mkdir()
        (site.folder / "d-full-01" / "twin.json").write_text(json.dumps({"sectors": _SECTORS}))
        twin = site.terminal("d-full-01", SITE)
        Desk("d-full-01", SITE, twin).wait_ready()
        person = Person(twin, iter(CODES))
        os.kill(site.bridge.pid, signal.SIGSTOP)  # it hangs: the broker takes records, no receipt comes
        answers = [person.scan()]
        while answers[-1] == "kept" and len(answers) < _MOST:
            answers.append(person.scan())
        assert answers[-1] == "full"
        assert person.scan() == "full"
        assert len(person.kept) >= 12
        os.kill(site.bridge.pid, signal.SIGCONT)
        check_books(site, twin, person.kept, 60)
        before = len(person.kept)
        for _ in range(12):
            until(lambda: _kept(person), "room: receipts have come, and a quiet moment to erase")
        check_books(site, twin, person.kept, 60)
        assert len(person.kept) == before + 12


def _kept(person: Person) -> bool:
    """Whether a scan was kept; after one that was not, the pause in which flash can be erased."""
    if person.scan() == "kept":
        return True
    time.sleep(0.6)
    return False
