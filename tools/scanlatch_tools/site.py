"""Makes a site's folder, and issues its certificates."""

import os
import pwd
import re
import shutil
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from scanlatch_tools import certificates, site_files
from scanlatch_tools.errors import ToolError
from scanlatch_tools.site_files import BRIDGE_USER, Broker, Plan

_NAME = re.compile(r"[a-z0-9-]{1,32}")  # WIRE.md "Topics"
_HOST = re.compile(r"[A-Za-z0-9.:-]{1,253}")
_RESERVED = re.compile(r"bridge(-.*)?|broker")  # common names with rights of their own in the ACL
_INSTITUTION = re.compile(r"[A-Z0-9]{12}")


class SiteExistsError(ToolError):
    """The folder holds something already; a site is never written over."""


class NotASiteError(ToolError):
    """The folder was not made by `scanlatch site init`, or a part of it is gone."""


@dataclass(frozen=True, slots=True)
class Site:
    """A site's folder and what its bridge.toml says to devices."""

    folder: Path
    host: str
    port: int
    verify: str
    sites: tuple[str, ...]

    @property
    def config(self) -> Path:
        """The bridge's settings."""
        return self.folder / "bridge.toml"

    @property
    def ledger_url(self) -> str:
        """SQLAlchemy URL of the ledger, absolute."""
        return f"sqlite:///{self.folder}/ledger.sqlite"

    def ca(self) -> x509.Certificate:
        """The CA's certificate."""
        return _read_certificate(self.folder / "ca" / "ca.pem")

    def bridge_public(self) -> bytes:
        """The bridge's agreement public key, an uncompressed point of 65 bytes."""
        return certificates.public_point(certificates.read_key(self.folder / "bridge" / "agreement.key"))


def check_name(name: str, what: str) -> str:
    """`name` where it may stand in a topic.

    Raises:
        ToolError: it may not.
    """
    if not _NAME.fullmatch(name):
        raise ToolError(f"{what} {name!r}: use 1 to 32 of a-z, 0-9 and -")
    return name


def create(
    folder: Path,
    sites: Sequence[str],
    *,
    hosts: Sequence[str] = ("127.0.0.1",),
    port: int = 8883,
    platform_url: str = "http://127.0.0.1:8810",
    institution: str = "H00000000001",
    broker: Broker = "mosquitto",
    broker_user: str | None = None,
) -> Site:
    """Make a site's folder: CA, certificates, keys, ledger, and the settings of bridge and broker.

    The folder appears whole or not at all. No device key is made here: devices make their own.

    Args:
        folder: must not exist, or be empty.
        sites: names as they stand in topics.
        hosts: names and addresses of the broker; bridge and devices connect to the first.
        port: the broker's port.
        platform_url: base address of the settlement platform.
        institution: this institution's number at the platform, 12 characters.
        broker: decides what MQTT version the bridge speaks, and whether it shares subscriptions.
        broker_user: account that runs the broker where it is started as root; default: who runs this.

    Raises:
        SiteExistsError: something is there already.
        ToolError: a name can't be used.
    """
    folder = folder.resolve()
    plan = _plan(sites, hosts, port, platform_url, institution, broker)
    _must_be_free(folder)
    user = broker_user or pwd.getpwuid(os.geteuid()).pw_name
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        _fill(building, folder, plan, user)
        _must_be_free(folder)  # still: another may have been at it at the same time
        building.rename(folder)  # fails, and no harm done, where another won in between
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    if broker_user:
        _give_to(folder / "broker", broker_user)
    return load(folder)


def load(folder: Path) -> Site:
    """Open a site's folder.

    Raises:
        NotASiteError: it is none.
    """
    folder = folder.resolve()
    try:
        settings: dict[str, Any] = tomllib.loads((folder / "bridge.toml").read_text())
        mqtt = settings["mqtt"]
        return Site(folder, mqtt["host"], mqtt["port"], mqtt["verify"], tuple(settings["sites"]))
    except FileNotFoundError:
        raise NotASiteError(f"{folder} is no site: make one with: scanlatch site init {folder}") from None
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise NotASiteError(f"{folder}/bridge.toml can't be used: {error!r}") from error


