"""NOR flash as it is: a program only clears bits, an erase sets a sector, and power may fail inside either.

Runs on MicroPython and on CPython. In RAM, or in a file so that a twin's small heap doesn't hold the image; then
`<path>.touched` remembers which bytes were programmed since their erase, `<path>.unstable` what a torn
operation left undecided, both across restarts.
"""

import os

SECTOR = 4096
KINDS = ("lost", "half", "garbage", "unstable")
_STEP = 512  # bytes handled at once where a whole sector would cost heap
_OLD, _NEW, _MIXED, _FLICKERING = range(4)  # how an undecided area reads until the next restart


class PowerCut(BaseException):
    """Power is gone: nothing after the operation may run, so this isn't an Exception."""


class _Memory:
    def __init__(self, size, fill):
        self.cells = bytearray(bytes([fill]) * size)

    def read(self, at, buf):
        buf[:] = self.cells[at : at + len(buf)]

    def write(self, at, data):
        self.cells[at : at + len(data)] = data


class _File:
    def __init__(self, path, size, fill):
        try:
            there = os.stat(path)[6]
        except OSError:
            there = 0
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
        weak: blocks whose cells don't take a program rightly.
    """

    def __init__(self, sectors=16, path=None, seed=1):
        self.sectors = sectors
        self.programs = self.erases = self.reads = self.read_bytes = 0
        self.violations = []
        self.before = None
        self.weak = ()
        self._random = seed or 1
        self._cut_in = 0
        self._cut_kind = None
        self._off = False
        self._unstable = []  # [at, size, new bytes or None for erased, how it reads, seed of the mix]
        self._notes = None
        size = sectors * SECTOR
        if path is None:
            self._cells, self._touched = _Memory(size, 0xFF), _Memory(size, 0)
        else:
            self._cells, self._touched = _File(path, size, 0xFF), _File(path + ".touched", size, 0)
            self._notes = path + ".unstable"
            self._load_notes()

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
        self._cells.read(at, buf)
        for area in self._unstable:
            self._blur(area, at, buf)

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
        for area in self._unstable:
            area[3] = self._dice() & 3
            area[4] = self._dice()

    def tear(self, kind, at, data):
        """Leave behind what a program of `data` (None: an erase) at byte `at` may leave when power fails in it."""
        if kind == "lost":
            return
        size = SECTOR if data is None else len(data)
        old = bytearray(size)
        self._cells.read(at, old)
        self._touched.write(at, bytes([1]) * size)  # only an erase makes such cells usable again
        if kind == "unstable":
            self._unstable.append([at, size, data and bytes(data), _MIXED, self._dice()])
            self._save_notes()
            return
        done = size if kind == "garbage" else 1 + self._dice() % size
        for i in range(done):
            if kind == "garbage":
                old[i] = self._dice() & 0xFF & (old[i] if data else 0xFF)
            else:
                old[i] = old[i] & data[i] if data else 0xFF
        self._cells.write(at, old)

    def clone(self, seed):
        """The same flash (in RAM only) once more, restarted."""
        twin = Nor(0, seed=seed)
        twin.sectors = self.sectors
        twin._cells.cells, twin._touched.cells = self._cells.cells[:], self._touched.cells[:]
        twin._unstable = [list(area) for area in self._unstable]
        twin.weak = self.weak
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
            self._cells.write(step, blank)
            self._touched.write(step, untouched)
        settled = [area for area in self._unstable if area[0] // SECTOR != at // SECTOR]
        if len(settled) != len(self._unstable):
            self._unstable = settled
            self._save_notes()

    def _program(self, at, data):
        self.programs += 1
        size = len(data)
        cells, touched = bytearray(size), bytearray(size)
        self._cells.read(at, cells)
        self._touched.read(at, touched)
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
        self._cells.write(at, cells)
        self._touched.write(at, bytes([1]) * size)

    def _violated(self, what, at, size):
        self.violations.append((what, at // SECTOR, at % SECTOR, size))

    def _blur(self, area, at, buf):
        start, size, new, mood, seed = area
        low, high = max(start, at), min(start + size, at + len(buf))
        if low >= high or mood == _OLD:
            return
        if mood == _FLICKERING:
            seed = self._dice()
        for i in range(low, high):
            mask = 0 if mood == _NEW else _next(_next((seed ^ i * 2654435761) & 0xFFFFFFFF or 1)) & 0xFF
            was = buf[i - at]
            becomes = 0xFF if new is None else was & new[i - start]
            buf[i - at] = was & mask | becomes & ~mask & 0xFF

    def _dice(self):
        self._random = _next(self._random)
        return self._random

    def _load_notes(self):
        try:
            with open(self._notes) as notes:
                for line in notes:
                    at, size, new = line.split()
                    new = None if new == "-" else bytes.fromhex(new)
                    self._unstable.append([int(at), int(size), new, _MIXED, 1])
                    self._random ^= int(at) * 31 + int(size)
        except OSError:
            return
        self._random ^= int.from_bytes(os.urandom(3), "little")  # each start of the process reads its own way
        self.restart()

    def _save_notes(self):
        if not self._notes:
            return
        with open(self._notes, "w") as notes:
            for at, size, new, _mood, _seed in self._unstable:
                notes.write(f"{at} {size} {'-' if new is None else new.hex()}\n")


def _next(state):
    state ^= state << 13 & 0xFFFFFFFF
    state ^= state >> 17
    return state ^ (state << 5 & 0xFFFFFFFF)
