"""Whether a journal holds what the bridge may not have: read through the loader, told by the terminal's own reader."""

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scanlatch_tools import places
from scanlatch_tools.flash.handed import Known
from scanlatch_tools.flash.partitions import SECTOR, Partition
from scanlatch_tools.twin import interpreter

_MAGIC = b"SLJR"  # of a sector's header, and where in it the journal's id stands
_HEADER = 32
_ID = slice(8, 16)
_IDS_MOST = 4
_LENGTH = 4  # bytes before each record that the reader writes
_HEAP = "2M"
_LONGEST_S = 60.0

Read = Callable[[int, int], bytes]

_READER = """
import json, sys
from scanlatch.keep.journal import Journal, JournalError

class Flash:
    def __init__(self, path, sectors):
        self.file, self.sectors = open(path, "r+b"), sectors
    def ioctl(self, op, arg=0):
        if op == 6:
            self.file.seek(arg * 4096)
            self.file.write(b"\\xff" * 4096)
        return self.sectors if op == 4 else 4096 if op == 5 else 0
    def readblocks(self, block, buf, offset=0):
        self.file.seek(block * 4096 + offset)
        self.file.readinto(buf)
    def writeblocks(self, block, buf, offset=0):
        self.file.seek(block * 4096 + offset)
        self.file.write(buf)

journal = Journal(Flash(sys.argv[1], int(sys.argv[2])), bytes.fromhex(sys.argv[3]))
try:
    journal.recover()
    if len(sys.argv) > 4:
        with open(sys.argv[4], "wb") as out:
            for seq in range(max(journal.freed + 1, journal.oldest), journal.newest + 1):
                record = journal.read(seq) or b""
                out.write(len(record).to_bytes(4, "big"))
                out.write(record)
    print(json.dumps([journal.newest, journal.freed, journal.oldest, journal.fault or ""]))
except JournalError as error:
    print(json.dumps([0, 0, 0, str(error)]))
"""


@dataclass(frozen=True, slots=True)
class Holds:
    """What a journal holds.

    sectors: those that have a header of a journal; first, last: numbers of the records that the bridge may not have,
    0 where it has all; fault: why they could not be told, "" where they could; handed: how many more the terminal
    takes for unsent, and the ledger has.
    """

    sectors: tuple[int, ...]
    first: int = 0
    last: int = 0
    fault: str = ""
    handed: int = 0

    @property
    def unsent(self) -> int:
        """How many records the bridge may not have."""
        return self.last - self.first + 1 if self.last else 0


@dataclass(frozen=True, slots=True)
class _One:
    """One journal as its reader tells it. unsent: records behind `freed`, where they were asked for."""

    newest: int = 0
    freed: int = 0
    oldest: int = 0
    fault: str = ""
    unsent: tuple[tuple[int, bytes], ...] = ()

    @property
    def first(self) -> int:
        """Number of the first record that the terminal takes for unsent."""
        return max(self.freed + 1, self.oldest)


def holds(read: Read, part: Partition, progress: Callable[[int, int], None], known: Known | None = None) -> Holds:
    """Look into the partition of a journal.

    Args:
        read: (address, bytes) of the flash.
        part: where the journal lies.
        progress: gets bytes read, and of how many.
        known: whether the ledger has all of these records; None: nobody knows.
    """
    count = part.size // SECTOR
    heads: dict[int, bytes] = {}
    for number in range(count):
        head = read(part.at + number * SECTOR, _HEADER)
        if head[:4] == _MAGIC:
            heads[number] = head
        progress(number + 1, count)
    if not heads:
        return Holds(())
    ids = sorted({head[_ID] for head in heads.values()})
    with tempfile.TemporaryDirectory(prefix="scanlatch") as folder:
        copy = Path(folder) / "scanlog.bin"
        copy.write_bytes(_copied(read, part, sorted(heads), progress))
        found = [_asked(copy, count, journal, known is not None) for journal in ids[:_IDS_MOST]]
        return _told(tuple(heads), found, known)


def _copied(read: Read, part: Partition, sectors: Sequence[int], progress: Callable[[int, int], None]) -> bytes:
    """The partition with the sectors that have a header; the reader looks at no others."""
    made = bytearray(b"\xff" * part.size)
    for done, number in enumerate(sectors, 1):
        made[number * SECTOR : (number + 1) * SECTOR] = read(part.at + number * SECTOR, SECTOR)
        progress(done, len(sectors))
    return bytes(made)


def _asked(copy: Path, sectors: int, journal: bytes, with_records: bool) -> _One:
    """One journal in the copy, and what is wrong with it."""
    whole = copy.read_bytes()  # to recover is to write
    unsent = copy.with_name("unsent")
    try:
        reader = copy.with_name("reader.py")
        reader.write_text(_READER)
        more = [str(unsent)] if with_records else []
        done = interpreter.run(
            [str(reader), str(copy), str(sectors), journal.hex(), *more],
            interpreter.search_path(places.firmware(), stand_ins=False),
            heap=_HEAP,
            timeout=_LONGEST_S,
        )
        if done.returncode:
            return _One(fault=done.stderr.strip().rpartition("\n")[2] or "the reader ended")
        newest, freed, oldest, fault = json.loads(done.stdout.splitlines()[-1])
        one = _One(int(newest), int(freed), int(oldest), str(fault))
        return replace(one, unsent=tuple(enumerate(_split(unsent.read_bytes()), one.first))) if unsent.exists() else one
    except interpreter.NoInterpreterError as error:
        return _One(fault=str(error))
    finally:
        copy.write_bytes(whole)
        unsent.unlink(missing_ok=True)


def _split(raw: bytes) -> Iterator[bytes]:
    """The records of a file that has each behind its length."""
    at = 0
    while at < len(raw):
        size = int.from_bytes(raw[at : at + _LENGTH], "big")
        yield raw[at + _LENGTH : at + _LENGTH + size]
        at += _LENGTH + size


def _told(sectors: tuple[int, ...], found: Sequence[_One], known: Known | None) -> Holds:
    handed = 0
    for one in found:
        if one.newest > one.freed:
            if known is None or one.fault or not known(one.unsent):
                return Holds(sectors, one.first, one.newest, one.fault)
            handed += one.newest - one.first + 1
    return Holds(sectors, fault=next((one.fault for one in found if one.fault), ""), handed=handed)
