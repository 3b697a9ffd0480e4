"""Certificates end while connections stand on them: those go on, the next one is refused, and renewal mends it."""

import os
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from scanlatch_tools import certificates, enrol
from scanlatch_tools import site as sites
from scanlatch_tools.broker import Mosquitto
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin.device import Twin, twin_board

from tests.faults.balance import balanced
from tests.faults.site_with_terminals import CODES, SITE, Person, stage, until_link
from tests.system.waiting import console, until, until_shown

_LIFE_S, _LONGEST_S = 20, 160  # of what is to end; doubled where the machine is too busy to connect within it
_DAY_S = 24 * 3600
_HOST = "127.0.0.1"
_ANSWERS = frozenset({"accepted", "rejected", "duplicate", "pending", "error"})
_BACK_S = 80  # a try that is under way, the longest wait, the next try
_FINAL_S = 75


@pytest.mark.soak
@pytest.mark.skipif(os.environ.get("SCANLATCH_FULL") != "1", reason="waits until they end: at full size")
def test_what_ends_in_the_middle_goes_on_and_is_refused_at_the_next_connect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, life_s = stage(tmp_path), _LIFE_S
    ends = _issue_services(site, life_s)
    with site:
        site.platform.know(CODES)
        codes = iter(CODES)
        with monkeypatch.context() as patch:
            _let_end(patch, life_s)
            old = Person(site.terminal("d-old-01", SITE), codes)
            last = datetime.now(UTC) + timedelta(seconds=life_s)
        new = Person(site.terminal("d-new-01", SITE), codes)
        while not _connected(old, new, ends):
            life_s *= 2
            assert life_s <= _LONGEST_S, "this machine is too busy"
            ends = _issue_services(site, life_s)
            _restart_broker(site)
            site.bridge.kill()
            site.bridge.start()
            with monkeypatch.context() as patch:
                _let_end(patch, life_s)
                _enrol(site, old.twin)
                last = datetime.now(UTC) + timedelta(seconds=life_s)
        time.sleep((last - datetime.now(UTC)).total_seconds() + 1)

        # What stands goes on.
        assert old.scan(_ANSWERS) == "accepted"
        assert new.scan(_ANSWERS) == "accepted"

        # The broker's has ended: nobody speaks to it.
        marks = {person: person.twin.mark() for person in (old, new)}
        _restart_broker(site)
        for person in (old, new):
            until_shown(person.twin, "link_refused", marks[person], 60)
            assert console(person.twin, "link")[-1] == {"event": "link", "online": False, "cause": "certificate"}
            assert person.scan(_ANSWERS) == "pending"
        until(lambda: "certificate has expired" in site.bridge.tail(10_000), "the bridge says why", 30)
        assert site.bridge.running

        # The broker's is renewed: who has a good one himself is taken, the others are not.
        told, new_told = len(console(old.twin, "link")), len(console(new.twin, "link"))
        _issue_broker(site, _DAY_S)
        _restart_broker(site)
        until_link(new.twin, new_told, online=True, within=_BACK_S)
        until_link(old.twin, told, online=False, within=_BACK_S)
        assert {one["cause"] for one in console(old.twin, "link")[told:]} == {"certificate"}
        assert old.scan(_ANSWERS) == "pending"
        assert new.scan(_ANSWERS) == "pending"  # no bridge hears it
        log = site.site.folder / "broker" / "mosquitto.log"
        until(lambda: "certificate" in log.read_text(errors="replace").lower(), "the broker says why", 30)

        # All are renewed, as docs/operations.md "Certificates" says.
        sites.renew(site.site.folder)
        site.bridge.kill()
        site.bridge.start()
        balanced(site, new, within=_FINAL_S + _BACK_S, heads=False)
        _enrol(site, old.twin)
        balanced(site, old, new, within=_FINAL_S + _BACK_S)
        assert (len(old.kept), len(new.kept)) == (len(old.held), len(new.held))


def _let_end(patch: pytest.MonkeyPatch, life_s: float) -> None:
    """A terminal that is enrolled now gets a certificate that ends soon."""
    patch.setattr(certificates, "issue_client", partial(certificates.issue_client, days=life_s / _DAY_S))  # type: ignore[call-arg]


def _connected(old: Person, new: Person, ends: datetime) -> bool:
    """Whether both terminals and the bridge stand on a link before anything has ended."""
    for person in (old, new):
        Desk(person.device, SITE, person.twin).wait_ready(60)
        while person.scan(_ANSWERS) != "accepted":  # the bridge may be just connecting
            time.sleep(0.1)
    return datetime.now(UTC) < ends


def _enrol(site: Stage, twin: Twin) -> None:
    """Enrol a terminal again under its id, and wait until its link stands."""
    if twin.running:
        twin.kill()
    enrol.enrol(site.site.folder, twin, twin.folder.name, SITE, twin_board(twin.engine.simulator))
    mark, told = twin.mark(), len(console(twin, "engine"))
    twin.start()
    Desk(twin.folder.name, SITE, twin).wait_online(30, mark)
    twin.wait_engine(30, told)


def _restart_broker(site: Stage) -> None:
    assert isinstance(site.broker, Mosquitto)
    site.broker.kill()
    site.broker.start()


def _issue_services(site: Stage, life_s: float) -> datetime:
    """Give broker and bridge certificates that end in so many seconds; when that is."""
    ends = datetime.now(UTC) + timedelta(seconds=life_s - 1)  # they count in whole seconds
    _issue_broker(site, life_s)
    folder, days = site.site.folder, life_s / _DAY_S
    public = certificates.read_key(folder / "bridge" / "bridge.key").public_key()
    ca_key = certificates.read_key(folder / "ca" / "ca.key")
    made = certificates.issue_client(site.site.ca(), ca_key, public, "bridge", days)  # type: ignore[arg-type]
    certificates.write_certificate(folder / "bridge" / "bridge.pem", made)
    return ends


def _issue_broker(site: Stage, life_s: float) -> None:
    folder, days = site.site.folder, life_s / _DAY_S
    public = certificates.read_key(folder / "broker" / "broker.key").public_key()
    ca_key = certificates.read_key(folder / "ca" / "ca.key")
    made = certificates.issue_server(site.site.ca(), ca_key, public, [_HOST], days)  # type: ignore[arg-type]
    certificates.write_certificate(folder / "broker" / "broker.pem", made)
