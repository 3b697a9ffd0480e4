"""What a terminal asks of its site: its public keys and a signing request, none of which is secret."""

import json
from dataclasses import dataclass
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric import ec

from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _

_POINT_HEX = 130
_REQUEST_BYTES = 1024  # a request for P-256 with a short name takes about 220
_ANSWER_CHARS = 8_192


class EnrolError(ToolError):
    """The terminal answered something that can't be right, or belongs to another id; says what to do."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a terminal asks of a site: its public keys, 65 bytes each, and the signing request for its TLS key, DER."""

    device: str
    signing: bytes
    agreement: bytes
    csr: bytes


def heard(said: str, device: str) -> Request:
    """The request of this terminal in what it said: one line of JSON. Raises EnrolError."""
    lines = [line for line in said.splitlines() if line.startswith("{")]
    if len(said) > _ANSWER_CHARS or not lines:
        raise EnrolError(_("the terminal made no keys; it said: {said!r}").format(said=said[-500:].strip()))
    try:
        answer: Any = json.loads(lines[-1])
        told = cast(dict[str, str], answer)
        if told["device"] != device:
            raise EnrolError(
                _("this terminal is {device!r}, not {wanted!r}: an id is for life").format(
                    device=told["device"], wanted=device
                )
            )
        publics = Request(device, _point(told["signing"]), _point(told["agreement"]), bytes.fromhex(told["csr"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EnrolError(_("the terminal's answer can't be used: {error!r}").format(error=error)) from error
    if publics.signing == publics.agreement:
        raise EnrolError(_("the terminal uses one key twice: its random generator is broken, take it out of use"))
    if len(publics.csr) > _REQUEST_BYTES:
        raise EnrolError(_("the terminal's certificate request is too long"))
    return publics


def _point(text: str) -> bytes:
    if len(text) != _POINT_HEX:
        raise ValueError("a public key is not 65 bytes")
    point = bytes.fromhex(text)
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)  # ValueError where off the curve
    return point
