"""NOR flash as it is: a program only clears bits, an erase sets a sector, and power may fail inside either.

Runs on MicroPython and on CPython. In RAM, or in a file so that a twin's small heap doesn't hold the image; then
`<path>.touched` remembers which bytes were programmed since their erase, `<path>.unstable` what a torn
operation left undecided, both across restarts. What a twin seldom needs is in torn.py.
"""

import os

SECTOR = 4096
_STEP = 512  # bytes handled at once where a whole sector would cost heap


class PowerCut(BaseException):
    """Power is gone: nothing after the operation may run, so this isn't an Exception."""


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
        cells, touched: its bytes, and for each 1 where it was programmed since its erase, as streams.
        weak: blocks whose cells don't take a program rightly.

    Its methods cut, restart, tear and clone are those of `torn.Torn`.
    """

    def __init__(self, sectors=16, path=None, seed=1):
        self.torn = None  # what power cuts do and did
        self.sectors = sectors
        self.programs = self.erases = self.reads = self.read_bytes = 0
        self.violations = []
        self.before = None
        self.weak = ()
        self.seed = seed
        self.path = path
        if path is None:
            from torn import Memory

            self.cells, self.touched = Memory(sectors, 0xFF), Memory(sectors, 0)
        else:
            self.cells, self.touched = _open(path, sectors, b"\xff"), _open(path + ".touched", sectors, b"\0")
            if _size(path + ".unstable"):
                self.load()

    def __getattr__(self, name):
        if self.torn is None:
            from torn import Torn

            self.torn = Torn(self)
        return getattr(self.torn, name)

    def ioctl(self, op, arg=0):
        if op == 6:
            self._operate(arg * SECTOR, None)
        return {4: self.sectors, 5: SECTOR}.get(op, 0)

    def readblocks(self, block, buf, offset=0):
        at = block * SECTOR + offset
        self._seek(at, len(buf))
        self.reads += 1
        self.read_bytes += len(buf)
        self.cells.readinto(buf)
        if self.torn:
            self.torn.blur(at, buf)

    def writeblocks(self, block, buf, offset=None):
        if offset is None:  # as on the chip: the two-argument form erases first
            for number in range(block, block + (len(buf) + SECTOR - 1) // SECTOR):
                self._operate(number * SECTOR, None)
            offset = 0
        self._operate(block * SECTOR + offset, buf)

    def _seek(self, at, size):
        if at < 0 or at + size > self.sectors * SECTOR:
            raise OSError(22)
        self.cells.seek(at)
        self.touched.seek(at)

    def _operate(self, at, data):
        if self.torn:
            self.torn.allow()
        self._seek(at, SECTOR if data is None else len(data))
        if self.before:
            self.before(at, data)
        if self.torn:
            self.torn.count(at, data)
        self._seek(at, 0)
        if data is None:
            self.erases += 1
            for _ in range(SECTOR // _STEP):
                self.cells.write(b"\xff" * _STEP)
                self.touched.write(bytes(_STEP))
            if self.torn:
                self.torn.settle(at, SECTOR)
        else:
            self.programs += 1
            self._program(at, data)

    def _program(self, at, data):
        size = len(data)
        cells, touched = bytearray(size), bytearray(size)
        self.cells.readinto(cells)
        self.touched.readinto(touched)
        if touched != bytes(size):
            self.violations.append(("programmed twice", at // SECTOR, at % SECTOR, size))
        if cells == b"\xff" * size:
            cells[:] = data
        else:
            for i in range(size):
                cells[i] &= data[i]
            if cells != data:
                self.violations.append(("bit must rise", at // SECTOR, at % SECTOR, size))
        if at // SECTOR in self.weak:
            self.weaken(cells)
        self._seek(at, size)
        self.cells.write(cells)
        self.touched.write(b"\1" * size)


def _open(path, sectors, fill):
    with open(path, "ab") as new:
        for _ in range(sectors - _size(path) // SECTOR):
            new.write(fill * SECTOR)
    return open(path, "r+b", 0)  # unbuffered: it outlives a kill


def _size(path):
    try:
        return os.stat(path)[6]
    except OSError:
        return 0
