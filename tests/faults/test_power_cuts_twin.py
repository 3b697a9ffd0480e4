"""Power fails inside a flash operation of a whole terminal that is being scanned at: what was shown as kept is sold."""

from pathlib import Path

from tests.faults.balance import balanced
from tests.faults.site_with_terminals import CODES, SITE, Person, stage
from tests.system.waiting import switch_on

CUTS = ["1:lost", "9:lost", "2:half", "14:half", "3:garbage", "7:garbage", "4:unstable", "5:unstable", "19:unstable"]
_MOST_SCANS = 30
_DIED = 99


def test_what_was_shown_as_kept_outlives_every_cut(tmp_path: Path) -> None:
    with stage(tmp_path) as site:
        site.platform.know(CODES)
        twin = site.terminal("d-cut-01", SITE)
        person = Person(twin, iter(CODES))
        for cut in CUTS:
            twin.kill()
            twin.cut, mark = cut, twin.mark()
            switch_on(twin)
            for _ in range(_MOST_SCANS):
                if person.scan() == "dark":
                    break
            assert twin.wait_until_ended(10) == _DIED, cut
            twin.cut = None
            twin.kill()
            switch_on(twin)
            assert person.scan() == "kept", cut
            assert any(line["what"] == "cut" for line in twin.trace(mark)), cut
        balanced(site, person, within=40)
