"""Keys and certificates renewed while a terminal works: over the air, and without a connection lost."""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from scanlatch_tools import certificates, renew
from scanlatch_tools.cli import app
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.fleet import rotate
from scanlatch_tools.stage import Stage
from typer.testing import CliRunner, Result

from host_bridge.clock import SystemClock
from host_bridge.ledger import Ledger, commands, devices
from tests.system.conftest import SITE
from tests.system.ledger_view import LedgerView
from tests.system.waiting import console, until

_BUSY_S = 90  # a command leaves within 10 s, and is carried out once nobody has scanned for 3
_TRAILER = 4  # bytes: the CRC behind a file's data


@pytest.fixture(scope="module")
def desk(stage: Stage) -> Iterator[Desk]:
    made = Desk("d-keys-01", SITE, stage.terminal("d-keys-01", SITE))
    made.wait_ready()
    yield made
    made.twin.stop()


def _run(stage: Stage, part: str, *arguments: str) -> Result:
    config = ["--config", str(stage.site.config)] if part in ("fleet", "bridge") else []
    return CliRunner().invoke(app(part), [part, *arguments, *config])


def _row(stage: Stage, device: str) -> devices.DeviceRow:
    with LedgerView(stage) as ledger:
        row = ledger.read(lambda connection: devices.get(connection, device))
    assert row is not None
    return row


def _certificate(desk: Desk) -> bytes:
    return (desk.twin.files / "device.der").read_bytes()[:-_TRAILER]


def _sells(desk: Desk, codes: Iterator[str]) -> bool:
    return desk.hold_text(next(codes), frozenset({"accepted", "pending", "rejected"})).answer == "accepted"


def _answer(ledger: LedgerView, device: str, counter: int) -> str:
    """What a terminal says to a command, once it does."""

    def told() -> tuple[str, dict[str, object]] | None:
        return ledger.read(lambda connection: commands.told(connection, device, counter))

    until(told, "a reply", _BUSY_S)
    found = told()
    return found[0] if found else ""


def _send(stage: Stage, desk: Desk, **certificate: bytes) -> str:
    """The terminal's answer to a certificate."""
    with LedgerView(stage) as ledger:
        counter = ledger.command(desk.device, "settings", dict(certificate), SystemClock().now())
        return _answer(ledger, desk.device, counter)


def test_a_certificate_that_cannot_be_this_terminals_is_refused(stage: Stage, desk: Desk) -> None:
    ca, ca_key = stage.site.ca(), certificates.read_key(stage.site.folder / "ca" / "ca.key")
    mine = x509.load_der_x509_certificate(_certificate(desk)).public_key()
    assert isinstance(mine, ec.EllipticCurvePublicKey)
    other = certificates.new_key().public_key()
    wrong = [
        _certificate(desk)[:-1],
        certificates.issue_client(ca, ca_key, other, desk.device).public_bytes(Encoding.DER),
        certificates.issue_client(ca, ca_key, mine, "d-keys-02").public_bytes(Encoding.DER),
        certificates.issue_client(ca, ca_key, mine, desk.device, days=900).public_bytes(Encoding.DER),
    ]
    with LedgerView(stage) as ledger:
        now = SystemClock().now()
        counters = [ledger.command(desk.device, "settings", {"certificate": one}, now) for one in wrong]
        said = [_answer(ledger, desk.device, one) for one in counters]
    assert said == [
        "certificate: not DER",
        "certificate: for another key",
        "certificate: for another terminal",
        "certificate: ends before the one in use",
    ]


def test_a_certificate_that_the_broker_refuses_is_given_up_again(
    stage: Stage, desk: Desk, codes: Iterator[str]
) -> None:
    foreign = certificates.new_key()
    mine = x509.load_der_x509_certificate(_certificate(desk)).public_key()
    assert isinstance(mine, ec.EllipticCurvePublicKey)
    made = certificates.issue_client(certificates.make_ca(foreign, "another"), foreign, mine, desk.device, days=3_000)
    before, links = _certificate(desk), len(console(desk.twin, "link"))
    assert _send(stage, desk, certificate=made.public_bytes(Encoding.DER)) == "ok"
    until(lambda: console(desk.twin, "certificate"), "the broker's refusal", _BUSY_S)
    until(lambda: console(desk.twin, "link")[links:][-1:] and console(desk.twin, "link")[-1]["online"], "a link", 60)
    assert "error" in console(desk.twin, "certificate")[-1]
    assert (_certificate(desk), (desk.twin.files / "next.der").exists()) == (before, False)
    assert _sells(desk, codes)


