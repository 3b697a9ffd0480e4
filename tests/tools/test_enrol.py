"""Enrolment seen from the host: a terminal that lies, repeats itself or breaks off."""

import json
import re
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from scanlatch_tools import boards, certificates, enrol, site

from host_bridge.devices import Registry, load_agreement_key
from host_bridge.ledger import open_ledger
from host_bridge.ledger.devices import DeviceRow
from host_bridge.wire import derive

_SITE, _ID = "clinic-7", "d-window-01"


class Terminal:
    """A terminal on paper: keeps its keys as the firmware does, and misbehaves where told."""

    def __init__(self, device: str = _ID) -> None:
        self.device = device
        self.signing, self.agreement, self.tls = (certificates.new_key() for _ in range(3))
        self.request_name = device
        self.request_key = self.tls
        self.files: dict[str, bytes] = {}
        self.ran: list[str] = []
        self.breaks_off = False
        self.changed: dict[str, str] = {}

    def run(self, code: str) -> str:
        self.ran.append(code)
        if "enrol.begin" in code:
            return f"booting\n{json.dumps({**self._publics(), **self.changed})}\n"
        if "enrol.finish" in code:
            return "Traceback: power\n" if self.breaks_off else "enrolled\n"
        return ""

    def put(self, path: str, data: bytes) -> None:
        self.files[path] = data

    def _publics(self) -> dict[str, str]:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.request_name)])
        builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
        request = builder.sign(self.request_key, hashes.SHA256())
        return {
            "device": self.device,
            "signing": certificates.public_point(self.signing).hex(),
            "agreement": certificates.public_point(self.agreement).hex(),
            "csr": request.public_bytes(serialization.Encoding.DER).hex(),
        }


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> site.Site:
    return site.create(tmp_path_factory.mktemp("enrol") / "site", [_SITE, "pharmacy-3"], hosts=["broker.clinic"])


def _enrol(place: site.Site, terminal: Terminal, device: str, where: str = _SITE) -> enrol.Enrolled:
    return enrol.enrol(place.folder, terminal, device, where, boards.load("twin"))


def _row(place: site.Site, device: str) -> DeviceRow:
    ledger = open_ledger(place.ledger_url)
    registry = Registry(ledger, load_agreement_key(place.folder / "bridge" / "agreement.key"))
    try:
        return registry.find(device)
    finally:
        ledger.close()


def test_terminal_gets_what_it_needs_and_the_registry_its_keys(place: site.Site) -> None:
    terminal = Terminal("d-all")
    done = _enrol(place, terminal, "d-all")
    given = json.loads(terminal.files["enrol.json"])
    row = _row(place, "d-all")

    assert done.anew
    assert (row.site, row.status) == (_SITE, "enrolled")
    assert row.signing_public == done.signing == certificates.public_point(terminal.signing)
    certificate = x509.load_der_x509_certificate(bytes.fromhex(given["certificate"]))
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(bytes.fromhex(given["ca"])))
    assert certificate.public_key() == terminal.tls.public_key()
    assert row.certificate == certificate.fingerprint(hashes.SHA256()).hex()
    bridge_key = load_agreement_key(place.folder / "bridge" / "agreement.key")
    ours = derive(bridge_key, certificates.public_point(terminal.agreement), "d-all")
    assert derive(terminal.agreement, bytes.fromhex(given["bridge_public"]), "d-all") == ours

    settings = given["settings"]
    not_before = int(certificate.not_valid_before_utc.timestamp() * 1000)
    assert settings["broker"]["host"] == settings["broker"]["name"] == "broker.clinic"
    assert settings["broker"]["not_before"] == not_before < given["floor"] < settings["broker"]["not_after"]
    assert settings["board"] == boards.compiled(boards.load("twin"))
    assert {key: settings[key] for key in ("v", "site", "device", "operation", "rules", "ntp")} == {
        "v": 1,
        "site": _SITE,
        "device": "d-all",
        "operation": "sale",
        "rules": {"token": place.tokens[_SITE]},
        "ntp": None,
    }


