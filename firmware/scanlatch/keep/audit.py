# Finds which records the flash has lost between the oldest and the newest; gone from the heap where none is.
from array import array

from micropython import const
from scanlatch.keep.sector import RECORD

_MOST = const(16)  # ranges that a head may list


class Audit:
    """Reads the ring once after a boot, one sector a step, beginning with the oldest, for the records up to `newest`:
    later ones were read back when they were written."""

    def __init__(self, ring, newest):
        self._ring = ring
        self._until = newest
        self._order = array("H", ring.order)  # as it is now: a sector that is prepared later holds nothing of these
        self._at = 0
        self._next = 0  # seq that should come next, 0 before the first
        self.gaps = []

    def step(self):
        """Check one sector. Returns False where all are checked."""
        low = self._ring.low
        while self._at < len(self._order):
            block = self._order[self._at]
            self._at += 1
            if 0 < low[block] <= self._until:
                self._check(block)
                return True
        if self._until and self._next <= self._until:
            self.lost(self._next, self._until)
            self._until = 0
        return False

    def _check(self, block):
        sectors = self._ring.sectors
        sectors.begin(block)
        while sectors.next():
            if sectors.kind == RECORD and sectors.number >= self._next:
                if self._next and sectors.number > self._next:
                    self.lost(self._next, sectors.number - 1)
                self._next = sectors.number + 1
        if not self._next:
            self._next = self._ring.low[block]

    def lost(self, first, last):
        """Note that records `first` to `last` can't be read."""
        merged = []
        for low, high in self.gaps:
            if high + 1 < first or last + 1 < low:
                merged.append([low, high])
            else:
                first, last = min(first, low), max(last, high)
        merged.append([first, last])
        merged.sort()
        self.gaps = merged[:_MOST]

    def missing(self):
        """Lost ranges that are not below the oldest readable seq, lowest first."""
        oldest = self._ring.oldest
        return [[max(low, oldest), high] for low, high in self.gaps if oldest and high >= oldest]