def test_a_certificate_is_renewed_over_the_air(stage: Stage, desk: Desk, codes: Iterator[str]) -> None:
    before = x509.load_der_x509_certificate(_certificate(desk))
    done = _run(stage, "fleet", "renew", desk.device)
    assert done.exit_code == 0, done.output
    after = x509.load_der_x509_certificate(_certificate(desk))
    assert after.serial_number != before.serial_number
    assert after.public_key() == before.public_key()
    assert after.not_valid_before_utc == stage.site.ca().not_valid_before_utc
    assert _row(stage, desk.device).certificate_until == int(after.not_valid_after_utc.timestamp() * 1000)
    assert desk.twin.restarts == 0
    assert _sells(desk, codes)


def test_a_new_bridge_key_is_taken_by_a_terminal_that_connects_anew(
    stage: Stage, desk: Desk, codes: Iterator[str]
) -> None:
    made = _run(stage, "fleet", "rotate")
    assert made.exit_code == 0, made.output
    old, new = rotate.state(stage.site.config)
    assert (desk.device in old.terminals, new.terminals) == (True, [])
    again = _run(stage, "fleet", "rotate")
    assert again.exit_code == 1
    assert [one.newest for one in rotate.state(stage.site.config)] == [False, True]
    until(lambda: '"event": "bridge keys"' in (stage.folder / "bridge.log").read_text(), "the bridge sees it", 60)
    _run(stage, "bridge", "command", desk.device, "restart")
    until(lambda: desk.device in rotate.state(stage.site.config)[1].terminals, "the terminal goes over", _BUSY_S)
    desk.wait_ready()
    assert _sells(desk, codes)
    assert desk.device in _run(stage, "fleet", "rotate", "--show", "--json").output


def test_broker_and_bridge_get_new_certificates_while_a_terminal_stays_online(
    stage: Stage, desk: Desk, codes: Iterator[str]
) -> None:
    folder, log = stage.site.folder, stage.folder / "bridge.log"
    old, links = renew.served(stage.site), len(console(desk.twin, "link"))
    connects = log.read_text().count('"event": "connected"')
    done = _run(stage, "site", "renew", str(folder))
    assert done.exit_code == 0, done.output
    new = renew.served(stage.site)
    assert old is not None
    assert new is not None
    assert new != old
    made = x509.load_der_x509_certificate(new)
    assert made.not_valid_before_utc == stage.site.ca().not_valid_before_utc
    assert made.extensions.get_extension_for_class(x509.SubjectAlternativeName) == (
        x509.load_der_x509_certificate(old).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    )
    assert _sells(desk, codes)
    os.kill(stage.bridges[0].pid, signal.SIGHUP)
    answers = [_sells(desk, codes) for _ in range(3)]  # while it connects anew, and behind
    until(lambda: log.read_text().count('"event": "connected"') > connects, "the bridge connects anew", 60)
    assert '"event": "certificate"' in log.read_text()
    assert _sells(desk, codes)
    assert len(answers) == 3
    with LedgerView(stage) as ledger:
        until(lambda: all(ledger.decided(desk.device)), "every record is decided", 60)
    assert console(desk.twin, "link")[links:] == []  # it never lost its link


def test_what_ends_within_sixty_days_is_told(stage: Stage, desk: Desk) -> None:
    soon = int((datetime.now(UTC) + timedelta(days=59)).timestamp() * 1000)

    def change(ledger: Ledger) -> None:
        with ledger.write() as connection:
            devices.change(connection, desk.device, certificate_until=soon)

    with LedgerView(stage) as view:
        view.use(change)
    done = _run(stage, "site", "certificates", str(stage.site.folder))
    assert done.exit_code == 1
    assert desk.device in done.output
    assert "58 days" in done.output
    assert "bridge.pem" in done.output