def test_a_terminal_takes_for_codes_what_its_site_does(tmp_path: Path) -> None:
    place = site.create(tmp_path / "site", [_SITE], hosts=["broker.clinic"])
    said = 'first_digit = "89"\nown_codes = ["MK{d10}"]\npersonal_codes = ["ZZ{d8}"]\nlink_codes = ["*/t/{code}"]\n'
    place.config.write_text(place.config.read_text().replace("control_token", said + "control_token"))
    terminal = Terminal("d-codes")
    _enrol(place, terminal, "d-codes")
    assert json.loads(terminal.files["enrol.json"])["settings"]["rules"] == {
        "first_digit": "89",
        "own": ["MK{d10}"],
        "personal": ["ZZ{d8}"],
        "links": ["*/t/{code}"],
        "token": place.tokens[_SITE],
    }


@pytest.mark.parametrize(
    ("said", "given"),
    [
        ("", {}),  # the firmware's own: it warns after a day
        ("outage_warn_hours = 4\noutage_lock_days = 3\n", {"warn_hours": 4}),
        ('outage = "lock"\n', {"lock_days": 10}),
        ('outage = "lock"\noutage_warn_hours = 48\noutage_lock_days = 3\n', {"warn_hours": 48, "lock_days": 3}),
    ],
)
def test_a_terminal_does_in_a_long_outage_what_its_site_says(tmp_path: Path, said: str, given: dict[str, int]) -> None:
    place = site.create(tmp_path / "site", [_SITE], hosts=["broker.clinic"])
    place.config.write_text(place.config.read_text().replace("control_token", said + "control_token"))
    terminal = Terminal("d-outage")
    _enrol(place, terminal, "d-outage")
    settings = json.loads(terminal.files["enrol.json"])["settings"]
    assert {key: settings[key] for key in ("warn_hours", "lock_days") if key in settings} == given


def test_no_private_key_is_asked_for_or_given(place: site.Site) -> None:
    terminal = Terminal("d-secret")
    _enrol(place, terminal, "d-secret")
    sent = b"".join(terminal.files.values()) + "".join(terminal.ran).encode()
    folder = place.folder
    for path in ("ca/ca.key", "bridge/bridge.key", "bridge/agreement.key", "broker/broker.key"):
        number = certificates.read_key(folder / path).private_numbers().private_value
        assert f"{number:064x}".encode() not in sent
    assert len(terminal.ran) == 2


def test_try_that_broke_off_is_mended_by_the_next(place: site.Site) -> None:
    terminal = Terminal("d-again")
    terminal.breaks_off = True
    with pytest.raises(enrol.EnrolError, match="run this again"):
        _enrol(place, terminal, "d-again")
    terminal.breaks_off = False
    done = _enrol(place, terminal, "d-again", "pharmacy-3")
    assert not done.anew
    row = _row(place, "d-again")
    assert (row.site, row.former_sites) == ("pharmacy-3", [_SITE])


def test_terminal_with_new_keys_is_a_new_terminal(place: site.Site) -> None:
    _enrol(place, Terminal("d-wiped"), "d-wiped")
    with pytest.raises(enrol.EnrolError, match="an id that was never used"):
        _enrol(place, Terminal("d-wiped"), "d-wiped")


def test_terminal_that_has_another_id_is_refused(place: site.Site) -> None:
    with pytest.raises(enrol.EnrolError, match="this terminal is 'd-one'"):
        _enrol(place, Terminal("d-one"), "d-two")


def test_revoked_terminal_stays_out(place: site.Site) -> None:
    terminal = Terminal("d-revoked")
    _enrol(place, terminal, "d-revoked")
    ledger = open_ledger(place.ledger_url)
    Registry(ledger, load_agreement_key(place.folder / "bridge" / "agreement.key")).revoke("d-revoked")
    ledger.close()
    with pytest.raises(enrol.EnrolError, match="revoked"):
        _enrol(place, terminal, "d-revoked")


