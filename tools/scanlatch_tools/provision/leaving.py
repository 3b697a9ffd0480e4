"""Whether a board is the terminal of another site: then a person must want that, and know what it leaves behind."""

import hashlib
import json
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scanlatch_tools.cable import Cable, DeviceError
from scanlatch_tools.provision.errors import NotForThisError, UnsentHereError
from scanlatch_tools.provision.facts import Facts
from scanlatch_tools.texts import _

_UNREAD = "leave unread journal"
_UNNAMED = "?"  # its settings are gone, its CA is not

# With the terminal's own reader: how many records its bridge may not have.
_HELD = """
import json
from scanlatch.keep import store
from scanlatch.keep.journal import Journal
from scanlatch.system import board, wiring
_id = store.Nvs(board.nvs()).get_bytes("journal")
_kept = 0
if _id is not None:
    _journal = Journal(wiring.scanlog(), _id)
    _journal.recover()
    _kept = _journal.newest - _journal.freed
print(json.dumps(_kept))
"""

Ask = Callable[[str, Sequence[str]], str | None]


@dataclass(frozen=True, slots=True)
class Told:
    """What a person has said beforehand. site: the name of the site that it leaves; records: the sentence that gives up
    what it holds."""

    site: str | None = None
    records: str | None = None


UNSAID = Told()


@dataclass(frozen=True, slots=True)
class Left:
    """A site that a terminal leaves. records: how many that its bridge may not have, None where nobody knows."""

    site: str
    records: int | None


def left(cable: Cable, facts: Facts, to: str, ca: bytes, told: Told, ask: Ask) -> Left | None:
    """The site that a board leaves when it becomes a terminal of `to`, whose CA's certificate is `ca`, in DER; None
    where it has no other.

    Raises:
        UnsentHereError: it holds records of that site, and nobody has given them up.
        NotForThisError: nobody has said that it is to leave.
    """
    if not facts.ca or facts.ca == hashlib.sha256(ca).hexdigest():
        return None
    found = Left(facts.site or _UNNAMED, _held(cable))
    if found.records != 0 and not _given_up(told.records, found.records):
        raise UnsentHereError(
            _(
                "{device} belongs to another site, {old!r}, and {what}: save them with "
                "`scanlatch rescue --port {port}`, and give them to `scanlatch bridge take` there. Then, or to leave "
                "them behind: "
                '--leave-records "{phrase}"'
            ).format(
                device=facts.device,
                old=found.site,
                what=_what(found.records),
                port=cable.port,
                phrase=_phrase(found.records),
            )
        )
    if told.site is None:
        question = _(
            "{device} belongs to another site, {old!r}, which loses it; it becomes a terminal of {new!r} (y/n)"
        ).format(device=facts.device, old=found.site, new=to)
        agreed = ask(question, ("y", "n")) == "y"
    else:
        agreed = told.site == found.site
    if not agreed:
        raise NotForThisError(
            _(
                "{device} belongs to another site, {old!r}, and its CA; nothing was written. To make it a terminal of "
                "{new!r}: --leave-site {old}. Is this the right --site?"
            ).format(device=facts.device, old=found.site, new=to)
        )
    return found


def _held(cable: Cable) -> int | None:
    try:
        return operator.index(json.loads(cable.run(_HELD).strip().rpartition("\n")[2]))
    except (DeviceError, ValueError, TypeError, RecursionError):
        return None  # its reader is not there, or the journal can't be read: it may hold any


def _what(records: int | None) -> str:
    if records is None:
        return _("its journal can't be read and may hold records that the bridge there does not have")
    return _("its journal holds {unsent} records that the bridge there may not have").format(unsent=records)


def _phrase(records: int | None) -> str:
    return _UNREAD if records is None else f"leave {records} records"


def _given_up(said: str | None, records: int | None) -> bool:
    return said == _phrase(records)
