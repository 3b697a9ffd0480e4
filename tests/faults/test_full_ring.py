"""What ends a sale in a long outage: a journal without room, or the site's policy; and that the bridge ends it."""

import json
import os
import signal
import time
from pathlib import Path

from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.twin.device import Twin

from tests.faults.balance import balanced
from tests.faults.site_with_terminals import CODES, SITE, Person, stage
from tests.system.waiting import switch_on, until, until_shown

_SECTORS = 8  # 12 records of 320 bytes in each, less what is kept back
_MOST = 120
_DAY_MS = 86_400_000
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


def test_where_the_site_locks_a_long_outage_refuses_sales_alone_until_the_bridge_is_heard(tmp_path: Path) -> None:
    with stage(tmp_path) as site:
        site.platform.know(CODES)
        settings = site.site.config.read_text()
        site.site.config.write_text(settings.replace("control_token", 'outage = "lock"\ncontrol_token', 1))
        twin = site.terminal("d-locks-01", SITE)
        Desk("d-locks-01", SITE, twin).wait_ready()
        person = Person(twin, iter(CODES))
        ends = frozenset({"kept", "full", "fault_refused", "locked"})
        assert person.scan(ends) == "kept"
        balanced(site, person, within=60, heads=False)
        os.kill(site.bridge.pid, signal.SIGSTOP)  # the broker goes on: that is not enough
        twin.kill()
        _count_on(twin, 10 * _DAY_MS)
        for _ in range(2):  # a restart unlocks nothing
            switch_on(twin)
            assert person.scan(ends) == "locked"
            twin.kill()
        switch_on(twin)
        mark = twin.mark()
        twin.scan(f"SL/{site.site.tokens[SITE]}/QUERY")
        until_shown(twin, "idle_query", mark)
        assert person.scan(ends) == "kept"
        mark = twin.mark()
        twin.scan(f"SL/{site.site.tokens[SITE]}/SALE")
        until_shown(twin, "idle_sale", mark)
        assert person.scan(ends) == "locked"
        os.kill(site.bridge.pid, signal.SIGCONT)
        until(lambda: person.scan(ends) == "kept", "a sale after the bridge's first word", 60)


def _count_on(twin: Twin, ms: int) -> None:
    """The terminal has counted so long an outage before its power went."""
    path = twin.folder / "nvs.json"
    stored = json.loads(path.read_text())
    (mine,) = (values for values in stored.values() if "boot" in values)
    mine["outage_lasts"] = ms.to_bytes(8, "little").hex()
    path.write_text(json.dumps(stored))