def issue_device_certificate(folder: Path, request_der: bytes, device: str | None = None) -> bytes:
    """Sign a device's own certificate request; gives the certificate in DER.

    Args:
        folder: the site.
        request_der: PKCS#10, P-256, signed by its own key; the common name is the device's id.
        device: the id that it must have, where known.

    Raises:
        RequestRefusedError: the request is not one that we sign.
    """
    site = load(folder)
    name, public = certificates.check_request(request_der)
    if not _NAME.fullmatch(name) or _RESERVED.fullmatch(name):
        raise certificates.RequestRefusedError(f"{name!r} is no device id: 1 to 32 of a-z, 0-9 and -")
    if device is not None and name != device:
        raise certificates.RequestRefusedError(f"the request is for {name!r}, but the device is {device!r}")
    issued = certificates.issue_client(site.ca(), _ca_key(site.folder), public, name)
    return issued.public_bytes(serialization.Encoding.DER)


def renew(folder: Path) -> None:
    """Issue the broker's and the bridge's certificates anew, for the keys that they have."""
    site = load(folder)
    ca, ca_key = site.ca(), _ca_key(site.folder)
    old = _read_certificate(site.folder / "broker" / "broker.pem")
    names = old.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    hosts = [str(name.value) for name in names]
    _issue_services(site.folder, ca, ca_key, hosts)


def _must_be_free(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SiteExistsError(
            f"{folder} is not empty, and a site is never written over: its keys, and its devices with them, "
            f"would be lost. Choose another folder; to renew certificates run: scanlatch site renew {folder}"
        )


def _plan(
    sites: Sequence[str], hosts: Sequence[str], port: int, platform_url: str, institution: str, broker: Broker
) -> Plan:
    if not sites:
        raise ToolError("name at least one site: --site clinic-7")
    if len(set(sites)) != len(sites):
        raise ToolError("a site is named twice")
    if not hosts:
        raise ToolError("name the broker's host: --host 192.168.1.10")
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise ToolError(f"{host!r} is neither a host name nor an address")
    if not 0 < port < 65536:
        raise ToolError(f"{port} is no port")
    if not platform_url.startswith(("http://", "https://")):
        raise ToolError(f"{platform_url!r} is no http or https address")
    if not _INSTITUTION.fullmatch(institution):
        raise ToolError(f"institution {institution!r}: 12 of A-Z and 0-9")
    names = tuple(check_name(site, "site") for site in sites)
    return Plan(names, tuple(hosts), port, platform_url, institution, broker)


def _fill(building: Path, folder: Path, plan: Plan, user: str) -> None:
    for name, mode in ((".", 0o755), ("ca", 0o755), ("broker", 0o755), ("bridge", 0o700)):
        (building / name).mkdir(exist_ok=True)
        (building / name).chmod(mode)
    (building / "broker" / "data").mkdir(mode=0o700)

    ca_key = certificates.new_key()
    ca = certificates.make_ca(ca_key, f"Scanlatch CA {plan.sites[0]}")
    certificates.write_key(building / "ca" / "ca.key", ca_key)
    certificates.write_certificate(building / "ca" / "ca.pem", ca)
    certificates.write_certificate(building / "ca" / "ca.der", ca)

    for name in ("broker/broker.key", "bridge/bridge.key", "bridge/agreement.key"):
        certificates.write_key(building / name, certificates.new_key())
    _issue_services(building, ca, ca_key, plan.hosts)

    _write(building / "bridge.toml", site_files.bridge_toml(plan), 0o600)
    _write(building / "mosquitto.conf", site_files.mosquitto_conf(plan, folder, user), 0o644)
    _write(building / "acl", site_files.acl(), 0o644)
    _make_ledger(building / "ledger.sqlite")


def _issue_services(folder: Path, ca: x509.Certificate, ca_key: Any, hosts: Sequence[str]) -> None:
    broker_key = certificates.read_key(folder / "broker" / "broker.key").public_key()
    bridge_key = certificates.read_key(folder / "bridge" / "bridge.key").public_key()
    broker = certificates.issue_server(ca, ca_key, broker_key, hosts)
    bridge = certificates.issue_client(ca, ca_key, bridge_key, BRIDGE_USER, certificates.SERVICE_DAYS)
    certificates.write_certificate(folder / "broker" / "broker.pem", broker)
    certificates.write_certificate(folder / "bridge" / "bridge.pem", bridge)


def _make_ledger(path: Path) -> None:
    from host_bridge.ledger import open_ledger  # SQLAlchemy, Alembic: half a second that others need not pay

    open_ledger(f"sqlite:///{path}").close()
    path.chmod(0o600)


def _ca_key(folder: Path) -> Any:
    return certificates.read_key(folder / "ca" / "ca.key")


def _read_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise NotASiteError(f"{path} can't be read: {error}") from error


def _write(path: Path, text: str, mode: int) -> None:
    path.write_text(text)
    path.chmod(mode)


def _give_to(folder: Path, user: str) -> None:
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, user)