@pytest.mark.parametrize("name", ["bridge", "bridge-2", "broker"])
def test_terminal_never_gets_the_name_of_a_service(place: site.Site, name: str) -> None:
    with pytest.raises(certificates.RequestRefusedError, match="no device id"):
        _enrol(place, Terminal(name), name)


def test_request_for_another_terminals_name_is_refused(place: site.Site) -> None:
    terminal = Terminal("d-liar")
    terminal.request_name = "d-all"
    with pytest.raises(certificates.RequestRefusedError, match="the request is for 'd-all'"):
        _enrol(place, terminal, "d-liar")


def test_one_key_used_twice_is_refused(place: site.Site) -> None:
    terminal = Terminal("d-stuck")
    terminal.agreement = terminal.signing
    with pytest.raises(enrol.EnrolError, match="one key twice"):
        _enrol(place, terminal, "d-stuck")
    terminal.agreement = certificates.new_key()
    terminal.request_key = terminal.signing
    with pytest.raises(enrol.EnrolError, match="one key twice"):
        _enrol(place, terminal, "d-stuck")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("signing", "00" * 65),
        ("signing", "04" + "11" * 64),
        ("signing", "xx"),
        ("csr", "30"),
        ("csr", "not hex"),
        ("device", 7),
        ("signing", None),
    ],
)
def test_answer_that_can_not_be_right_is_refused(place: site.Site, key: str, value: object) -> None:
    terminal = Terminal("d-odd")
    terminal.changed = {key: value}  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises((enrol.EnrolError, certificates.RequestRefusedError)):
        _enrol(place, terminal, "d-odd")


def test_certificate_request_signed_by_another_key_is_refused(place: site.Site) -> None:
    terminal = Terminal("d-forged")
    good = bytes.fromhex(terminal._publics()["csr"])
    terminal.changed = {"csr": (good[:-1] + bytes([good[-1] ^ 1])).hex()}
    with pytest.raises(certificates.RequestRefusedError):
        _enrol(place, terminal, "d-forged")


def test_request_for_another_curve_is_refused(place: site.Site) -> None:
    terminal = Terminal("d-curve")
    terminal.request_key = ec.generate_private_key(ec.SECP384R1())
    with pytest.raises(certificates.RequestRefusedError, match="not P-256"):
        _enrol(place, terminal, "d-curve")


def test_site_that_is_not_there_is_answered_with_those_that_are(place: site.Site) -> None:
    with pytest.raises(Exception, match=re.escape("clinic-7, pharmacy-3")):
        _enrol(place, Terminal(), _ID, "clinic-8")


def test_enrolment_without_the_ca_key_says_what_is_missing(place: site.Site, tmp_path: Path) -> None:
    key = place.folder / "ca" / "ca.key"
    key.rename(tmp_path / "ca.key")
    try:
        with pytest.raises(Exception, match=r"ca\.key is not there: put the key back"):
            _enrol(place, Terminal("d-later"), "d-later")
    finally:
        (tmp_path / "ca.key").rename(key)


def test_wifi_password_goes_to_the_store_of_keys(place: site.Site) -> None:
    terminal = Terminal("d-radio")
    enrol.enrol(place.folder, terminal, "d-radio", _SITE, boards.load("twin"), wifi=("clinic", 'it\'s "secret" 密'))
    given = json.loads(terminal.files["enrol.json"])
    assert given["settings"]["wifi"] == {"ssid": "clinic"}
    assert b"secret" not in terminal.files["enrol.json"]
    call = next(code for code in terminal.ran if "wifi_password" in code)
    stored: dict[str, bytes] = {}
    line = call.splitlines()[-1].replace("store.Nvs(board.nvs()).set_bytes", "keep")
    exec(line, {"keep": stored.__setitem__})
    assert stored == {"wifi_password": 'it\'s "secret" 密'.encode()}
