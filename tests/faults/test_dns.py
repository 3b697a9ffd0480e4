"""Names resolve no more, then do again: terminal and bridge say so, keep what they have, and go on by themselves."""

import re
import threading
from pathlib import Path

import pytest
from scanlatch_tools import certificates
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.stage import Stage

from tests.faults.balance import balanced
from tests.faults.names import Names
from tests.faults.site_with_terminals import CODES, SITE, Person, stage, until_link
from tests.system.waiting import console, switch_on, until

_BROKER, _PLATFORM = "broker.clinic.example", "platform.clinic.example"
_ANSWERS = frozenset({"accepted", "rejected", "duplicate", "pending", "error"})
_BACK_S = 80  # a try that is under way, the longest wait, the next try
_FINAL_S = 75


def test_names_that_are_gone_hold_up_and_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(tmp_path, monkeypatch)
    site = stage(tmp_path)
    _speak_in_names(site)
    with site:
        site.platform.know(CODES)
        twin = site.terminal("d-name-01", SITE)
        person, desk = Person(twin, iter(CODES)), Desk("d-name-01", SITE, twin)
        twin.kill()
        names.serve(twin)
        mark = twin.mark()
        switch_on(twin)
        desk.wait_online(60, mark)
        assert person.scan(_ANSWERS) == "accepted"

        names.take()
        site.platform.process.kill()  # the connection that stands would do without a name
        site.platform.process.start()
        assert person.scan(_ANSWERS) == "pending"
        until(lambda: '"platform gives no answer"' in site.bridge.tail(10_000), "the bridge misses the platform", 30)

        told = len(console(twin, "link"))
        site.broker.stop()
        until_link(twin, told, online=False, within=60)
        site.broker.start()
        until_link(twin, told, online=True, within=_BACK_S)  # it knows where the broker was
        until(lambda: "name resolution" in _about_broker(site), "the bridge misses the broker", 30)
        assert person.scan(_ANSWERS) == "pending"

        told, mark = len(console(twin, "link")), twin.mark()
        twin.kill()
        switch_on(twin)  # and knows nothing any more
        desk.wait_offline(60, mark)
        until_link(twin, told, online=False, within=30)
        assert {one["cause"] for one in console(twin, "link")[told:]} == {"name"}
        assert person.scan(_ANSWERS) == "pending"
        site.bridge.kill()
        start = threading.Thread(target=site.bridge.start)  # while nothing can be found
        start.start()
        until(lambda: site.bridge.running, "the bridge's process")

        told = len(console(twin, "link"))
        names.give()
        start.join()
        until_link(twin, told, online=True, within=_BACK_S)
        balanced(site, person, within=_FINAL_S)
        assert person.kept == person.held


def _speak_in_names(site: Stage) -> None:
    """Terminals and bridge are told names, not addresses; the broker's certificate bears its own."""
    place = site.site
    key = certificates.read_key(place.folder / "broker" / "broker.key").public_key()
    ca_key = certificates.read_key(place.folder / "ca" / "ca.key")
    made = certificates.issue_server(place.ca(), ca_key, key, [_BROKER, "127.0.0.1"])
    certificates.write_certificate(place.folder / "broker" / "broker.pem", made)
    settings = re.sub(r'(?m)^(host|verify) = "127\.0\.0\.1"', rf'\1 = "{_BROKER}"', place.config.read_text())
    place.config.write_text(settings.replace("http://127.0.0.1:", f"http://{_PLATFORM}:"))


def _about_broker(site: Stage) -> str:
    return "\n".join(line for line in site.bridge.tail(10_000).splitlines() if "broker cannot be reached" in line)
