"""Whether a journal holds what the bridge may not have: read through the loader, told by the terminal's own reader."""

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scanlatch_tools import places
from scanlatch_tools.flash.partitions import SECTOR, Partition
from scanlatch_tools.twin import interpreter

_MAGIC = b"SLJR"  # of a sector's header, and where in it the journal's id stands
_HEADER = 32
_ID = slice(8, 16)
_IDS_MOST = 4
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
    print(json.dumps([journal.newest, journal.freed, journal.oldest, journal.fault or ""]))
except JournalError as error:
    print(json.dumps([0, 0, 0, str(error)]))
"""


@dataclass(frozen=True, slots=True)
class Holds:
    """What a journal holds.

    sectors: those that have a header of a journal; first, last: numbers of the records that the bridge may not have,
    0 where it has all; fault: why they could not be told, "" where they could.
    """

    sectors: tuple[int, ...]
    first: int = 0
    last: int = 0
    fault: str = ""

    @property
    def unsent(self) -> int:
        """How many records the bridge may not have."""
        return self.last - self.first + 1 if self.last else 0


def holds(read: Read, part: Partition, progress: Callable[[int, int], None]) -> Holds:
    """Look into the partition of a journal.

    Args:
        read: (address, bytes) of the flash.
        part: where the journal lies.
        progress: gets bytes read, and of how many.
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
        return _told(tuple(heads), [_asked(copy, count, journal) for journal in ids[:_IDS_MOST]])


def _copied(read: Read, part: Partition, sectors: Sequence[int], progress: Callable[[int, int], None]) -> bytes:
    """The partition with the sectors that have a header; the reader looks at no others."""
    made = bytearray(b"\xff" * part.size)
    for done, number in enumerate(sectors, 1):
        made[number * SECTOR : (number + 1) * SECTOR] = read(part.at + number * SECTOR, SECTOR)
        progress(done, len(sectors))
    return bytes(made)


def _asked(copy: Path, sectors: int, journal: bytes) -> tuple[int, int, int, str]:
    """Newest, freed and oldest number of one journal in the copy, and what is wrong with it."""
    whole = copy.read_bytes()  # to recover is to write
    try:
        reader = copy.with_name("reader.py")
        reader.write_text(_READER)
        done = interpreter.run(
            [str(reader), str(copy), str(sectors), journal.hex()],
            interpreter.search_path(places.firmware(), stand_ins=False),
            heap=_HEAP,
            timeout=_LONGEST_S,
        )
        if done.returncode:
            return 0, 0, 0, done.stderr.strip().rpartition("\n")[2] or "the reader ended"
        newest, freed, oldest, fault = json.loads(done.stdout.splitlines()[-1])
        return int(newest), int(freed), int(oldest), str(fault)
    except interpreter.NoInterpreterError as error:
        return 0, 0, 0, str(error)
    finally:
        copy.write_bytes(whole)


def _told(sectors: tuple[int, ...], found: Sequence[tuple[int, int, int, str]]) -> Holds:
    for newest, freed, oldest, fault in found:
        if newest > freed:
            return Holds(sectors, max(freed + 1, oldest), newest, fault)
    return Holds(sectors, fault=next((fault for *_, fault in found if fault), ""))
