"""A site with several bridges: a name, a certificate and settings for each, one ledger and one bridge key for all."""

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from scanlatch_tools import broker, certificates, site
from scanlatch_tools.errors import ToolError

from host_bridge import config
from host_bridge.devices import Registry, load_agreement_key
from host_bridge.ledger import open_ledger

_SEVERAL = ("bridge-1", "bridge-2", "bridge-3")


@pytest.fixture
def several(tmp_path: Path, database: str) -> site.Site:
    return site.create(tmp_path / "site", ["clinic-7"], port=broker.free_port(), bridges=3, ledger=database)


def test_each_of_several_bridges_has_a_certificate_and_settings_of_its_own(several: site.Site, database: str) -> None:
    assert several.bridges == _SEVERAL
    assert several.config == several.configs[0]
    found = [config.load(path) for path in several.configs]
    assert [one.mqtt.client_id for one in found] == list(_SEVERAL)
    assert {(one.mqtt.shared, one.mqtt.version, one.ledger.url) for one in found} == {(True, "5", database)}
    assert len({one.bridge.agreement_key for one in found}) == 1
    assert {one.sites["clinic-7"].control_token for one in found} == {several.tokens["clinic-7"]}
    for name, one in zip(_SEVERAL, found, strict=True):
        assert one.mqtt.certificate
        assert one.mqtt.key
        certificate = x509.load_pem_x509_certificate(one.mqtt.certificate.read_bytes())
        assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == name
        assert certificate.public_key() == certificates.read_key(one.mqtt.key).public_key()


def test_several_bridges_leave_no_file_of_a_lone_one_nor_a_key_open_to_others(several: site.Site) -> None:
    found = {str(path.relative_to(several.folder)) for path in several.folder.rglob("*") if path.is_file()}
    assert not found & {"bridge.toml", "bridge/bridge.pem", "bridge/bridge.key", "ledger.sqlite"}
    for name in (*(f"bridge/{name}.key" for name in _SEVERAL), *(f"{name}.toml" for name in _SEVERAL)):
        assert stat.S_IMODE((several.folder / name).stat().st_mode) == 0o600, name


def test_every_bridge_has_its_rights_at_the_broker(several: site.Site, tmp_path: Path) -> None:
    blocks = _rights(several)
    assert [block.partition("\n")[0] for block in blocks] == [f"user {name}" for name in _SEVERAL]
    alone = _rights(site.create(tmp_path / "alone", ["clinic-7"]))
    assert {block.partition("\n")[2] for block in blocks} == {block.partition("\n")[2] for block in alone}


def _rights(made: site.Site) -> list[str]:
    """The ACL's blocks that name a user."""
    return [block.strip() for block in (made.folder / "acl").read_text().split("\n\n")[1:]]


def test_renewal_reaches_every_bridge(several: site.Site) -> None:
    paths = [several.folder / "bridge" / f"{name}.pem" for name in _SEVERAL]
    before = [path.read_bytes() for path in paths]
    site.renew(several.folder)
    after = [path.read_bytes() for path in paths]
    assert all(old != new for old, new in zip(before, after, strict=True))


def test_a_bridge_whose_machine_died_has_lost_its_share_before_devices_send_again(several: site.Site) -> None:
    resend_s = 30  # WIRE.md "Delivery"
    for path in several.configs:
        assert config.load(path).mqtt.keepalive_s * 1.5 < resend_s


def test_a_lone_bridge_can_have_its_ledger_elsewhere(tmp_path: Path, database: str) -> None:
    elsewhere = site.create(tmp_path / "site", ["a"], ledger=database.replace("postgresql+psycopg", "postgresql"))
    found = config.load(elsewhere.config)
    assert (found.ledger.url, found.mqtt.shared) == (database, False)
    assert elsewhere.ledger_url == database
    assert not (elsewhere.folder / "ledger.sqlite").exists()


def test_a_ledger_that_serves_another_site_is_refused(tmp_path: Path, several: site.Site, database: str) -> None:
    ledger = open_ledger(database)
    registry = Registry(ledger, load_agreement_key(several.folder / "bridge" / "agreement.key"))
    points = [certificates.public_point(certificates.new_key()) for _ in range(2)]
    registry.enrol("d-window-01", "clinic-7", *points, 0)
    ledger.close()
    with pytest.raises(ToolError, match="1 devices of another site"):
        site.create(tmp_path / "second", ["clinic-7"], bridges=2, ledger=database)
    assert not (tmp_path / "second").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bridges": 2}, "--ledger postgresql"),
        ({"bridges": 2, "ledger": "sqlite:///ledger.sqlite"}, "--ledger postgresql"),
        ({"bridges": 2, "ledger": "postgresql://db/x", "broker": "amqtt"}, "mosquitto, not amqtt"),
        ({"bridges": 0}, "1 to 16"),
        ({"bridges": 17, "ledger": "postgresql://db/x"}, "1 to 16"),
        ({"ledger": "mysql://db/x"}, "begins with"),
    ],
)
def test_a_fleet_that_can_not_be_is_refused_before_anything_is_made(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    with pytest.raises(ToolError, match=said):
        site.create(tmp_path / "site", ["clinic-7"], **change)  # pyright: ignore[reportArgumentType]
    assert list(tmp_path.iterdir()) == []
