"""A journal without room refuses the scan, loudly, and takes scans again once the bridge has its records."""

import json
import os
import signal
import time
from pathlib import Path

from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.twin.device import Twin

from tests.faults.balance import balanced
from tests.faults.site_with_terminals import CODES, SITE, Person, stage
from tests.system.waiting import until

_SECTORS = 8  # 12 records of 320 bytes in each, less what is kept back
_MOST = 120
_QUIET_MS = 1_000  # behind the last erase: the journal looks for work every 50 ms


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
        mark = twin.mark()
        os.kill(site.bridge.pid, signal.SIGCONT)
        balanced(site, person, within=60, heads=False)
        until(lambda: _is_prepared(twin, mark), "receipts, and flash erased for the records to come")
        before = len(person.kept)
        for _ in range(12):
            assert person.scan() == "kept"
        balanced(site, person, within=60)
        assert len(person.kept) == before + 12


def _is_prepared(twin: Twin, mark: int) -> bool:
    """Whether flash was erased since, and then nothing more was: all that the journal wants ready is so."""
    erased = [line["at"] for line in twin.trace(mark) if line["what"] == "flash" and line["op"] == "erase"]
    return bool(erased) and time.time() * 1000 - erased[-1] > _QUIET_MS
