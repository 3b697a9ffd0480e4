"""Writes an evidence bundle: the signed bytes, and what others need to check them; docs/evidence.md has the format."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from host_bridge.audit.choice import Choice, Range, segments
from host_bridge.cbor_strict import encode
from host_bridge.errors import NotFound, PermanentError
from host_bridge.ledger import devices, passed
from host_bridge.ledger.audit import Books, Kept
from host_bridge.ledger.passed import LOST
from host_bridge.texts import text
from host_bridge.wire import Head, WireError, open_head, public_key

NAME: Final = "scanlatch evidence"
VERSION: Final = 1
# First entry of each item, as in docs/evidence.md.
BUNDLE, CA, DEVICE, HEAD, GAP, RECORD, END = range(1, 8)
ABSENT: Final = "absent"
UNREADABLE: Final = "unreadable"


@dataclass(slots=True)
class Written:
    """What went into a bundle; digest is the SHA-256 of the whole file."""

    digest: str
    records: int
    devices: int
    absent: list[str]  # records that should be there and are not


def write(books: Books, choice: Choice, ca: bytes, certificates: Path, to: Path) -> Written:
    """Write a new file. The same ledger gives the same bytes.

    Args:
        books: the ledger at one moment.
        choice: what it is about.
        ca: the CA's certificate, DER.
        certificates: folder with `<device>.der` for each device: the CA's word on its signing key.
        to: must not be there.

    Raises:
        PermanentError: it is there, a device has no certificate, or a head can't be read.
    """
    if to.exists():
        raise PermanentError(text("{to} is there already; evidence is never written over", to=to))
    part = to.with_name(f"{to.name}.part")
    try:
        with part.open("wb") as file:
            written = _Bundle(books, file).write(choice, ca, certificates)
        part.rename(to)
    finally:
        part.unlink(missing_ok=True)
    return written


class _Bundle:
    def __init__(self, books: Books, file: BinaryIO) -> None:
        self._books = books
        self._file = file
        self._hash = hashlib.sha256()
        self._items = 0
        self._absent: list[str] = []
        self._records = 0

    def write(self, choice: Choice, ca: bytes, certificates: Path) -> Written:
        chosen = [[device, first, last] for device, these in sorted(choice.chosen.items()) for first, last in these]
        self._put(BUNDLE, NAME, VERSION, str(choice.words), chosen)
        self._put(CA, ca)
        for device, these in sorted(choice.chosen.items()):
            self._device(device, these, certificates / f"{device}.der")
        self._put(END, self._items, self._hash.digest())
        return Written(self._hash.hexdigest(), self._records, len(choice.chosen), self._absent)

    def _device(self, device: str, chosen: list[Range], certificate: Path) -> None:
        row = devices.get(self._books.connection, device)
        if row is None:
            raise NotFound(text("device"), device)
        if not certificate.is_file():
            raise PermanentError(
                text(
                    "{certificate} is not there: `scanlatch audit certify` makes it, with the CA's key",
                    certificate=certificate,
                )
            )
        self._put(DEVICE, device, row.signing_public, certificate.read_bytes())
        named = (head.newest for head, _ in self._heads(device, row.signing_public) if head.newest <= row.upto)
        shown = segments(chosen, named)
        for message in self._needed(device, row.signing_public, shown):
            self._put(HEAD, message)
        for first, last in shown:
            for record in self._segment(device, first, last):
                self._put(RECORD, record.seq, record.message, False, _verdict(record), _time(record))
                self._records += 1
                for seq, _, message in self._books.conflicts(device, record.seq, record.seq):
                    self._put(RECORD, seq, message, True, None, None)

    def _heads(self, device: str, point: bytes) -> Iterator[tuple[Head, bytes]]:
        key = public_key(point)
        for _, message, _ in self._books.heads(device):
            try:
                yield open_head(message, device, key), message
            except WireError as error:
                raise PermanentError(
                    text(
                        "a head of {device} is not its own ({error}): `scanlatch audit` first",
                        device=device,
                        error=error,
                    )
                ) from error

    def _needed(self, device: str, point: bytes, shown: list[Range]) -> list[bytes]:
        """The first head for each record that one names as its newest, and those that say what was lost."""
        ends, needed = set[int](), list[bytes]()
        lost = [gap for first, last in shown for gap in self._lost(device, first, last)]
        for head, message in self._heads(device, point):
            said = [gap for gap in lost if says_lost(head, gap)]
            inside = head.newest not in ends and any(first <= head.newest <= last for first, last in shown)
            if inside or said:
                needed.append(message)
                ends.add(head.newest)
                lost = [gap for gap in lost if gap not in said]
        return needed

    def _lost(self, device: str, first: int, last: int) -> Iterator[Range]:
        """Pieces of a segment that the ledger says were lost and that did not come after all."""
        for known in passed.overlapping(self._books.connection, device, first, last):
            if known.how == LOST:
                at, end = max(first, known.first), min(last, known.last)
                for record in self._books.records(device, at, end):
                    if at < record.seq:
                        yield at, record.seq - 1
                    at = record.seq + 1
                if at <= end:
                    yield at, end

    def _segment(self, device: str, first: int, last: int) -> Iterator[Kept]:
        """Its records; what stands in the place of one that is not there is written as it comes."""
        at = first
        for record in self._books.records(device, first, last):
            self._between(device, at, record.seq - 1)
            yield record
            at = record.seq + 1
        self._between(device, at, last)

    def _between(self, device: str, first: int, last: int) -> None:
        if first > last:
            return
        for known in passed.overlapping(self._books.connection, device, first, last):
            start, end = max(first, known.first), min(last, known.last)
            self._gap(device, first, start - 1, ABSENT)
            self._gap(device, start, end, LOST if known.how == LOST else UNREADABLE, known.digest)
            first = end + 1
        self._gap(device, first, last, ABSENT)

    def _gap(self, device: str, first: int, last: int, how: str, digest: bytes | None = None) -> None:
        """Records that are not there; of bytes that could not be read the digest, which the next record names."""
        if first <= last:
            self._put(GAP, first, last, how, digest)
            if how == ABSENT:
                self._absent.append(f"{device} {first} to {last}")

    def _put(self, *item: object) -> None:
        data = encode(list(item))
        self._file.write(data)
        self._hash.update(data)
        self._items += 1


def says_lost(head: Head, gap: Range) -> bool:
    """Whether a head says of all these seqs that the device has them no more."""
    first, last = gap
    return last < head.oldest or any(one[0] <= first and last <= one[1] for one in head.missing)


def _time(record: Kept) -> list[object] | None:
    """When it was captured as the bridge knows it, ms UTC, and how; None where it came before that was looked at."""
    return None if record.corrected_at is None else [record.corrected_at, record.corrected_by]


def _verdict(record: Kept) -> list[int] | None:
    """Today's verdict: outcome, reason, when it was decided (ms UTC)."""
    if record.outcome is None:
        return None
    if record.final is not None:
        return [record.final, record.final_reason or 0, record.final_at or 0]
    return [record.outcome, record.reason or 0, record.decided_at or 0]
