"""Brings an update to one terminal over its cable: the same steps that its bridge would take."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from scanlatch_tools.cable import Cable
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _

_CHUNK = 1_024
_STRAYED_MOST = 5  # times that the terminal may be elsewhere than thought


class UpdateRefusedError(ToolError):
    """The terminal does not take it; says why, and what to do."""


def facts(cable: Cable) -> Mapping[str, Any]:
    """What the terminal runs: family, version, slot, and the highest counter that it ran.

    Raises:
        UpdateRefusedError: its firmware takes no updates.
        DeviceError, CableLostError.
    """
    said = cable.run(
        "try:\n    from scanlatch.system import update\n    update.by_cable('family', {})\n"
        "except (ImportError, AttributeError):\n    print('{}')\n"
    )
    return _answer(said)["details"]


def deliver(cable: Cable, signed: bytes, content: bytes, progress: Callable[[int, int], None]) -> None:
    """Bring manifest and content, going on where an earlier try broke off, and put it on trial for the next start.

    Raises:
        UpdateRefusedError, DeviceError, CableLostError.
    """
    at = _step(cable, "update-begin", f"{{'manifest': _dec({_text(signed)})}}", strict=True)
    strayed = 0
    while at < len(content):
        progress(at, len(content))
        data = content[at : at + _CHUNK]
        here = _step(cable, "update-chunk", f"{{'at': {at}, 'data': _dec({_text(data)})}}")
        strayed += not at < here <= at + len(data)
        if strayed > _STRAYED_MOST:
            raise UpdateRefusedError(_("the terminal keeps losing its place: provision it again"))
        at = here
    progress(at, len(content))
    _step(cable, "update-commit", f"{{'digest': _dec({_text(hashlib.sha256(signed).digest())})}}", strict=True)


def _step(cable: Cable, name: str, arguments: str, *, strict: bool = False) -> int:
    answer = _answer(cable.run(f"update.by_cable({name!r}, {arguments})\n"))
    result, at = str(answer["result"]), answer["details"].get("at", 0)
    if result == "ok" or (not strict and result.startswith("not at ")):
        return int(at)
    raise UpdateRefusedError(why(result))


def why(result: str) -> str:
    """What a terminal's refusal means, and what to do."""
    told = {
        "no release key": _("it knows no release key: make one with `scanlatch update key`, and provision it again"),
        "manifest: signature": _("the bundle is not signed by the release key that it knows"),
        "manifest: header": _("the bundle is signed by another release key than the one that it knows"),
        "other family": _("the bundle is for another kind of board"),
        "counter is not above": _("it runs this bundle, or a newer one: an older one is never taken"),
        "no slots": _("its firmware is older than updates: provision it again"),
        "on trial": _("its last update has not proved itself yet: start it, and let it reach its broker first"),
        "no room": _("its flash is too full"),
    }
    for begin, words in told.items():
        if result.startswith(begin):
            return f"{words} ({result})"
    return _("the terminal refuses the update: {result}").format(result=result)


def _answer(said: str) -> dict[str, Any]:
    line = next((line for line in reversed(said.splitlines()) if line.startswith("{")), "")
    try:
        answer = json.loads(line)
        if not answer:
            raise UpdateRefusedError(_("its firmware takes no updates: provision it again"))
        return {"result": answer["result"], "details": answer.get("details") or {}}
    except (ValueError, KeyError, TypeError) as error:
        told = _("the terminal answered something that can't be right: {said}").format(said=repr(said[-200:]))
        raise UpdateRefusedError(told) from error


def _text(data: bytes) -> str:
    return repr(base64.b64encode(data))
