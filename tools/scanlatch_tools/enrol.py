"""Enrols a terminal into a site: it makes its keys itself, and gets its certificate and settings.

Repeatable: a terminal that has keys keeps them, and a try that broke off is mended by the next.
"""

import hashlib
import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from host_bridge import config
from host_bridge.agreement import Agreements
from host_bridge.clock import SystemClock
from host_bridge.devices import Registry
from host_bridge.errors import DeviceExists
from host_bridge.ledger.devices import REVOKED
from host_bridge.ledger.open import open_existing
from scanlatch_tools import site as sites
from scanlatch_tools.boards import Board, compiled
from scanlatch_tools.errors import ToolError
from scanlatch_tools.evidence import certify as evidence
from scanlatch_tools.request import EnrolError, Request, heard
from scanlatch_tools.site_plan import check_name
from scanlatch_tools.texts import _
from scanlatch_tools.update import key as release_key

_HANDOVER = "enrol.json"  # what the device's `enrol.finish` reads
# Into the store of keys, not into the settings: those can be read by command.
_KEEP_WIFI = """\
from scanlatch.keep import store
from scanlatch.system import board
store.Nvs(board.nvs()).set_bytes("wifi_password", {!r})
"""


class Transport(Protocol):
    """How to reach a terminal's MicroPython: a board through its cable, or a twin."""

    def run(self, code: str) -> str:
        """Run code on the terminal to its end; gives what it printed. Raises where the code did."""
        ...

    def put(self, path: str, data: bytes) -> None:
        """Write a file on the terminal."""
        ...


@dataclass(frozen=True, slots=True)
class Enrolled:
    """An enrolled terminal."""

    device: str
    site: str
    signing: bytes  # public key, 65 bytes
    certificate: bytes  # DER
    anew: bool  # False: it was in the registry before


@dataclass(frozen=True, slots=True)
class Grant:
    """What a site gives to a terminal. handover: as the terminal's own `enrol.finish` reads it; no secret is in it but
    the token of the site's control sheet."""

    handover: dict[str, Any]
    certificate: bytes  # DER
    anew: bool  # False: it was in the registry before


def enrol(
    folder: Path,
    transport: Transport,
    device: str,
    site: str,
    board: Board,
    *,
    operation: str = "sale",
    ntp: str | None = None,
    wifi: tuple[str, str | None] | None = None,
    timing: Mapping[str, int] | None = None,
    tell: Callable[[str], None] = lambda _step: None,
) -> Enrolled:
    """Enrol one terminal.

    Args:
        folder: of the site, with its CA's key.
        transport: to the terminal.
        device: its id, for life.
        site: one of the site folder's.
        board: as its board file has it.
        operation: what it does: "sale", "return", "receive", "stock-take", "query" or "dispatch".
        ntp: time server, where the site has one.
        wifi: name and password of the network to join, for a board with Wi-Fi; None: the password that it has stays.
        timing: settings in docs/operations.md that say how long something lasts, such as {"mode_back_s": 60}.
        tell: gets a line for every step done.

    Raises:
        EnrolError, ToolError: refused; nothing is half done that a second run would not mend.
    """
    request = ask(transport, device)
    tell(_("the terminal has made its keys"))
    given = grant(folder, request, site, compiled(board), operation=operation, ntp=ntp, timing=timing, tell=tell)
    settle(transport, given.handover, wifi)
    tell(_("the terminal has its settings"))
    return Enrolled(device, site, request.signing, given.certificate, given.anew)


def ask(transport: Transport, device: str) -> Request:
    """Let a terminal make its keys, once; what it asks of its site. Raises EnrolError, ToolError."""
    check_name(device, _("device id"))
    return heard(transport.run(_call(f"enrol.begin({device!r})")), device)


