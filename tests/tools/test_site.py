"""A site's folder: whole or not at all, closed to others, and with certificates that a terminal accepts."""

import re
import sqlite3
import ssl
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from scanlatch_tools import broker, certificates, site
from scanlatch_tools.errors import ToolError

from host_bridge import config

_KEYS = ("ca/ca.key", "broker/broker.key", "bridge/bridge.key", "bridge/agreement.key", "release/release.key")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> site.Site:
    folder = tmp_path_factory.mktemp("site") / "made"
    return site.create(folder, ["clinic-7", "pharmacy-3"], hosts=["127.0.0.1", "broker.clinic", "::1"], port=18883)


def _request(name: str) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(certificates.new_key(), hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _all(made: site.Site) -> dict[str, x509.Certificate]:
    device = site.issue_device_certificate(made.folder, _request("d-window-01"))
    return {
        "ca": made.ca(),
        "broker": x509.load_pem_x509_certificate((made.folder / "broker" / "broker.pem").read_bytes()),
        "bridge": x509.load_pem_x509_certificate((made.folder / "bridge" / "bridge.pem").read_bytes()),
        "device": x509.load_der_x509_certificate(device),
    }


def test_every_certificate_carries_the_cas_own_not_before(made: site.Site) -> None:
    assert len({one.not_valid_before_utc for one in _all(made).values()}) == 1


def test_certificates_are_p256_version_3_with_random_serials(made: site.Site) -> None:
    found = _all(made)
    for one in found.values():
        key = one.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert isinstance(key.curve, ec.SECP256R1)
        assert one.version == x509.Version.v3
        assert one.serial_number.bit_length() > 64
        one.verify_directly_issued_by(found["ca"])
    assert len({one.serial_number for one in found.values()}) == len(found)


def test_each_site_has_a_control_token_of_its_own(made: site.Site) -> None:
    tokens = made.tokens
    assert list(tokens) == list(made.sites)
    assert len(set(tokens.values())) == len(tokens)
    assert all(re.fullmatch("[0-9A-HJKMNP-TV-Z]{6}", token) for token in tokens.values())
    assert {name: one.control_token for name, one in config.load(made.config).sites.items()} == tokens


def test_each_certificate_is_good_for_its_own_purpose_only(made: site.Site) -> None:
    found = _all(made)
    purposes = {
        name: list(found[name].extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        for name in ("broker", "bridge", "device")
    }
    assert purposes == {
        "broker": [ExtendedKeyUsageOID.SERVER_AUTH],
        "bridge": [ExtendedKeyUsageOID.CLIENT_AUTH],
        "device": [ExtendedKeyUsageOID.CLIENT_AUTH],
    }
    for name, one in found.items():
        basic = one.extensions.get_extension_for_class(x509.BasicConstraints)
        usage = one.extensions.get_extension_for_class(x509.KeyUsage)
        assert basic.critical
        assert usage.critical
        assert basic.value.ca == usage.value.key_cert_sign == (name == "ca")


def test_broker_is_known_by_every_name_it_was_given(made: site.Site) -> None:
    names = _all(made)["broker"].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["broker.clinic"]
    assert [str(name) for name in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]


def test_der_of_the_ca_is_its_pem(made: site.Site) -> None:
    assert x509.load_der_x509_certificate((made.folder / "ca" / "ca.der").read_bytes()) == made.ca()


def test_private_keys_are_readable_to_their_owner_alone(made: site.Site) -> None:
    for name in (*_KEYS, "ledger.sqlite", "bridge.toml"):
        assert stat.S_IMODE((made.folder / name).stat().st_mode) == 0o600, name
    for path in made.folder.rglob("*"):
        if path.is_file() and b"PRIVATE KEY" in path.read_bytes():
            assert str(path.relative_to(made.folder)) in _KEYS


def test_no_device_key_is_made(made: site.Site) -> None:
    assert sorted(str(path.relative_to(made.folder)) for path in made.folder.rglob("*.key")) == sorted(_KEYS)


def test_bridge_accepts_the_settings_and_the_ledger(made: site.Site) -> None:
    found = config.load(made.config)
    assert (found.mqtt.host, found.mqtt.port, found.mqtt.verify) == ("127.0.0.1", 18883, "127.0.0.1")
    assert set(found.sites) == {"clinic-7", "pharmacy-3"}
    assert found.ledger.url == made.ledger_url
    for path in (found.mqtt.ca, found.mqtt.certificate, found.mqtt.key, found.bridge.agreement_key):
        assert path is not None
        assert path.is_file()
    with sqlite3.connect(made.folder / "ledger.sqlite") as ledger:
        assert ledger.execute("SELECT count(*) FROM devices").fetchone() == (0,)


@pytest.mark.parametrize(("chosen", "version", "shared"), [("mosquitto", "5", False), ("amqtt", "3.1.1", False)])
def test_bridge_speaks_what_the_chosen_broker_understands(
    tmp_path: Path, chosen: site.Broker, version: str, shared: bool
) -> None:
    found = config.load(site.create(tmp_path / "site", ["a"], broker=chosen).config)
    assert (found.mqtt.version, found.mqtt.shared) == (version, shared)


def test_mosquitto_starts_with_the_configuration_and_without_complaint(tmp_path: Path) -> None:
    made = site.create(tmp_path / "site", ["clinic-7"], port=broker.free_port())
    with broker.Mosquitto(made):
        pass
    log = (made.folder / "broker" / "mosquitto.log").read_text()
    assert [line for line in log.splitlines() if "Error" in line or "Invalid" in line or "deprecated" in line] == []


def test_limits_of_the_broker_are_set_and_named(made: site.Site) -> None:
    text = (made.folder / "mosquitto.conf").read_text()
    lines = dict(line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#"))
    assert {
        "allow_anonymous": "false",
        "require_certificate": "true",
        "use_identity_as_username": "true",
        "use_username_as_clientid": "true",
        "set_tcp_nodelay": "true",
        "max_inflight_messages": "1000",
        "max_queued_bytes": "67108864",
        "max_packet_size": "8192",
        "persistence": "true",
    }.items() <= lines.items()


def test_broker_of_other_machines_listens_to_them(tmp_path: Path) -> None:
    made = site.create(tmp_path / "site", ["clinic-7"], hosts=["192.168.7.10"])
    assert "\nlistener 8883\n" in (made.folder / "mosquitto.conf").read_text()


def test_second_init_refuses_and_changes_nothing(made: site.Site) -> None:
    before = {path: path.read_bytes() for path in made.folder.rglob("*") if path.is_file()}
    with pytest.raises(site.SiteExistsError, match="scanlatch site renew"):
        site.create(made.folder, ["clinic-7"])
    assert {path: path.read_bytes() for path in made.folder.rglob("*") if path.is_file()} == before


def test_folder_that_is_there_but_empty_is_used(tmp_path: Path) -> None:
    assert site.create(tmp_path, ["clinic-7"]).folder == tmp_path.resolve()


def test_init_that_broke_off_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(certificates, "write_certificate", full)  # a disk that is full
    with pytest.raises(ToolError, match="site can't be made: no space"):
        site.create(tmp_path / "site", ["clinic-7"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sites": ["Clinic"]}, "1 to 32 of a-z"),
        ({"sites": ["a" * 33]}, "1 to 32 of a-z"),
        ({"sites": ["a\n"]}, "1 to 32 of a-z"),
        ({"sites": []}, "at least one site"),
        ({"sites": ["a", "a"]}, "named twice"),
        ({"hosts": ["a b"]}, "neither a host name nor an address"),
        ({"hosts": []}, "the broker's host"),
        ({"port": 0}, "no port"),
        ({"platform_url": "ftp://x"}, "no http or https"),
        ({"institution": "H1"}, "12 of A-Z"),
    ],
)
def test_name_that_can_not_be_used_is_refused_before_anything_is_made(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    with pytest.raises(ToolError, match=said):
        site.create(tmp_path / "site", **{"sites": ["clinic-7"], **change})  # pyright: ignore[reportArgumentType]
    assert list(tmp_path.iterdir()) == []


def test_renewal_keeps_keys_names_and_not_before(tmp_path: Path) -> None:
    made = site.create(tmp_path / "site", ["clinic-7"], hosts=["broker.clinic", "10.0.0.7"])
    before, keys = _all(made), [(made.folder / name).read_bytes() for name in _KEYS]
    site.renew(made.folder)
    after = _all(made)
    assert [(made.folder / name).read_bytes() for name in _KEYS] == keys
    for name in ("broker", "bridge"):
        assert after[name].serial_number != before[name].serial_number
        assert after[name].public_key() == before[name].public_key()
        assert after[name].not_valid_before_utc == before["ca"].not_valid_before_utc
    names = [one["broker"].extensions.get_extension_for_class(x509.SubjectAlternativeName) for one in (before, after)]
    assert names[0] == names[1]
    assert after["broker"].not_valid_after_utc - before["ca"].not_valid_before_utc > timedelta(days=700)


@pytest.mark.parametrize("name", ["bridge", "bridge-9", "broker", "Window", "a/b", "a" * 33, "#"])
def test_certificate_for_a_name_with_other_rights_is_refused(made: site.Site, name: str) -> None:
    with pytest.raises(certificates.RequestRefusedError, match="no device id"):
        site.issue_device_certificate(made.folder, _request(name))


def test_folder_that_is_no_site_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(site.NotASiteError, match=r"scanlatch site init .* --site NAME"):
        site.load(tmp_path)
    (tmp_path / "bridge.toml").write_text("[mqtt]\n")
    with pytest.raises(site.NotASiteError, match="is not as `scanlatch site init` makes it"):
        site.load(tmp_path)


def test_tls_stands_between_bridge_and_broker(made: site.Site) -> None:
    folder = made.folder
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "broker" / "broker.pem", folder / "broker" / "broker.key")
    server.load_verify_locations(folder / "ca" / "ca.pem")
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl.create_default_context(cafile=str(folder / "ca" / "ca.pem"))
    client.load_cert_chain(folder / "bridge" / "bridge.pem", folder / "bridge" / "bridge.key")
    for name in ("127.0.0.1", "broker.clinic"):
        assert _handshake(server, client, name) == "bridge"
    with pytest.raises(ssl.SSLCertVerificationError, match=r"doesn't match|mismatch"):
        _handshake(server, client, "elsewhere.clinic")


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> str:
    """Common name that the server saw."""
    there, here = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(here, there, server_hostname=name)
    theirs = server.wrap_bio(there, here, server_side=True)
    waiting = [ours, theirs]
    for _ in range(10):
        for side in list(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                continue
        if not waiting:
            break
    subject = theirs.getpeercert()["subject"]  # pyright: ignore[reportOptionalSubscript, reportTypedDictNotRequiredAccess]
    return str(dict(part[0] for part in subject)["commonName"])  # pyright: ignore


def _scanlatch(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scanlatch_tools.cli", *arguments], capture_output=True, text=True, check=False
    )


def test_command_makes_a_site_once_and_says_what_comes_next(tmp_path: Path) -> None:
    first = _scanlatch("site", "init", str(tmp_path / "s"), "--site", "clinic-7", "--site", "pharmacy-3")
    assert first.returncode == 0, first.stderr
    assert f"mosquitto -c {tmp_path}/s/mosquitto.conf" in first.stdout
    assert site.load(tmp_path / "s").sites == ("clinic-7", "pharmacy-3")
    second = _scanlatch("site", "init", str(tmp_path / "s"), "--site", "clinic-7")
    assert second.returncode == 1
    assert re.match(r"scanlatch: .* is not empty", second.stderr)
    assert _scanlatch("site", "renew", str(tmp_path / "s")).returncode == 0
    assert _scanlatch("site", "init", str(tmp_path / "t"), "--site", "a", "--broker", "x").returncode == 1


def test_two_inits_at_once_make_one_site(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scanlatch_tools.cli", "site", "init", str(tmp_path / "s"), "--site", "a"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    for one in both:
        one.communicate(timeout=60)
    assert sorted(one.returncode for one in both) == [0, 1]
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
    site.load(tmp_path / "s")
