# One sector of the journal: its header, its entries, and every flash call that reads or writes them.
#
#   0  header, 32 bytes: magic, format, journal id, serial, erase count, CRC-32
#  32  first entry, a mark programmed with the header: what was freed when the sector was erased
#  48  entries, each on a 16-byte boundary: length u16, kind u8, 0, CRC-32, bytes
#      bytes of a record (kind 1): seq u64, message; of a mark (kind 2): freed up to u64
#
# All numbers are little-endian. An entry's CRC begins with the journal id, the sector's serial and the offset, so
# that nothing inside a record's bytes, and nothing left from an earlier life, is ever taken for an entry.
import struct
from binascii import crc32

from micropython import const

RECORD = const(1)
MARK = const(2)
SECTOR = const(4096)
LINE = const(16)
FIRST = const(48)  # where entries begin, behind header and first mark
LARGEST = const(1024)  # bytes of a message; the largest scan of the contract has about 850
_MAGIC = b"SLJR"
_FORMAT = const(1)
_HEADER = "<4sHH8sIII"  # magic, format, 0, journal id, serial, erases, CRC-32 of what stands before it
_HEADER_CRC = const(24)
_MARK_AT = const(32)
_HEAD = const(8)  # length, kind, 0, CRC-32
_SEQ = const(8)
_ENTRY = const(1040)  # LARGEST + head + seq
_PEEK = const(512)  # bytes read of a sector to know its header and first record
_BLANK = b"\xff" * LINE
_BLANKS = b"\xff" * 256


def extent(size):
    """Bytes of flash that a message of `size` bytes takes."""
    return (_HEAD + _SEQ + size + LINE - 1) & ~(LINE - 1)


class Sectors:
    """The sectors of one flash partition, as journal `journal_id` (8 bytes) writes them.

    After `find` or `at` succeeded, `kind`, `number` (seq, or freed up to) and `size` (bytes of flash) tell of the
    entry, and `message()` gives its bytes.
    """

    def __init__(self, flash, journal_id):
        self._flash = flash
        self._id = bytes(journal_id)
        self.count = flash.ioctl(4, 0)
        self.programs = 0
        self.erases = 0
        self._in = bytearray(_ENTRY)
        self._out = bytearray(_ENTRY)
        self._window = memoryview(self._in)
        self._entry = memoryview(self._out)
        self._block = -1  # what the window holds: block, from, to
        self._from = 0
        self._to = 0
        self.serial = self.wear = self.freed = 0
        self.kind = self.number = self.size = 0

    def header(self, block):
        """True where the block has a header of this journal: then `serial`, `wear` and `freed` are set."""
        self._block = -1
        if not self._load(block, 0, _PEEK, _PEEK):
            return False
        magic, layout, zero, owner, serial, wear, crc = struct.unpack_from(_HEADER, self._in, 0)
        if magic != _MAGIC or layout != _FORMAT or zero or owner != self._id or not serial:
            return False
        if crc != crc32(self._window[:_HEADER_CRC]):
            return False
        self.serial, self.wear = serial, wear
        self.freed = self.number if self.at(block, serial, _MARK_AT) and self.kind == MARK else 0
        return True

    def prepare(self, block, serial, wear, freed):
        """Erase a block, then program its header and first mark; False where it doesn't read as it should."""
        if not self.erase(block) or not self._blank(block):
            return False
        self._fill(_MARK_AT, serial, _MARK_AT, MARK, freed, b"")
        out = self._out
        struct.pack_into(_HEADER, out, 0, _MAGIC, _FORMAT, 0, self._id, serial, wear, 0)
        struct.pack_into("<II", out, _HEADER_CRC, crc32(self._entry[:_HEADER_CRC]), 0xFFFFFFFF)
        return self._program(block, 0, FIRST)

    def erase(self, block):
        """Erase a block; False where the flash says it can't."""
        self._block = -1
        self.erases += 1
        try:
            self._flash.ioctl(6, block)
        except OSError:
            return False
        return True

    def put(self, block, serial, offset, kind, number, message):
        """Program one entry in one flash call and read it back; False where it doesn't read as written."""
        return self._program(block, offset, self._fill(0, serial, offset, kind, number, message))

    def find(self, block, serial, offset):
        """Offset of the first valid entry at or behind `offset`; -1 where there is none."""
        while offset <= SECTOR - LINE:
            if self.at(block, serial, offset):
                return offset
            offset += LINE
            while offset < SECTOR and self._load(block, offset, LINE, _ENTRY) and self._line(offset) == _BLANK:
                offset += LINE
        return -1

    def at(self, block, serial, offset):
        """True where a valid entry of the sector `serial` begins at `offset`."""
        if not self._load(block, offset, LINE, _ENTRY):
            return False
        start = offset - self._from
        length, kind, zero, crc = struct.unpack_from("<HBBI", self._in, start)
        size = (_HEAD + length + LINE - 1) & ~(LINE - 1)
        if zero or length < _SEQ or size > _ENTRY or offset + size > SECTOR:
            return False
        if kind != RECORD and (kind != MARK or length != _SEQ):
            return False
        if not self._load(block, offset, size, _ENTRY):
            return False
        start = offset - self._from
        if crc != self._crc(self._window[start : start + size], serial, offset, length):
            return False
        self.kind, self.size = kind, size
        self.number = struct.unpack_from("<Q", self._in, start + _HEAD)[0]
        self._length, self._start = length, start
        return True

    def message(self):
        """View of the found entry's bytes behind its seq, good until the next call."""
        return self._window[self._start + _HEAD + _SEQ : self._start + _HEAD + self._length]

    def _fill(self, start, serial, offset, kind, number, message):
        # Make an entry for `offset` at `start` of the output buffer; its size in flash.
        out, entry = self._out, self._entry[start:]
        length, size = _SEQ + len(message), extent(len(message))
        struct.pack_into("<HBBIQ", out, start, length, kind, 0, 0, number)
        entry[_HEAD + _SEQ : _HEAD + length] = message
        for i in range(_HEAD + length, size):
            entry[i] = 0xFF
        struct.pack_into("<I", out, start + 4, self._crc(entry, serial, offset, length))
        return size

    def _blank(self, block):
        for begin in range(0, SECTOR, len(_BLANKS)):
            self._block = -1
            if not self._load(block, begin, len(_BLANKS), 0) or self._window[: len(_BLANKS)] != _BLANKS:
                return False
        return True

    def _line(self, offset):
        return self._window[offset - self._from : offset - self._from + LINE]

    def _crc(self, entry, serial, offset, length):
        crc = crc32(struct.pack("<8sII", self._id, serial, offset))
        return crc32(entry[_HEAD : _HEAD + length], crc32(entry[:4], crc)) & 0xFFFFFFFF

    def _load(self, block, offset, need, much):
        # Have `need` bytes from `offset` in the window; where they must be read, read `much`.
        if block == self._block and self._from <= offset and offset + need <= self._to:
            return True
        size = min(max(need, much), SECTOR - offset)
        if size < need:
            return False
        self._block = -1
        try:
            self._flash.readblocks(block, self._window[:size], offset)
        except OSError:
            return False
        self._block, self._from, self._to = block, offset, offset + size
        return True

    def _program(self, block, offset, size):
        self.programs += 1
        self._block = -1
        try:
            self._flash.writeblocks(block, self._entry[:size], offset)
        except OSError:
            return False
        return self._load(block, offset, size, size) and self._window[:size] == self._entry[:size]
