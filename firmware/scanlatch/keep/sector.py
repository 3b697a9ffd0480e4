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
FIRST = const(48)  # where entries begin, behind header and first mark
LARGEST = const(1024)  # bytes of a message; the largest scan of the contract has about 850
_LINE = const(16)
_MAGIC = const(b"SLJR")
_FORMAT = const(1)
_SERIAL_AT = const(16)  # serial, erases
_HEADER_CRC = const(24)
_MARK_AT = const(32)
_HEAD = const(8)  # length, kind, 0, CRC-32
_SEQ = const(8)
_ENTRY = const(1040)  # LARGEST + head + seq
_PIECE = const(1024)  # bytes that are looked at together behind an erase
_READS = const(2)  # a sector that could not be read once is not one without records
_BLANK = b"\xff" * _LINE


def extent(size):
    """Bytes of flash that a message of `size` bytes takes."""
    return (_HEAD + _SEQ + size + _LINE - 1) & ~(_LINE - 1)


class Sectors:
    """The sectors of one flash partition, as journal `id` (8 bytes) writes them.

    To read one: `begin` with its block, then `next` until there is no more. After `next` or `at` returned True, `kind`,
    `number` (seq, or freed up to) and `size` (bytes of flash) tell of the entry; `message` is a view of its bytes
    behind the seq, good until the next call.
    """

    def __init__(self, flash, journal_id):
        self._flash = flash
        self.id = journal_id
        self.count = flash.ioctl(4, 0)
        # One window for what is read and for what is to be written: bytes `from` to `to` of the block.
        self._window = memoryview(bytearray(_ENTRY))
        self._block = self._from = self._to = self._next = 0
        self.serial = self.wear = self.kind = self.number = self.size = 0
        self.message = b""

    def begin(self, block):
        """Read a sector from its start. True where it has a header of this journal: `serial` and `wear` are its."""
        window = self._window
        self._block, self._to, self._next, self.serial = block, 0, FIRST, 0
        if not self._load(0, FIRST, _ENTRY):
            return False
        self.serial, self.wear = struct.unpack_from("<II", window, _SERIAL_AT)
        return self.serial > 0 and window[: _HEADER_CRC + 4] == self._header(self.serial, self.wear)

    def next(self):
        """Find the next valid entry; False where there is none."""
        offset = self._next
        while offset <= SECTOR - _LINE:
            if self.at(offset):
                self._next = offset + self.size
                return True
            offset += _LINE
            while offset < SECTOR and self._load(offset, _LINE, _ENTRY):
                start = offset - self._from
                if self._window[start : start + _LINE] != _BLANK:
                    break
                offset += _LINE
        return False

    def at(self, offset):
        """True where a valid entry begins at `offset`."""
        if not self._load(offset, _LINE, _ENTRY):
            return False
        length, kind, zero, crc = struct.unpack_from("<HBBI", self._window, offset - self._from)
        size = extent(length - _SEQ)
        if zero or length < _SEQ or size > _ENTRY or offset + size > SECTOR:
            return False
        if kind != RECORD and (kind != MARK or length != _SEQ):
            return False
        if not self._load(offset, size, _ENTRY):
            return False
        start = offset - self._from
        entry = self._window[start : start + _HEAD + length]
        if crc != self._crc(entry, self.serial, offset):
            return False
        self.kind, self.size = kind, size
        self.number = struct.unpack_from("<Q", entry, _HEAD)[0]
        self.message = entry[_HEAD + _SEQ :]
        return True

    def prepare(self, block, serial, freed):
        """Erase a sector, then program its header and first mark; False where it doesn't read as it should."""
        window = self._window
        wear = self.wear if self.begin(block) else (serial - 1) // self.count  # no header yet, or lost: as the others
        self._to = 0
        try:
            self._flash.ioctl(6, block)
        except OSError:
            return False
        for offset in range(0, SECTOR, _PIECE):
            if not self._load(offset, _PIECE, 0):
                return False
            if window[:_LINE] != _BLANK or window[_LINE:_PIECE] != window[: _PIECE - _LINE]:
                return False
        self._fill(_MARK_AT, serial, _MARK_AT, MARK, freed, b"")
        window[: _HEADER_CRC + 4] = self._header(serial, wear + 1)
        window[_HEADER_CRC + 4 : _MARK_AT] = _BLANK[:4]
        return self._program(0, FIRST, b"")

    def put(self, block, serial, offset, kind, number, message):
        """Program one entry in one flash call and read it back; False where it doesn't read as written."""
        self._block = block
        self._fill(0, serial, offset, kind, number, message)
        return self._program(offset, _HEAD + _SEQ, message)

    def _header(self, serial, wear):
        head = struct.pack("<4sHH8sII", _MAGIC, _FORMAT, 0, self.id, serial, wear)
        return head + struct.pack("<I", crc32(head))

    def _crc(self, entry, serial, offset):
        crc = crc32(struct.pack("<8sII", self.id, serial, offset))
        return crc32(entry[_HEAD:], crc32(entry[:4], crc)) & 0xFFFFFFFF

    def _fill(self, start, serial, offset, kind, number, message):
        # Make an entry for `offset` at `start` of the window.
        self._to = 0
        size = _HEAD + _SEQ + len(message)
        entry = self._window[start : start + size]
        struct.pack_into("<HBBIQ", entry, 0, size - _HEAD, kind, 0, 0, number)
        entry[_HEAD + _SEQ :] = message
        struct.pack_into("<I", entry, 4, self._crc(entry, serial, offset))

    def _program(self, offset, start, message):
        # The window's first `start` bytes, the message behind them and blanks up to a line, read back into the same.
        window = self._window
        head, end = bytes(window[:start]), start + len(message)
        blank = _BLANK[: -end & (_LINE - 1)]
        size = end + len(blank)
        window[end:size] = blank
        try:
            self._flash.writeblocks(self._block, window[:size], offset)
        except OSError:
            return False
        if not self._load(offset, size, size):
            return False
        return window[:start] == head and window[start:end] == message and window[end:size] == blank

    def _load(self, offset, need, much):
        # Have `need` bytes from `offset` in the window; where they must be read, read `much`.
        if self._from <= offset and offset + need <= self._to:
            return True
        size = min(max(need, much), SECTOR - offset)
        if size < need:
            return False
        self._to = 0
        for _ in range(_READS):
            try:
                self._flash.readblocks(self._block, self._window[:size], offset)
            except OSError:
                continue
            self._from, self._to = offset, offset + size
            return True
        return False
