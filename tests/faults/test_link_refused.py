"""A broker that is not ours, or is not any more, is never spoken to: the light says so, the console says why."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from cryptography import x509
from scanlatch_tools import boards, certificates, enrol, site
from scanlatch_tools.broker import Mosquitto, free_port
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.twin.device import Twin

from tests.system.waiting import console, until, until_shown

_HOST = "127.0.0.1"
_EXPIRED_DAYS = -1 / 48  # half an hour ago; the CA's own begin is an hour back


@dataclass(frozen=True)
class Place:
    site: site.Site
    twin: Twin

    def issue(self, hosts: tuple[str, ...] = (_HOST,), days: float = 30, by: site.Site | None = None) -> None:
        """Give the broker another certificate for its key."""
        issuer = by or self.site
        key = certificates.read_key(self.site.folder / "broker" / "broker.key").public_key()
        ca_key = certificates.read_key(issuer.folder / "ca" / "ca.key")
        made: x509.Certificate = certificates.issue_server(issuer.ca(), ca_key, key, hosts, days)  # type: ignore[arg-type]
        certificates.write_certificate(self.site.folder / "broker" / "broker.pem", made)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("refused")
    made = site.create(folder / "site", ["clinic-7"], port=free_port())
    with Twin(folder / "d-window-01") as twin:
        enrol.enrol(made.folder, twin, "d-window-01", "clinic-7", boards.load("twin"))
        yield Place(made, twin)


def _expired(place: Place) -> None:
    place.issue(days=_EXPIRED_DAYS)


def _for_another_host(place: Place) -> None:
    place.issue(hosts=("broker.elsewhere.example",))


def _by_another_ca(place: Place) -> None:
    place.issue(by=site.create(place.site.folder.parent / "rogue", ["clinic-7"], port=1))


@pytest.mark.parametrize("wrong", [_expired, _for_another_host, _by_another_ca])
def test_a_broker_with_a_wrong_certificate_is_refused(place: Place, wrong: Callable[[Place], None]) -> None:
    wrong(place)
    twin = place.twin
    mark, told = twin.mark(), len(console(twin, "link"))
    with Mosquitto(place.site):
        twin.start()
        try:
            until_shown(twin, "link_refused", mark)
            until(lambda: len(console(twin, "link")) > told, "a line about the link")
            assert {(link["online"], link["cause"]) for link in console(twin, "link")[told:]} == {
                (False, "certificate")
            }
        finally:
            twin.kill()


def test_the_same_terminal_links_up_with_the_right_one(place: Place) -> None:
    place.issue()
    twin, mark = place.twin, place.twin.mark()
    with Mosquitto(place.site):
        twin.start()
        Desk("d-window-01", "clinic-7", twin).wait_online(after=mark)
        twin.kill()


def test_a_broker_that_does_not_know_our_ca_refuses_us(place: Place) -> None:
    place.issue()
    other = place.site.folder.parent / "rogue" / "ca" / "ca.pem"
    ours = place.site.folder / "ca" / "ca.pem"
    kept = ours.read_bytes()
    ours.write_bytes(other.read_bytes())
    twin, mark = place.twin, place.twin.mark()
    try:
        with Mosquitto(place.site):
            twin.start()
            until_shown(twin, "link_refused", mark)
            twin.kill()
    finally:
        ours.write_bytes(kept)
