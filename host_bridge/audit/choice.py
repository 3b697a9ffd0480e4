"""Which records an evidence bundle is about, and how far each terminal's chain is shown around them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

from host_bridge.errors import BadInput, NotFound
from host_bridge.ledger import devices
from host_bridge.ledger.audit import Books
from host_bridge.ledger.scans import Pair, pair_of
from host_bridge.texts import text

Range = tuple[int, int]  # seqs, both included

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Choice:
    """What a bundle is about, in words, and the records of each device."""

    words: str
    chosen: dict[str, list[Range]]  # in order, none touches another


def of_code(books: Books, code: str) -> Choice:
    """Every record of a code, and what took one of them back. Raises NotFound."""
    found: set[Pair] = set()
    for device, seq, taker in books.about(code):
        found.add((device, seq))
        pair = pair_of(taker)
        while pair is not None and pair not in found:
            found.add(pair)
            record = books.find(*pair)
            pair = pair_of(record.voided_by) if record else None
    if not found:
        raise NotFound(text("record of code"), code)
    chosen: dict[str, list[Range]] = {}
    for device in sorted({device for device, _ in found}):
        chosen[device] = _runs(seq for name, seq in sorted(found) if name == device)
    return Choice(text("code {code}", code=code), chosen)


def of_device(books: Books, device: str, first: int | None, last: int | None) -> Choice:
    """The records of a device, or those from seq `first` to `last`. Raises NotFound, BadInput."""
    row = devices.get(books.connection, device)
    if row is None:
        raise NotFound(text("device"), device)
    first, last = first or 1, min(last or row.newest, row.newest)
    if not 1 <= first <= last:
        raise BadInput(
            "--from, --to", text("the records of {device} are 1 to {newest}", device=device, newest=row.newest)
        )
    return Choice(
        text("device {device}, records {first} to {last}", device=device, first=first, last=last),
        {device: [(first, last)]},
    )


def of_day(books: Books, day: str, site: str, utc_offset: str) -> Choice:
    """The records that bear a day's time and were captured at a site. Raises NotFound, BadInput."""
    start = _start(day, utc_offset)
    chosen: dict[str, list[Range]] = {}
    for row in devices.every(books.connection):
        runs = _runs(books.captured(row.id, site, start, start + _DAY_MS))
        if runs:
            chosen[row.id] = runs
    if not chosen:
        raise NotFound(text("record of site and day"), f"{site}, {day}")
    return Choice(text("site {site}, day {day} (UTC{offset})", site=site, day=day, offset=utc_offset), chosen)


def segments(chosen: list[Range], heads: Iterable[int]) -> list[Range]:
    """How far the chain is shown: from each chosen record to the first that a head names as its newest.

    What is above the last head is shown as one piece.
    """
    named = sorted(set(heads))
    shown: list[Range] = []
    at = 0
    for first, last in chosen:
        while at < len(named) and named[at] < last:
            at += 1
        end = named[at] if at < len(named) else chosen[-1][1]
        if shown and first <= shown[-1][1] + 1:
            shown[-1] = shown[-1][0], max(shown[-1][1], end)
        else:
            shown.append((first, end))
    return shown


def _runs(seqs: Iterable[int]) -> list[Range]:
    runs: list[Range] = []
    for seq in seqs:
        if runs and seq == runs[-1][1] + 1:
            runs[-1] = runs[-1][0], seq
        else:
            runs.append((seq, seq))
    return runs


def _start(day: str, utc_offset: str) -> int:
    """First ms UTC of a day (yyyy-mm-dd) at a place whose clocks are `utc_offset` (+hh:mm) ahead of UTC."""
    try:
        hours, _, minutes = utc_offset[1:].partition(":")
        ahead = timedelta(hours=int(hours), minutes=int(minutes)) * {"+": 1, "-": -1}[utc_offset[:1]]
        midnight = datetime.combine(date.fromisoformat(day), datetime.min.time(), timezone(ahead))
    except (ValueError, KeyError):
        raise BadInput("--day, --utc-offset", text("a day as yyyy-mm-dd, and an offset as +08:00")) from None
    return int(midnight.astimezone(UTC).timestamp() * 1000)
