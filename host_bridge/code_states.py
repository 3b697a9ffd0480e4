"""What a sale, a part of an opened box, and taking either back make of a code and of where its box lies."""

from host_bridge.ledger.codes import CLAIMED, FREE, OPENED, SOLD, CodeRow
from host_bridge.ledger.scans import Pair

Holder = tuple[str, int, str | None]  # device, seq and site of a sale


def claim(row: CodeRow, holder: Holder, now: int) -> None:
    """The code is this sale's, until the platform has answered."""
    _hold(row, CLAIMED, holder, now)


def open_part(row: CodeRow, holder: Holder, now: int) -> None:
    """One more part of the box is dispensed; the first opens it."""
    parts = row.parts if row.state == OPENED else 0
    _hold(row, OPENED, holder, now)
    row.parts = parts + 1


def sell_again(row: CodeRow, holder: Holder, split: bool, now: int) -> None:
    """A sale that was taken back stands again, under another record."""
    if split:
        open_part(row, holder, now)
    else:
        claim(row, holder, now)


def may_sell_again(row: CodeRow, site: str | None, split: bool, content: int) -> bool:
    """Whether what `site` took back is still there, and nothing was made of it since."""
    if split and row.state == OPENED:
        return row.site == site and row.parts < content
    return row.state == FREE and row.stock == site


def settled(row: CodeRow, sale: Pair, now: int) -> bool:
    """The platform took the sale; False where that changes nothing."""
    if row.state != CLAIMED or (row.device, row.seq) != sale:
        return False
    row.state, row.since = SOLD, now
    return True


def give_back(row: CodeRow, sale: Pair, split: bool, now: int) -> bool:
    """The sale does not stand, so the box is its site's again, or one part of it is; False where it held nothing."""
    if split and row.state == OPENED and row.parts > 1:
        row.parts -= 1
        row.since = now
        return True
    holds = row.state == OPENED if split else (row.device, row.seq) == sale
    if not holds or row.state == FREE:
        return False
    row.stock, row.state, row.since = row.site, FREE, now
    row.device = row.seq = row.site = None
    row.parts = 0
    return True


def _hold(row: CodeRow, state: str, holder: Holder, now: int) -> None:
    row.state, row.since = state, now
    row.device, row.seq, row.site = holder
    row.stock = None
    row.repeats = row.parts = 0
