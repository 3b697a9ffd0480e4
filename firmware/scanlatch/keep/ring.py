# The journal's sectors in the order of their serials: which are prepared, which hold what is still needed.
from array import array

from micropython import const
from scanlatch.keep.sector import FIRST, SECTOR, extent

AHEAD = const(2)  # sectors prepared ahead at least
KEPT_BACK = const(2)  # sectors that only copies, marks and second tries may take
_AHEAD_MOST = const(8)  # about 150 scans of twenty digits without 300 ms of quiet between them
_AHEAD_SHARE = const(16)  # one sector in so many is prepared ahead, between those two limits
_BYTE = const(256)
_NEVER = const(0x3FFFFFFF)  # above every seq


class Ring:
    """Order and use of the sectors.

    Attributes:
        order: block numbers, those without a header first, then by serial; `top` is the last serial that was given.
        low: first seq in each block, 0 where it holds no record.
        fresh: blocks prepared in this boot, in the order in which they will be opened, `serials` theirs. Those of
            earlier boots are never opened: a program or erase that a cut left half done may not show, and read
            otherwise tomorrow.
        open, serial, at: block being written (-1 none), its serial and the offset of its next entry.
        opened: True once a sector was opened in this boot.
        home: block of the newest record (-1 none), of its earliest copy while none is proven; never erased.
        freed: highest freed mark that stands on the flash: what is only known would be forgotten at the next boot,
            and the ring be fuller than it was.
        marked: block with that mark (-1 none); erased only where nothing else is left.
        spare: blocks that hold nothing needed, prepared ones among them.
        oldest: lowest seq that can be read (0 none).
        turn: the freed mark from which more is spare.
    """

    def __init__(self, sectors):
        self.sectors = sectors
        self.count = count = sectors.count
        self.order = array("B" if count <= _BYTE else "H", range(count))
        self.low = array("I", bytes(4 * count))
        self.fresh = []
        self.serials = []
        self._bad = []
        self.open = self.home = self.marked = self._next = -1
        self.at = SECTOR
        self.opened = False
        self.top = self.serial = self.freed = self.spare = self.oldest = self.turn = 0
        self.ahead = max(AHEAD, min(_AHEAD_MOST, count // _AHEAD_SHARE))

    def recount(self, newest):
        """Find anew which sectors are needed, after records, marks or sectors came or went."""
        spare, upper, oldest, turn = 0, newest, 0, _NEVER
        found = empty = -1
        for i in range(self.count - 1, -1, -1):
            block = self.order[i]
            low, live = self.low[block], block == self.home
            if low and low <= upper:  # else a later sector holds copies of all it has
                if upper > self.freed and not live:
                    live, turn = True, upper
                oldest, upper = low, low - 1
            if live or block == self.open or block in self._bad:
                continue
            spare += 1
            if block in self.fresh:
                continue
            if block != self.marked:
                found = block
                if not low:
                    empty = block
            elif found < 0:
                found = block
        self.spare, self.oldest, self.turn = spare, oldest, turn
        self._next = empty if empty >= 0 else found

    def prepare(self, newest, freed):
        """Erase a sector and make it the last of the prepared ones: of those not needed one without a record, else the
        one with the oldest. Where that fails it is left alone until the next boot. False where there is none."""
        self.recount(newest)
        if self._next < 0 and freed > self.freed:
            # A sector that went bad took the last place, and the mark that would free others finds none. What is freed
            # is safe elsewhere, though no mark says so: the one beside the new header will.
            marked, self.freed = self.freed, freed
            self.recount(newest)
            self.freed = marked
        block, order = self._next, self.order
        if block < 0:
            return False
        self.low[block] = 0
        self.top += 1
        if self.sectors.prepare(block, self.top, freed):
            moved = False
            for i in range(self.count - 1):
                moved = moved or order[i] == block
                if moved:
                    order[i] = order[i + 1]
            order[self.count - 1] = block
            self.fresh.append(block)
            self.serials.append(self.top)
            self.marked, self.freed = block, max(freed, self.freed)
        else:
            self._bad.append(block)
        self.recount(newest)
        return True

    def fits(self, size):
        """True where a message of `size` bytes fits into the open sector."""
        return self.at + extent(size) <= SECTOR

    def open_next(self):
        """Open the next prepared sector; False where there is none."""
        if not self.fresh:
            return False
        self.open, self.serial = self.fresh.pop(0), self.serials.pop(0)
        self.at, self.opened = FIRST, True
        return True

    def close(self):
        """Write nothing more into the open sector."""
        self.open, self.at = -1, SECTOR
