# The journal's sectors in the order of their serials: which are prepared, which hold what is still needed.
from array import array

from micropython import const
from scanlatch.keep.sector import FIRST, RECORD, SECTOR, Sectors, extent

AHEAD = const(2)  # sectors prepared ahead at least
KEPT_BACK = const(2)  # sectors that only copies, marks and second tries may take
_AHEAD_MOST = const(8)  # about 150 scans of twenty digits without 300 ms of quiet between them
_AHEAD_SHARE = const(16)  # one sector in so many is prepared ahead, between those two limits
_NEVER = (1 << 62) - 1


class Ring:
    """Order and use of the sectors.

    Attributes:
        order: block numbers, those without a header first, then by serial.
        low: first seq in each block, 0 where it holds no record.
        fresh: blocks prepared in this boot, in the order in which they will be opened. Those of earlier boots are
            never opened: a program or erase that a cut left half done may not show, and read otherwise tomorrow.
        open, at: block being written (-1 none) and the offset of its next entry.
        opened: True once a sector was opened in this boot.
        home: block of the newest record (-1 none), of its earliest copy while none is proven; never erased.
        marked: block with the highest freed mark (-1 none); erased only where nothing else is left.
        spare: blocks that hold nothing needed, prepared ones among them.
        oldest: lowest seq that can be read (0 none).
        turn: the freed mark from which more is spare.
    """

    def __init__(self, sectors):
        self.sectors = sectors
        self.count = count = sectors.count
        self.order = array("H", range(count))
        self.low = array("Q", bytes(8 * count))
        self.serial = array("I", bytes(4 * count))
        self.wear = array("I", bytes(4 * count))
        self._live = bytearray(count)
        self._bad = bytearray(count)
        self.fresh = []
        self.top = 0
        self.open = self.home = self.marked = -1
        self.at = SECTOR
        self.opened = False
        self.spare = self.oldest = 0
        self.turn = _NEVER
        self.ahead = max(AHEAD, min(_AHEAD_MOST, count // _AHEAD_SHARE))

    def survey(self):
        """Read every header and first record. Returns the highest freed mark that stands beside a header, or
        None where the flash holds nothing of this journal."""
        sectors, freed, wear = self.sectors, 0, 0
        self.fresh, self.opened, self.marked = [], False, -1
        for block in range(self.count):
            self._bad[block] = 0
            self.serial[block] = self.low[block] = 0
            if sectors.header(block):
                self.serial[block], self.wear[block] = sectors.serial, sectors.wear
                wear = max(wear, sectors.wear)
                if sectors.freed > freed:
                    freed, self.marked = sectors.freed, block
                self.low[block] = self._first_record(block)
        order = sorted(range(self.count), key=self._serial_of)
        for i in range(self.count):
            self.order[i] = order[i]
            if not self.serial[i]:
                self.wear[i] = wear  # its header is gone; the ring wears evenly
        self.top = self.serial[order[-1]]
        return freed if self.top else None

    def _first_record(self, block):
        sectors, serial = self.sectors, self.serial[block]
        offset = sectors.find(block, serial, FIRST)
        while offset >= 0 and sectors.kind != RECORD:
            offset = sectors.find(block, serial, offset + sectors.size)
        return sectors.number if offset >= 0 else 0

    def _serial_of(self, block):
        return self.serial[block]

    def recount(self, freed, newest):
        """Find anew which sectors are needed, after records, marks or sectors came or went. `freed` is what stands on
        the flash: what is only known would be forgotten at the next boot, and the ring be fuller than it was."""
        spare, upper, oldest, turn = 0, newest, 0, _NEVER
        for i in range(self.count - 1, -1, -1):
            block = self.order[i]
            low, live = self.low[block], block == self.home
            if low and low <= upper:  # else a later sector holds copies of all it has
                if upper > freed and not live:
                    live, turn = True, upper
                oldest, upper = low, low - 1
            self._live[block] = live
            if not live and block != self.open and not self._bad[block]:
                spare += 1
        self.spare, self.oldest, self.turn = spare, oldest, turn

    def next_to_prepare(self):
        """Block that is erased next: of those not needed one without a record, else the one with the oldest; -1
        where there is none."""
        found = -1
        if self.spare <= len(self.fresh):
            return found
        for block in self.order:
            if self._live[block] or self._bad[block] or block == self.open or block in self.fresh:
                continue
            if not self.low[block] and block != self.marked:
                return block
            if found < 0 or found == self.marked:
                found = block
        return found

    def prepare(self, block, freed):
        """Erase a block and make it the last of the prepared ones. Where that fails, False, and it is left alone
        until the next boot."""
        self.low[block] = self.serial[block] = 0
        self.wear[block] += 1
        self.top += 1
        if not self.sectors.prepare(block, self.top, self.wear[block], freed):
            self._bad[block] = 1
            return False
        self.serial[block] = self.top
        order, moved = self.order, False
        for i in range(self.count - 1):
            moved = moved or order[i] == block
            if moved:
                order[i] = order[i + 1]
        order[self.count - 1] = block
        self.fresh.append(block)
        self.marked = block
        return True

    def open_next(self):
        """Open the next prepared sector; False where there is none."""
        if not self.fresh:
            return False
        self.open, self.at, self.opened = self.fresh.pop(0), FIRST, True
        return True

    def close(self):
        """Write nothing more into the open sector."""
        self.open, self.at = -1, SECTOR

    def fits(self, size):
        """True where a message of `size` bytes fits into the open sector."""
        return self.at + extent(size) <= SECTOR


def erase_all(flash, journal_id):
    """Make the whole partition an empty journal; False where the flash doesn't do it."""
    sectors = Sectors(flash, journal_id)
    ring = Ring(sectors)
    for block in range(sectors.count):
        if not sectors.erase(block):
            return False
    return ring.prepare(0, 0)
