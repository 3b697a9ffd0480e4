# The journal's sectors in the order of their serials: which are prepared, which hold what is still needed.
from array import array

from micropython import const
from scanlatch.keep.sector import FIRST, RECORD, SECTOR, Sectors, extent

KEPT_BACK = const(2)  # prepared sectors that only copies, marks and second tries may take
_AHEAD_LEAST = const(2)
_AHEAD_MOST = const(8)  # about 150 scans of twenty digits without 300 ms of quiet between them
_AHEAD_SHARE = const(16)  # one sector in so many is prepared ahead, between those two limits
_EMPTY = const(1)
_USED = const(2)
_NEVER = (1 << 62) - 1


class Ring:
    """Order and use of the sectors.

    Attributes:
        order: block numbers, those without a header first, then by serial.
        low: first seq in each block, 0 where it holds no record.
        fresh: prepared blocks in the order in which they will be opened.
        open, at: block being written (-1 none) and the offset of its next entry.
        home: block of the newest record (-1 none); never erased.
        spare: blocks that hold nothing needed, prepared ones among them.
        oldest: lowest seq that can be read (0 none).
        turn: the freed seq from which `spare` changes.
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
        self.open = self.home = -1
        self.at = SECTOR
        self.spare = self.oldest = 0
        self.turn = _NEVER
        self.want = KEPT_BACK + max(_AHEAD_LEAST, min(_AHEAD_MOST, count // _AHEAD_SHARE))

    def survey(self):
        """Read every header and first record. Returns the highest freed mark that stands beside a header, or
        None where the flash holds nothing of this journal."""
        sectors, freed, known, wear = self.sectors, 0, False, 0
        state = bytearray(self.count)
        for block in range(self.count):
            self.serial[block] = self.low[block] = 0
            if not sectors.header(block):
                continue
            known = True
            self.wear[block] = sectors.wear
            wear = max(wear, sectors.wear)
            serial, proven = sectors.serial, sectors.freed is not None
            if proven:
                freed = max(freed, sectors.freed)
            if not sectors.blank(block):
                state[block] = _USED
            elif proven:
                state[block] = _EMPTY
            else:
                continue  # its header may be half programmed: as good as none
            self.serial[block] = serial
            if state[block] == _USED:
                self.low[block] = self._first_record(block)
        if not known:
            return None
        for block in range(self.count):
            if not state[block]:
                self.wear[block] = wear  # its header is gone; the ring wears evenly
        self._sort(state)
        self._find_fresh(state)
        return freed

    def _first_record(self, block):
        sectors, serial = self.sectors, self.serial[block]
        offset = sectors.find(block, serial, FIRST)
        while offset >= 0 and sectors.kind != RECORD:
            offset = sectors.find(block, serial, offset + sectors.size)
        return sectors.number if offset >= 0 else 0

    def _sort(self, state):
        # A header of a cut erase may read one day and not the next, and its serial be given again meanwhile: of
        # two with one serial an empty one is not trusted.
        while True:
            order = sorted(range(self.count), key=self._serial_of)
            twice = False
            for i in range(1, self.count):
                one, other = order[i - 1], order[i]
                if self.serial[one] and self.serial[one] == self.serial[other]:
                    for block in (one, other):
                        if state[block] == _EMPTY:
                            self.serial[block] = state[block] = 0
                            twice = True
            if not twice:
                break
        for i in range(self.count):
            self.order[i] = order[i]
        self.top = self.serial[order[-1]]

    def _serial_of(self, block):
        return self.serial[block]

    def _find_fresh(self, state):
        self.fresh = []
        for i in range(self.count - 1, -1, -1):
            block = self.order[i]
            if state[block] != _EMPTY:
                return
            self.fresh.insert(0, block)

    def recount(self, freed, newest):
        """Find anew which sectors are needed, after records, marks or sectors came or went."""
        spare, upper, oldest, turn = 0, newest, 0, _NEVER
        for i in range(self.count - 1, -1, -1):
            block = self.order[i]
            low, live = self.low[block], 0
            if low and low <= upper:  # else a later sector holds copies of all it has
                if upper > freed or block == self.home:
                    live = 1
                    if block != self.home:
                        turn = upper
                oldest, upper = low, low - 1
            self._live[block] = live
            if not live and block != self.open and not self._bad[block]:
                spare += 1
        self.spare, self.oldest, self.turn = spare, oldest, turn

    def next_to_prepare(self):
        """Block that is erased next: of those not needed the one that was prepared longest ago; -1 where none."""
        if self.spare <= len(self.fresh):
            return -1
        for block in self.order:
            if not self._live[block] and not self._bad[block] and block != self.open and block not in self.fresh:
                return block
        return -1

    def prepare(self, block, freed):
        """Erase a block and make it the last of the prepared ones; where that fails it is left alone until the
        next boot."""
        if block in self.fresh:
            self.fresh.remove(block)
        self.low[block] = self.serial[block] = 0
        self.wear[block] += 1
        self.top += 1
        if not self.sectors.prepare(block, self.top, self.wear[block], freed):
            self._bad[block] = 1
            return
        self.serial[block] = self.top
        order, moved = self.order, False
        for i in range(self.count - 1):
            moved = moved or order[i] == block
            if moved:
                order[i] = order[i + 1]
        order[self.count - 1] = block
        self.fresh.append(block)

    def open_next(self):
        """Open the next prepared sector; False where there is none."""
        if not self.fresh:
            return False
        self.open, self.at = self.fresh.pop(0), FIRST
        return True

    def close(self):
        """Write nothing more into the open sector."""
        self.open, self.at = -1, SECTOR

    def fits(self, size):
        """True where a message of `size` bytes fits into the open sector."""
        return self.at + extent(size) <= SECTOR


def erase_all(flash, journal_id, freed=0):
    """Make the whole partition an empty journal; False where the flash doesn't do it."""
    sectors = Sectors(flash, journal_id)
    ring = Ring(sectors)
    for block in range(sectors.count):
        if not sectors.erase(block):
            return False
    for block in range(ring.want):
        ring.prepare(block, freed)
    return len(ring.fresh) == ring.want
