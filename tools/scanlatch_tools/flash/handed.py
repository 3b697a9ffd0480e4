"""Which of a board's unsent records its site's ledger has, byte for byte: these need no rescue any more."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cbor2

_SIGN1 = 18  # RFC 9052 2: the tag of a signed message
_KEY_ID = 4  # in its protected header; the terminal's id (docs/wire.cddl)

Records = Sequence[tuple[int, bytes]]  # number and signed message
Known = Callable[[Records], bool]


def by_ledger(folder: Path) -> Known:
    """Asks the ledger of the site in `folder` whether it has all of these records as they are.

    Raises:
        NotASiteError: there is no site.
    """
    from scanlatch_tools import site

    place = site.load(folder)
    return lambda records: _has_all(place.ledger_url, records)


def _has_all(url: str, records: Records) -> bool:
    from host_bridge.ledger import scans  # SQLAlchemy: only who names a site pays for it
    from host_bridge.ledger.open import open_existing
    from host_bridge.wire import digest

    digests: dict[tuple[str, int], bytes] = {}
    for seq, message in records:
        device = _device(message)
        if device is None:
            return False
        digests[device, seq] = digest(message)
    ledger = open_existing(url)
    try:
        with ledger.read() as connection:
            return scans.digests(connection, list(digests)) == digests
    finally:
        ledger.close()


def _device(message: bytes) -> str | None:
    """The id of who signed a record; None where it is no record."""
    try:
        made: Any = cbor2.loads(message)
        if made.tag != _SIGN1:
            return None
        return str(cbor2.loads(made.value[0])[_KEY_ID], "ascii")
    except (ValueError, TypeError, AttributeError, IndexError, KeyError):
        return None
