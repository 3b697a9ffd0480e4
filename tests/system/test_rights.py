"""The generated rights, on real mosquitto: a device speaks and listens under its own name, and nobody else does."""

from collections.abc import Iterator

import pytest
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.demo.scenario import may_connect_without_certificate
from scanlatch_tools.stage import Stage

from host_bridge.wire import Outcome, digest
from tests.system.conftest import OTHER_SITE, SITE
from tests.system.ledger_view import LedgerView
from tests.system.raw_device import Places, RawDevice


@pytest.fixture(scope="module")
def raw(stage: Stage) -> Iterator[RawDevice]:
    with RawDevice(stage, "d-raw-rights", SITE) as made:
        yield made


def test_who_has_no_certificate_does_not_come_in(stage: Stage) -> None:
    assert not may_connect_without_certificate(stage)


def test_a_device_under_another_s_topic_is_refused_by_the_broker(
    stage: Stage, window: Desk, raw: RawDevice, codes: Iterator[str]
) -> None:
    forged = raw.peer.seal_scan_payload(b"forged")
    assert raw.publish(forged, device=window.device) == "Not authorized"
    assert raw.publish(b"{}", "status", device=window.device) == "Not authorized"
    assert raw.sell(next(codes)).outcome == Outcome.ACCEPTED  # went the same way later, so the first would be there
    with LedgerView(stage) as ledger:
        assert not ledger.quarantined(digest(forged))


@pytest.mark.parametrize("kind", ["verdict", "receipt", "command"])
def test_a_device_can_not_speak_for_the_bridge(raw: RawDevice, window: Desk, kind: str) -> None:
    assert raw.publish(b"forged", kind) == "Not authorized"
    assert raw.publish(b"forged", kind, device=window.device) == "Not authorized"


def test_a_device_hears_nothing_of_another(stage: Stage, raw: RawDevice, window: Desk, codes: Iterator[str]) -> None:
    with RawDevice(stage, "d-raw-ear", SITE) as ear:
        ear.listen(f"scanlatch/v1/+/{window.device}/+")
        ear.listen("#")
        assert window.hold_text(next(codes), frozenset({"accepted"})).answer == "accepted"
        assert ear.sell(next(codes)).outcome == Outcome.ACCEPTED
        assert {topic.split("/")[3] for topic in ear.topics()} == {ear.device}


def test_a_client_that_takes_another_s_name_does_not_throw_it_off(
    stage: Stage, raw: RawDevice, codes: Iterator[str]
) -> None:
    with RawDevice(stage, "d-raw-thief", SITE, client_id=raw.device) as thief:
        assert raw.sell(next(codes)).outcome == Outcome.ACCEPTED
        assert thief.sell(next(codes)).outcome == Outcome.ACCEPTED
        assert (raw.lost, thief.lost) == (0, 0)


def test_a_device_that_nobody_enrolled_gets_nothing_in_and_nothing_out(
    stage: Stage, raw: RawDevice, codes: Iterator[str]
) -> None:
    code = next(codes)
    with RawDevice(stage, "d-raw-stranger", None) as stranger:
        stranger.publish(stranger.scan(code))
        stranger.publish(stranger.head(), "head")
        assert raw.sell(code).outcome == Outcome.ACCEPTED
        assert stranger.topics() == []


def test_a_revoked_device_gets_nothing_in_and_nothing_out(stage: Stage, raw: RawDevice, codes: Iterator[str]) -> None:
    code = next(codes)
    with RawDevice(stage, "d-raw-revoked", OTHER_SITE) as lost:
        with Places(stage) as registry:
            registry.revoke(lost.device)
        lost.publish(lost.scan(code))
        lost.publish(lost.head(), "head")
        assert raw.sell(code).outcome == Outcome.ACCEPTED
        assert lost.topics() == []
        with LedgerView(stage) as ledger:
            assert ledger.arrivals(lost.device) == []
