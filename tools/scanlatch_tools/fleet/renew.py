"""`scanlatch fleet renew`: new certificates for terminals at work, sent over the air."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from host_bridge.clock import SystemClock
from host_bridge.config import load
from host_bridge.ledger import Ledger, commands, devices
from host_bridge.ledger.open import open_existing
from scanlatch_tools import certificates, revocation
from scanlatch_tools import site as sites
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import why

WAIT_S = 120.0  # in all: a command leaves with the bridge's next round, every 10 s, and the terminal connects anew
_DAY_MS = 86_400_000
_POLL_S = 0.5


@dataclass(slots=True)
class _Case:
    """One terminal's renewal."""

    device: str
    counter: int = 0  # of the command that is waited for
    new: str = ""  # SHA-256 of the certificate that it was sent
    until: int = 0
    said: str | None = None  # how it ended
    done: bool = False


def renew(
    config: Annotated[Path, typer.Option("--config", help="bridge.toml of the site, where its CA's key is.")],
    device: Annotated[list[str] | None, typer.Argument(help="Device ids.")] = None,
    within: Annotated[int | None, typer.Option(help="All whose certificate ends within so many days.")] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the terminals.")] = WAIT_S,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """New certificates over the air, for the keys that the terminals have; what a broker refuses they give up again."""
    if bool(device) == (within is not None):
        raise ToolError(_("say which terminals, or --within DAYS"))
    place, settings = sites.load(config.resolve().parent), load(config)
    ca_key = certificates.read_key(place.folder / "ca" / "ca.key")
    ledger = open_existing(settings.ledger.url, settings.ledger.busy_timeout_ms)
    try:
        cases = [_Case(one) for one in _chosen(ledger, device or [], within)]
        _Renewal(ledger, place, ca_key, time.monotonic() + wait).run(cases)
    finally:
        ledger.close()
    if as_json:
        rows: list[dict[str, Any]] = [{"device": one.device, "renewed": one.done, "said": one.said} for one in cases]
        typer.echo(json.dumps(rows, ensure_ascii=False))
    else:
        for one in cases:
            typer.echo(f"{'✓' if one.done else '!'} {one.device}: {one.said}")
        if not cases:
            typer.echo(_("no certificate ends within {days} days").format(days=within))
    if not all(one.done for one in cases):
        raise typer.Exit(1)


def _chosen(ledger: Ledger, named: list[str], within: int | None) -> list[str]:
    with ledger.read() as connection:
        rows = {row.id: row for row in devices.every(connection)}
    unknown = [one for one in named if one not in rows or rows[one].is_out]
    if unknown:
        raise ToolError(_("not in the registry, or shut out: {devices}").format(devices=", ".join(unknown)))
    if within is None:
        return named
    end = SystemClock().now() + within * _DAY_MS
    return [row.id for row in rows.values() if not row.is_out and (row.certificate_until or 0) <= end]


class _Renewal:
    """All terminals at once, step by step."""

    def __init__(self, ledger: Ledger, place: sites.Site, ca_key: ec.EllipticCurvePrivateKey, end: float) -> None:
        self._ledger = ledger
        self._place = place
        self._ca, self._ca_key = place.ca(), ca_key
        self._end = end

    def run(self, cases: list[_Case]) -> None:
        """Ask each for its certificate, send it a new one, wait until it says that it uses that."""
        for case in cases:
            self._send(case, {})
        self._each(cases, self._issue)
        self._each(cases, self._taken)
        self._each(cases, self._proven)
        for case in cases:
            case.said = case.said or _("no answer in time: is it switched on? Run this again")

    def _each(self, cases: Iterable[_Case], step: Callable[[_Case], bool]) -> None:
        left = [one for one in cases if one.said is None]
        while left and time.monotonic() < self._end:
            left = [one for one in left if not step(one)]
            if left:
                time.sleep(_POLL_S)

    def _issue(self, case: _Case) -> bool:
        told = self._reply(case)
        if told is None:
            return False
        result, details = told
        if result != "ok" or not isinstance(details.get("certificate"), bytes):
            case.said = _("it refused: {said}").format(said=result)
            return True
        try:
            public = self._public(details["certificate"], case.device)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.InvalidVersion) as error:
            case.said = _("its certificate is not of this site's CA: {error}").format(error=why(error))
            return True
        issued = revocation.issue(self._place.folder, self._ca, self._ca_key, public, case.device)
        der = issued.public_bytes(serialization.Encoding.DER)
        case.new, case.until = hashlib.sha256(der).hexdigest(), int(issued.not_valid_after_utc.timestamp() * 1000)
        self._send(case, {"certificate": der})
        return True

    def _taken(self, case: _Case) -> bool:
        told = self._reply(case)
        if told is None:
            return self._proven(case)  # its answer may be lost, and the certificate at work all the same
        if told[0] != "ok":
            case.said = _("it refused: {said}").format(said=told[0])
        return True

    def _proven(self, case: _Case) -> bool:
        with self._ledger.read() as connection:
            row = devices.get(connection, case.device)
            asked, said, details = commands.last_told(connection, case.device, "settings")
        if row is not None and row.certificate == case.new:
            case.done = True
            day = time.strftime("%Y-%m-%d", time.gmtime(case.until / 1000))
            case.said = _("renewed until {day}").format(day=day)
        elif asked == {} and said == "ok" and details.get("waiting") is False:
            case.said = _("the broker refused the new certificate: it went back to the old one")
        return case.said is not None

    def _send(self, case: _Case, arguments: dict[str, Any]) -> None:
        now = SystemClock().now()
        left_ms = max(1, int((self._end - time.monotonic()) * 1000))
        with self._ledger.write() as connection:
            row = devices.lock(connection, [case.device])[case.device]
            case.counter = commands.add(connection, row, "settings", arguments, now, now + left_ms).counter

    def _reply(self, case: _Case) -> tuple[str, dict[str, Any]] | None:
        with self._ledger.read() as connection:
            return commands.told(connection, case.device, case.counter)

    def _public(self, der: bytes, device: str) -> ec.EllipticCurvePublicKey:
        old = x509.load_der_x509_certificate(der)
        old.verify_directly_issued_by(self._ca)
        names = [one.value for one in old.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        public = old.public_key()
        if names != [device] or not isinstance(public, ec.EllipticCurvePublicKey):
            raise ValueError(names)
        return public