def grant(
    folder: Path,
    request: Request,
    site: str,
    board: Mapping[str, Any],
    *,
    operation: str = "sale",
    ntp: str | None = None,
    timing: Mapping[str, int] | None = None,
    tell: Callable[[str], None] = lambda _step: None,
) -> Grant:
    """Give a terminal its certificate, its place in the registry and its settings, all but the Wi-Fi's.

    board: as `compiled` makes it. The rest as for `enrol`.

    Raises:
        EnrolError, ToolError: refused.
    """
    place, device = sites.load(folder), request.device
    if site not in place.sites:
        raise ToolError(
            _("no site {site!r} in {config}: {sites}").format(
                site=site, config=place.config, sites=", ".join(place.sites)
            )
        )
    certificate = sites.issue_device_certificate(place.folder, request.csr, device)
    _check_tls_key(certificate, request)
    tell(_("its certificate is issued"))
    with registry(place) as known:
        anew = _register(known, site, request, certificate)
        bridge = known.public_for(device)  # one that is enrolled again stays with the key that it uses
    tell(_("it is in the registry") if anew else _("it was in the registry"))
    evidence.certify(place.folder, device, request.signing)
    settings = _settings(place, device, site, board, operation, ntp, certificate)
    settings.update(timing or {})
    handover: dict[str, Any] = {
        "settings": settings,
        "bridge_public": bridge.hex(),
        "floor": SystemClock().now(),
        "ca": place.ca().public_bytes(serialization.Encoding.DER).hex(),
        "certificate": certificate.hex(),
    }
    return Grant(handover, certificate, anew)


def settle(transport: Transport, handover: Mapping[str, Any], wifi: tuple[str, str | None] | None) -> None:
    """Hand a terminal what its site gives, with the Wi-Fi as for `enrol`. Raises EnrolError."""
    if wifi:
        handover = {**handover, "settings": {**handover["settings"], "wifi": {"ssid": wifi[0]}}}
        if wifi[1] is not None:
            transport.run(_KEEP_WIFI.format(wifi[1].encode()))
    transport.put(_HANDOVER, json.dumps(handover).encode())
    said = transport.run(_call("enrol.finish()"))
    if said.strip().splitlines()[-1:] != ["enrolled"]:
        raise EnrolError(
            _("the terminal did not finish; run this again. It said: {said!r}").format(said=said[-500:].strip())
        )


def _call(code: str) -> str:
    return f"from scanlatch.system import enrol\n{code}\n"


def _check_tls_key(certificate: bytes, publics: Request) -> None:
    point = (
        x509.load_der_x509_certificate(certificate)
        .public_key()
        .public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    )
    if point in (publics.signing, publics.agreement):
        raise EnrolError(_("the terminal uses one key twice: its random generator is broken, take it out of use"))


@contextmanager
def registry(place: sites.Site) -> Generator[Registry]:
    """The registry of a site. Raises BridgeError."""
    ledger = open_existing(place.ledger_url)
    try:
        yield Registry(ledger, Agreements.load(place.folder / "bridge" / "agreement.key"))
    finally:
        ledger.close()


def _register(registry: Registry, site: str, publics: Request, certificate: bytes) -> bool:
    """Put it into the registry, or find it there with the same keys; gives whether it is new."""
    device = publics.device
    fingerprint = hashlib.sha256(certificate).hexdigest()
    until = int(x509.load_der_x509_certificate(certificate).not_valid_after_utc.timestamp() * 1000)
    try:
        registry.enrol(device, site, publics.signing, publics.agreement, SystemClock().now(), fingerprint, until)
    except DeviceExists:
        known = registry.find(device)
        if (known.signing_public, known.agreement_public) != (publics.signing, publics.agreement):
            raise EnrolError(
                _(
                    "{device} is in the registry with other keys. A terminal whose keys were made anew is a "
                    "new terminal: give it an id that was never used, and revoke the old one"
                ).format(device=device)
            ) from None
        if known.status == REVOKED:
            raise EnrolError(
                _("{device} is revoked; reinstate it first, if that is what is meant").format(device=device)
            ) from None
        if known.site != site:
            registry.move(device, site)
        registry.set_certificate(device, fingerprint, until)
        return False
    return True


def _settings(
    place: sites.Site,
    device: str,
    site: str,
    board: Mapping[str, Any],
    operation: str,
    ntp: str | None,
    certificate: bytes,
) -> dict[str, Any]:
    said = config.load(place.config).sites[site]
    dates = x509.load_der_x509_certificate(certificate)
    release = release_key.public(place.folder)
    return {
        "v": 1,
        "site": site,
        "device": device,
        "operation": operation,
        "broker": {
            "host": place.host,
            "port": place.port,
            "name": place.verify,
            "not_before": int(dates.not_valid_before_utc.timestamp()) * 1000,  # the clock's floor
            "not_after": int(dates.not_valid_after_utc.timestamp()) * 1000,
        },
        "board": dict(board),
        "rules": _rules(said),
        "ntp": ntp,
        **({"release_key": release.hex()} if release else {}),
        **said.long_outage,
    }


def _rules(said: config.Site) -> dict[str, object]:
    """What the site says of codes, and the token of its control sheet."""
    token = {"token": said.control_token} if said.control_token else {}
    return said.codes.device() | token
