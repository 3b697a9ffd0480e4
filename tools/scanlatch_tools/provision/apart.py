"""A terminal whose site's CA is elsewhere: what it asks of the site, and what that gives, go as files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from scanlatch_tools import enrol, outfile
from scanlatch_tools.errors import ToolError
from scanlatch_tools.request import EnrolError, Request, heard
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import why

_REQUEST, _ANSWER = "scanlatch request 1", "scanlatch answer 1"
_KEYS = ("device", "signing", "agreement", "csr")
_WORDS = ("device", "site", "board", "signing", "tls")
_FILE_MOST = 65_536  # bytes
_ANSWER_MODE = 0o600  # the token of the control sheet is in it


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with what its board is and does. board: as the terminal's settings have it; site: None: the signer's
    first."""

    request: Request
    site: str | None
    board: dict[str, Any]
    operation: str
    ntp: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a site gives, for one terminal with these keys: its signing key, and the one in its certificate. ca: the
    certificate of the site's CA, DER."""

    device: str
    site: str
    board: str
    signing: str
    tls: str
    handover: dict[str, Any]
    ca: bytes

    def must_be_for(self, request: Request) -> None:
        """Raises EnrolError where the terminal has other keys than when it asked."""
        if (request.device, request.signing.hex(), _key_of_request(request.csr)) != (
            self.device,
            self.signing,
            self.tls,
        ):
            raise EnrolError(
                _(
                    "this board made its keys anew since {device} asked: ask again with --request, under an id that "
                    "was never used"
                ).format(device=self.device)
            )


def must_fit(request: Path) -> None:
    """Raises ToolError where no request can be written there; before a board is touched."""
    outfile.must_fit(request, _begins(_REQUEST))


def write_request(path: Path, asked: Asked) -> None:
    """Write a request's file, in place of an older one. Raises ToolError."""
    request = asked.request
    told = {
        "what": _REQUEST,
        "device": request.device,
        "signing": request.signing.hex(),
        "agreement": request.agreement.hex(),
        "csr": request.csr.hex(),
        "site": asked.site,
        "board": asked.board,
        "operation": asked.operation,
        "ntp": asked.ntp,
    }
    _write(path, told, 0o644)


def sign(folder: Path, path: Path, out: Path, at: str | None) -> tuple[str, str, bool]:
    """Grant what the file at `path` asks, into the file `out`; id, site, and whether the terminal is new to the site.

    Safe to repeat: the same keys get another certificate.

    Raises:
        ToolError: the file is none, or the site refuses.
    """
    from scanlatch_tools import site as sites

    outfile.must_fit(out, _begins(_ANSWER))
    asked = _read_request(path)
    site = at or asked.site or sites.load(folder).sites[0]
    given = enrol.grant(folder, asked.request, site, asked.board, operation=asked.operation, ntp=asked.ntp)
    certificate = x509.load_der_x509_certificate(given.certificate)
    told = {
        "what": _ANSWER,
        "device": asked.request.device,
        "site": site,
        "board": asked.board.get("name", ""),
        "signing": asked.request.signing.hex(),
        "tls": _point(certificate.public_key()),
        "handover": given.handover,
    }
    _write(out, told, _ANSWER_MODE)
    return asked.request.device, site, given.anew


def read_answer(path: Path) -> Answer:
    """Read what `sign` wrote. Raises ToolError."""
    told = _read(path, _ANSWER)
    try:
        device, site, board, signing, tls = (_text(told[name]) for name in _WORDS)
        handover = dict(told["handover"])
        return Answer(device, site, board, signing, tls, handover, bytes.fromhex(_text(handover["ca"])))
    except (KeyError, TypeError, ValueError) as error:
        raise ToolError(_("{path} is not what `scanlatch site sign` wrote").format(path=path)) from error


def _read_request(path: Path) -> Asked:
    told = _read(path, _REQUEST)
    site, ntp = told.get("site"), told.get("ntp")
    try:
        device, operation, board = _text(told["device"]), _text(told["operation"]), dict(told["board"])
        site, ntp = (None if one is None else _text(one) for one in (site, ntp))
    except (KeyError, TypeError, ValueError) as error:
        raise ToolError(_("{path} is not what `scanlatch provision --request` wrote").format(path=path)) from error
    return Asked(heard(json.dumps({name: told.get(name) for name in _KEYS}), device), site, board, operation, ntp)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _read(path: Path, what: str) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            told: Any = json.loads(file.read(_FILE_MOST))
    except (OSError, ValueError) as error:
        raise ToolError(_("{path} can't be read: {error}").format(path=path, error=why(error))) from error
    found = cast("dict[str, Any]", told) if isinstance(told, dict) else {}
    if found.get("what") != what:
        raise ToolError(_("{path} holds something else than {what!r}").format(path=path, what=what))
    return found


def _write(path: Path, told: Mapping[str, Any], mode: int) -> None:
    outfile.write(path, json.dumps(told, indent=1).encode(), _begins(told["what"]), mode)


def _begins(what: str) -> bytes:
    return json.dumps({"what": what}, indent=1).removesuffix("\n}").encode()


def _key_of_request(csr: bytes) -> str:
    return _point(x509.load_der_x509_csr(csr).public_key())


def _point(key: Any) -> str:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint).hex()
