"""Reads a terminal's journal over its cable, with the terminal's own reader, into a file for the bridge."""

import base64
import json
import operator
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cbor2

from scanlatch_tools.cable import Cable, DeviceError
from scanlatch_tools.errors import ToolError
from scanlatch_tools.site_plan import NAME
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import why

VERSION = 1  # of the file
_MOST = 1_000_000  # records: no ring has room for a tenth of that
_AT_ONCE = 8  # records in one call: each has 8 KiB at most

_OPEN = """
import json
from scanlatch.keep import store
from scanlatch.keep.journal import Journal
from scanlatch.system import board, settings, wiring
_given = settings.load() or {}
_journal = Journal(wiring.scanlog(), store.Nvs(board.nvs()).get_bytes("journal"))
_journal.recover()
print(json.dumps([_given.get("device"), _given.get("site"), _journal.oldest, _journal.freed, _journal.newest]))
"""
_READ = """
for seq in range({}, {}):
    record = _journal.read(seq)
    print(_enc(record).decode().strip() if record else "-")
"""


class NoJournalError(ToolError):
    """The board has no journal that its own reader can read."""

    status = 4


@dataclass(frozen=True, slots=True)
class Rescued:
    """What was saved. first, last: numbers of the records, 0 where the bridge has all; lost: those that the flash
    holds no more; records: their signed messages, in order."""

    device: str
    site: str
    first: int
    last: int
    lost: tuple[int, ...]
    records: tuple[bytes, ...]


def read(cable: Cable, everything: bool, progress: Callable[[int, int], None]) -> Rescued:
    """Read the records that the bridge may not have; everything: those that it has, too, as far as they are there.

    progress: gets records read, and of how many.

    Raises:
        NoJournalError: the journal can't be read.
        CableLostError.
    """
    try:
        device, site, oldest, freed, newest = _journal(cable.run(_OPEN), cable.port)
    except DeviceError as error:
        raise NoJournalError(
            _(
                "the board's own reader finds no journal ({last}). Where files are missing: `scanlatch "
                "provision` puts them back, and keeps the journal"
            ).format(last=error.last)
        ) from error
    first = oldest if everything else max(oldest, freed + 1)
    found: dict[int, bytes] = {}
    for at in range(first, newest + 1, _AT_ONCE):
        end = min(at + _AT_ONCE, newest + 1)
        said = cable.run(_READ.format(at, end))
        try:
            found.update(
                {
                    seq: base64.b64decode(line)
                    for seq, line in zip(range(at, end), said.split(), strict=True)
                    if line != "-"
                }
            )
        except ValueError as error:
            raise _nonsense(cable.port, said) from error
        progress(end - first, newest + 1 - first)
    wanted = range(first, newest + 1)
    lost = tuple(seq for seq in wanted if seq not in found)
    records = tuple(found[seq] for seq in wanted if seq in found)
    return Rescued(device, site, first if wanted else 0, newest if wanted else 0, lost, records)


def _journal(said: str, port: str) -> tuple[str, str, int, int, int]:
    """What a board says of its journal: id, site, oldest, freed and newest number, each as a terminal could have it."""
    try:
        device, site, *numbers = json.loads(said.strip().splitlines()[-1])
        oldest, freed, newest = (operator.index(number) for number in numbers)
    except (ValueError, IndexError, TypeError, RecursionError) as error:
        raise _nonsense(port, said) from error
    if not device or not site:
        raise NoJournalError(_("the board has a journal but no settings: `scanlatch provision` gives them back"))
    named = all(isinstance(name, str) and NAME.fullmatch(name) for name in (device, site))
    if not named or min(oldest, freed, newest) < 0 or newest - min(oldest, freed) > _MOST:
        raise _nonsense(port, said)
    return device, site, oldest, freed, newest


def _nonsense(port: str, said: str) -> NoJournalError:
    return NoJournalError(
        _("the board at {port} says what can't be understood: {said!r}").format(port=port, said=said[-200:])
    )


def save(found: Rescued, path: Path) -> None:
    """Write the file that `scanlatch bridge take` reads; one that is there is never written over.

    Raises:
        ToolError: it can't be written.
    """
    told = {
        "v": VERSION,
        "device": found.device,
        "site": found.site,
        "first": found.first,
        "last": found.last,
        "lost": list(found.lost),
        "records": list(found.records),
    }
    try:
        with path.open("xb") as file:
            file.write(cbor2.dumps(told, canonical=True))
    except FileExistsError:
        raise ToolError(
            _("{path} is there already: it may hold records that nobody else has; name another").format(path=path)
        ) from None
    except OSError as error:
        raise ToolError(_("{path} can't be written: {error}").format(path=path, error=why(error))) from error
