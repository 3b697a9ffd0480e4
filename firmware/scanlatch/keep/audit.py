# Finds which records the flash has lost between the oldest and the newest.
from micropython import const
from scanlatch.keep.sector import FIRST, RECORD

_MOST = const(16)  # ranges that a head may list


class Audit:
    """Reads the ring once after a boot, one sector a step, beginning with the oldest."""

    def __init__(self, ring):
        self._ring = ring
        self._gaps = []
        self._serial = 0  # of the sector read last
        self._next = 0  # seq that should come next, 0 before the first
        self._until = 0
        self.done = True

    def begin(self, newest):
        """Start over, for the records up to `newest`; later ones were read back when they were written."""
        self._gaps = []
        self._serial = self._next = 0
        self._until = newest
        self.done = newest == 0

    def step(self):
        """Check one sector. Returns False where all are checked."""
        if self.done:
            return False
        ring = self._ring
        for block in ring.order:
            if ring.serial[block] > self._serial and 0 < ring.low[block] <= self._until:
                self._serial = ring.serial[block]
                self._check(block)
                return True
        if self._next <= self._until:
            self.lost(self._next, self._until)
        self.done = True
        return False

    def _check(self, block):
        ring, sectors = self._ring, self._ring.sectors
        offset = sectors.find(block, self._serial, FIRST)
        while offset >= 0:
            if sectors.kind == RECORD and sectors.number >= self._next:
                if self._next and sectors.number > self._next:
                    self.lost(self._next, sectors.number - 1)
                self._next = sectors.number + 1
            offset = sectors.find(block, self._serial, offset + sectors.size)
        if not self._next:
            self._next = ring.low[block]

    def lost(self, first, last):
        """Note that records `first` to `last` can't be read."""
        merged = []
        for low, high in self._gaps:
            if high + 1 < first or last + 1 < low:
                merged.append([low, high])
            else:
                first, last = min(first, low), max(last, high)
        merged.append([first, last])
        merged.sort()
        self._gaps = merged[:_MOST]

    def missing(self):
        """Lost ranges that are not below the oldest readable seq, lowest first."""
        oldest = self._ring.oldest
        return [[max(low, oldest), high] for low, high in self._gaps if oldest and high >= oldest]
