"""Makes a site's folder, and issues its certificates."""

import os
import pwd
import shutil
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from host_bridge.agreement import files as agreement_files
from scanlatch_tools import certificates, revocation, site_files
from scanlatch_tools.errors import ToolError
from scanlatch_tools.site_plan import (
    BRIDGE_USER,
    BRIDGES_MAX,
    LEDGER,
    NAME,
    RESERVED,
    SQLITE,
    Broker,
    Plan,
    bridge_names,
)
from scanlatch_tools.site_plan import plan as make_plan
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import why
from scanlatch_tools.update import key as release_key


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
    ledger_url: str  # SQLAlchemy's form; a path in it is absolute
    bridges: tuple[str, ...]  # their users at the broker
    tokens: dict[str, str]  # site -> what its control codes carry; "" where it has none

    @property
    def config(self) -> Path:
        """Settings of the bridge; of the first where there are several."""
        return self.configs[0]

    @property
    def configs(self) -> tuple[Path, ...]:
        """Settings of each bridge."""
        return tuple(self.folder / f"{name}.toml" for name in self.bridges)

    def ca(self) -> x509.Certificate:
        """The CA's certificate."""
        return _read_certificate(self.folder / "ca" / "ca.pem")

    def bridge_public(self) -> bytes:
        """The bridge's newest agreement public key, an uncompressed point of 65 bytes."""
        return certificates.public_point(certificates.read_key(agreement_files(self.agreement)[-1]))

    @property
    def agreement(self) -> Path:
        """File of the bridge's first agreement key."""
        return self.folder / "bridge" / "agreement.key"


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
    bridges: int = 1,
    ledger: str | None = None,
) -> Site:
    """Make a site's folder: CA, certificates, keys, ledger, and the settings of bridges and broker.

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
        bridges: how many share the load; more than one need a ledger in PostgreSQL.
        ledger: SQLAlchemy URL of a database that is there, and holds no site yet; default: SQLite in the folder.

    Raises:
        SiteExistsError: something is there already.
        ToolError: a name can't be used.
        BridgeError: the ledger can't be opened.
    """
    folder = folder.resolve()
    plan = make_plan(sites, hosts, port, platform_url, institution, broker, bridges, ledger)
    _must_be_free(folder)
    user = broker_user or pwd.getpwuid(os.geteuid()).pw_name
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise ToolError(_("{folder} can't be made: {error}").format(folder=folder, error=why(error))) from error
    try:
        _fill(building, folder, plan, user)
        _must_be_free(folder)  # still: another may have been at it at the same time
        building.rename(folder)  # fails, and no harm done, where another won in between
    except OSError as error:
        shutil.rmtree(building, ignore_errors=True)
        raise ToolError(_("{folder} can't be made: {error}").format(folder=folder, error=why(error))) from error
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
    bridges = _bridges_of(folder)
    path = folder / f"{bridges[0]}.toml"
    try:
        settings: dict[str, Any] = tomllib.loads(path.read_text())
        mqtt = settings["mqtt"]
        ledger = _absolute(settings.get("ledger", {}).get("url", LEDGER), folder)
        tokens = {name: table.get("control_token", "") for name, table in settings["sites"].items()}
        return Site(folder, mqtt["host"], mqtt["port"], mqtt["verify"], tuple(tokens), ledger, bridges, tokens)
    except FileNotFoundError:
        raise NotASiteError(
            _("{folder} is no site: make one with: scanlatch site init {folder} --site NAME").format(folder=folder)
        ) from None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NotASiteError(_("{path} can't be read: {error}").format(path=path, error=why(error))) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise NotASiteError(
            _("{path} is not as `scanlatch site init` makes it: {error}").format(path=path, error=error)
        ) from error


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
    if not NAME.fullmatch(name) or RESERVED.fullmatch(name):
        raise certificates.RequestRefusedError(
            _("{name!r} is no device id: 1 to 32 of a-z, 0-9 and -").format(name=name)
        )
    if device is not None and name != device:
        raise certificates.RequestRefusedError(
            _("the request is for {name!r}, but the device is {device!r}").format(name=name, device=device)
        )
    issued = revocation.issue(site.folder, site.ca(), signing_key(site.folder), public, name)
    return issued.public_bytes(serialization.Encoding.DER)


