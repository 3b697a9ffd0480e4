"""NOR flash as it is: a program only clears bits, an erase sets a sector, and power may fail inside either.

Runs on MicroPython and on CPython. In RAM, or in a file so that a twin's small heap doesn't hold the image; then
`<path>.touched` remembers which bytes were programmed since their erase, `<path>.unstable` what a torn
operation left undecided, both across restarts.
"""

import os

SECTOR = 4096
_STEP = 512  # bytes handled at once where a whole sector would cost heap


class PowerCut(BaseException):
    """Power is gone: nothing after the operation may run, so this isn't an Exception."""


class _Memory:
    def __init__(self, size, fill):
        self.bytes = bytearray(bytes([fill]) * size)

    def read(self, at, buf):
        buf[:] = self.bytes[at : at + len(buf)]

    def write(self, at, data):
        self.bytes[at : at + len(data)] = data


class _File:
    def __init__(self, path, size, fill):
        there = _size(path)
        with open(path, "ab") as new:
            block = bytes([fill]) * SECTOR
            for _ in range((size - there) // SECTOR):
                new.write(block)
        self._file = open(path, "r+b")  # noqa: SIM115 (open as long as the flash is)

    def read(self, at, buf):
        self._file.seek(at)
        if self._file.readinto(buf) != len(buf):
            raise OSError(5)

    def write(self, at, data):
        self._file.seek(at)
        self._file.write(data)
        self._file.flush()


class Nor:
    """One partition with the block protocol of `esp32.Partition`.

    Args:
        sectors: its size in sectors of 4,096 bytes.
        path: file that holds it; None keeps it in RAM.
        seed: of everything random about torn operations.

    Attributes:
        programs, erases, reads: operations since it was made.
        read_bytes: bytes read since it was made.
        violations: (what, block, offset, length): "programmed twice" or "bit must rise".
        before: called as before(at, data or None for an erase) ahead of each operation, for tests that fork there.
        cells, touched: its bytes, and for each 1 where it was programmed since its erase.
        weak: blocks whose cells don't take a program rightly.
    """

    def __init__(self, sectors=16, path=None, seed=1):
        self.sectors = sectors
        self.programs = self.erases = self.reads = self.read_bytes = 0
        self.violations = []
        self.before = None
        self.weak = ()
        self.seed = seed
        self.torn = None  # what broken operations left behind; its code is loaded where one is, for the heap's sake
        self._cut_in = 0
        self._cut_kind = None
        self._off = False
        self._notes = None
        size = sectors * SECTOR
        if path is None:
            self.cells, self.touched = _Memory(size, 0xFF), _Memory(size, 0)
        else:
            self.cells, self.touched = _File(path, size, 0xFF), _File(path + ".touched", size, 0)
            self._notes = path + ".unstable"
            if _size(self._notes):
                self._torn().load()
                self.restart()

    # The block protocol

    def ioctl(self, op, arg=0):
        if op == 4:
            return self.sectors
        if op == 5:
            return SECTOR
        if op == 6:
            self._operate(arg * SECTOR, None)
        return 0

    def readblocks(self, block, buf, offset=0):
        at = block * SECTOR + offset
        self._inside(at, len(buf))
        self.reads += 1
        self.read_bytes += len(buf)
        self.cells.read(at, buf)
        if self.torn:
            self.torn.blur(at, buf)

    def writeblocks(self, block, buf, offset=None):
        if offset is None:  # as on the chip: the two-argument form erases first
            for number in range(block, block + (len(buf) + SECTOR - 1) // SECTOR):
                self._operate(number * SECTOR, None)
            offset = 0
        self._operate(block * SECTOR + offset, buf)

    # Power

    def cut(self, nth, kind):
        """Power fails inside the nth program or erase from now (1 is the next), as `kind` says."""
        self._cut_in, self._cut_kind = nth, kind

    def restart(self):
        """Power is back: what was left undecided may read differently now."""
        self._off = False
        self._cut_in = 0
        if self.torn:
            self.torn.restart()

    def tear(self, kind, at, data):
        """Leave behind what a program of `data` (None: an erase) at byte `at` may leave when power fails in it."""
        self._torn().tear(kind, at, data)

    def clone(self, seed):
        """The same flash (in RAM only) once more."""
        twin = Nor(0, seed=seed)
        twin.sectors, twin.weak = self.sectors, self.weak
        twin.cells.bytes, twin.touched.bytes = self.cells.bytes[:], self.touched.bytes[:]
        if self.torn:
            twin._torn().areas = [list(area) for area in self.torn.areas]
        return twin

    # What happens inside

    def _inside(self, at, size):
        if at < 0 or at + size > self.sectors * SECTOR:
            raise OSError(22)

    def _operate(self, at, data):
        if self._off:
            raise PowerCut
        self._inside(at, SECTOR if data is None else len(data))
        if self.before:
            self.before(at, data)
        if self._cut_in:
            self._cut_in -= 1
            if not self._cut_in:
                self._off = True
                self.tear(self._cut_kind, at, data)
                raise PowerCut(self._cut_kind)
        if data is None:
            self._erase(at)
        else:
            self._program(at, data)

    def _erase(self, at):
        self.erases += 1
        blank, untouched = bytes([0xFF]) * _STEP, bytes(_STEP)
        for step in range(at, at + SECTOR, _STEP):
            self.cells.write(step, blank)
            self.touched.write(step, untouched)
        if self.torn:
            self.torn.settle(at, SECTOR)

    def _program(self, at, data):
        self.programs += 1
        size = len(data)
        cells, touched = bytearray(size), bytearray(size)
        self.cells.read(at, cells)
        self.touched.read(at, touched)
        if touched != bytes(size):
            self._violated("programmed twice", at, size)
        if cells == bytes([0xFF]) * size:
            cells[:] = data
        else:
            for i in range(size):
                cells[i] &= data[i]
            if cells != data:
                self._violated("bit must rise", at, size)
        if at // SECTOR in self.weak:
            i = size // 2
            while not cells[i]:
                i = (i + 1) % size
            cells[i] &= cells[i] - 1
        self.cells.write(at, cells)
        self.touched.write(at, bytes([1]) * size)

    def _violated(self, what, at, size):
        self.violations.append((what, at // SECTOR, at % SECTOR, size))

    def _torn(self):
        if not self.torn:
            from torn import Torn

            self.torn = Torn(self, self._notes)
        return self.torn


def _size(path):
    try:
        return os.stat(path)[6]
    except OSError:
        return 0