def renew(folder: Path) -> None:
    """Issue the broker's and the bridges' certificates anew, for the keys that they have."""
    site = load(folder)
    ca, ca_key = site.ca(), signing_key(site.folder)
    if not (site.folder / revocation.LIST).exists():  # a site of before there were revocations
        _write(site.folder / revocation.LIST, revocation.empty(ca, ca_key), 0o644)
    old = _read_certificate(site.folder / "broker" / "broker.pem")
    names = old.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    hosts = [str(name.value) for name in names]
    _issue_services(site.folder, ca, ca_key, hosts, site.bridges)


def _must_be_free(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SiteExistsError(
            _(
                "{folder} is not empty, and a site is never written over: its keys, and its devices with "
                "them, would be lost. Choose another folder; to renew certificates run: scanlatch site "
                "renew {folder}"
            ).format(folder=folder)
        )


def _bridges_of(folder: Path) -> tuple[str, ...]:
    """The bridges whose settings are in the folder; a lone one where there are none."""
    numbered = tuple(name for name in bridge_names(BRIDGES_MAX) if (folder / f"{name}.toml").exists())
    return (BRIDGE_USER,) if (folder / f"{BRIDGE_USER}.toml").exists() else numbered or (BRIDGE_USER,)


def _absolute(ledger: str, folder: Path) -> str:
    """A ledger's URL as others can use it; SQLite's path counts from the site's folder."""
    return f"{SQLITE}{folder / ledger.removeprefix(SQLITE)}" if ledger.startswith(SQLITE) else ledger


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

    bridges = bridge_names(plan.bridges)
    for name in ("broker/broker.key", "bridge/agreement.key", *(f"bridge/{bridge}.key" for bridge in bridges)):
        certificates.write_key(building / name, certificates.new_key())
    release_key.make(building)
    _issue_services(building, ca, ca_key, plan.hosts, bridges)

    for bridge in bridges:
        _write(building / f"{bridge}.toml", site_files.bridge_toml(plan, bridge), 0o600)
    _write(building / "mosquitto.conf", site_files.mosquitto_conf(plan, folder, user), 0o644)
    _write(building / "acl", site_files.acl(bridges), 0o644)
    _write(building / revocation.LIST, revocation.empty(ca, ca_key), 0o644)
    _make_ledger(_absolute(plan.ledger, building))


def _issue_services(
    folder: Path, ca: x509.Certificate, ca_key: Any, hosts: Sequence[str], bridges: Sequence[str]
) -> None:
    broker_key = certificates.read_key(folder / "broker" / "broker.key").public_key()
    broker = certificates.issue_server(ca, ca_key, broker_key, hosts)
    certificates.write_certificate(folder / "broker" / "broker.pem", broker)
    for name in bridges:
        key = certificates.read_key(folder / "bridge" / f"{name}.key").public_key()
        bridge = certificates.issue_client(ca, ca_key, key, name, certificates.SERVICE_DAYS)
        certificates.write_certificate(folder / "bridge" / f"{name}.pem", bridge)


def _make_ledger(url: str) -> None:
    from host_bridge.ledger import devices, open_ledger  # SQLAlchemy, Alembic: half a second others need not pay

    ledger = open_ledger(url)
    with ledger.read() as connection:
        taken = devices.every(connection)
    ledger.close()
    if taken:
        raise ToolError(
            _("the ledger has {count} devices of another site, which know another bridge's key").format(
                count=len(taken)
            )
        )
    if url.startswith(SQLITE):
        Path(url.removeprefix(SQLITE)).chmod(0o600)


def signing_key(folder: Path) -> Any:
    """The CA's private key. Raises ToolError."""
    return certificates.read_key(folder / "ca" / "ca.key")


def _read_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise NotASiteError(_("{path} can't be read: {error}").format(path=path, error=why(error))) from error


def _write(path: Path, text: str, mode: int) -> None:
    path.write_text(text)
    path.chmod(mode)


def _give_to(folder: Path, user: str) -> None:
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, user)
