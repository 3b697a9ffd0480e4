"""Flash whose power fails inside its operations, and what these leave behind: half, garbage, or bits that waver.

Runs on MicroPython and on CPython. In RAM, or in a file so that a twin's small heap doesn't hold the image; then
`<path>.touched` remembers which bytes were programmed since their erase, `<path>.unstable` what a torn
operation left undecided, both across restarts.
"""

import os

from nor import Flash

_OLD, _NEW, _MIXED, _FLICKERING = range(4)  # how an undecided area reads until the next restart
_SECTOR = 4096
_STEP = 512  # bytes handled at once where a whole sector would cost heap


class PowerCut(BaseException):
    """Power is gone: nothing after the operation may run, so this isn't an Exception."""


class Memory:
    """A stream on RAM, as an open file is one on a disk."""

    def __init__(self, sectors, fill):
        self.bytes = bytearray(bytes([fill]) * (sectors * _SECTOR))
        self._at = 0

    def seek(self, at):
        self._at = at

    def readinto(self, buf):
        buf[:] = self.bytes[self._at : self._at + len(buf)]
        self._at += len(buf)

    def write(self, data):
        self.bytes[self._at : self._at + len(data)] = data
        self._at += len(data)


class Nor(Flash):
    """Flash, its power, the cuts of it, and the torn areas that they leave; the undecided ones outlive a process.

    An undecided area reads, anew after each restart, as before the operation, as after it, as a mix of both, or as
    another mix at each read; only an erase settles it.

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
        on_cut: called as `before` is where power is cut, in place of raising PowerCut.
    """

    def __init__(self, sectors=16, path=None, seed=1):
        self.sectors = sectors
        self.programs = self.erases = self.reads = self.read_bytes = 0
        self.violations = []
        self.before = self.on_cut = None
        self.weak = ()
        self.areas = []  # [at, size, new bytes or None for erased, how it reads, seed of the mix]
        self._path = path and path + ".unstable"
        self._random = seed or 1
        self._cut_in = 0
        self._cut_kind = None
        self._off = False
        if path is None:
            self.cells, self.touched = Memory(sectors, 0xFF), Memory(sectors, 0)
        else:
            from twin_esp32 import opened, size_of

            opened(self, path)
            if size_of(self._path):
                self._load()

    def ioctl(self, op, arg=0):
        if op != 6:
            return super().ioctl(op)
        self._begin(arg, 0, None)
        super().ioctl(6, arg)
        left = [area for area in self.areas if area[0] // _SECTOR != arg]
        if len(left) != len(self.areas):  # these cells were erased to the end
            self.areas = left
            self._save()
        return 0

    def readblocks(self, block, buf, offset=0):
        super().readblocks(block, buf, offset)
        self.reads += 1
        self.read_bytes += len(buf)
        self._blur(block * _SECTOR + offset, buf)

    def writeblocks(self, block, buf, offset=None):
        if offset is None:
            for number in range(block, block + (len(buf) + _SECTOR - 1) // _SECTOR):
                self.ioctl(6, number)
            offset = 0
        self._begin(block, offset, buf)
        super().writeblocks(block, buf, offset)
        if block in self.weak:
            self._weaken(block, offset, len(buf))

    def note(self, what, op, block):
        if op == "program":
            self.programs += 1
        else:
            self.erases += 1

    def broke(self, rule, block, offset, size):
        self.violations.append((rule, block, offset, size))

    def cut(self, nth, kind):
        """Power fails inside the nth program or erase from now (1 is the next), as `kind` says."""
        self._cut_in, self._cut_kind = nth, kind

    def _begin(self, block, offset, data):
        """An operation begins: this may be the one in which power fails. data: None for an erase."""
        if self._off:
            raise PowerCut
        self.seek(block, offset, _SECTOR if data is None else len(data))
        at = block * _SECTOR + offset
        if self.before:
            self.before(at, data)
        if self._cut_in:
            self._cut_in -= 1
            if not self._cut_in:
                self._off = True
                self.tear(self._cut_kind, at, data)
                if self.on_cut:
                    self.on_cut(at, data)
                raise PowerCut(self._cut_kind)

    def clone(self, seed):
        """The same flash (in RAM only) once more."""
        twin = Nor(0, seed=seed)
        twin.sectors, twin.weak = self.sectors, self.weak
        twin.cells.bytes, twin.touched.bytes = self.cells.bytes[:], self.touched.bytes[:]
        twin.areas = [list(area) for area in self.areas]
        return twin

    def _weaken(self, block, offset, size):
        """Clear a bit too many, as worn cells may."""
        cells = bytearray(size)
        self.seek(block, offset, size)
        self.cells.readinto(cells)
        i = size // 2
        while not cells[i]:
            i = (i + 1) % size
        cells[i] &= cells[i] - 1
        self.seek(block, offset, size)
        self.cells.write(cells)

    def tear(self, kind, at, data):
        """Leave behind what a program of `data` (None: an erase) at byte `at` may leave when power fails in it."""
        if kind == "lost":
            return
        size = _SECTOR if data is None else len(data)
        cells, touched = self.cells, self.touched
        touched.seek(at)
        for start in range(0, size, _STEP):
            touched.write(b"\1" * min(_STEP, size - start))  # only an erase makes such cells usable again
        if kind == "unstable":
            self.areas.append([at, size, data and bytes(data), _MIXED, self._dice()])
            self._save()
            return
        done = size if kind == "garbage" else 1 + self._dice() % size
        for start in range(0, done, _STEP):  # the heap of a terminal has no room for a sector
            piece = bytearray(min(_STEP, done - start))
            cells.seek(at + start)
            cells.readinto(piece)
            for i in range(len(piece)):
                if kind == "garbage":
                    piece[i] = self._dice() & 0xFF & (piece[i] if data else 0xFF)
                else:
                    piece[i] = piece[i] & data[start + i] if data else 0xFF
            cells.seek(at + start)
            cells.write(piece)

    def restart(self):
        """Power is back: every undecided area reads in a way of its own until the next restart."""
        self._off = False
        self._cut_in = 0
        for area in self.areas:
            area[3] = self._dice() & 3
            area[4] = self._dice()

    def _blur(self, at, buf):
        """Change what was read at byte `at` into what undecided cells give."""
        for start, size, new, how, seed in self.areas:
            low, high = max(start, at), min(start + size, at + len(buf))
            if low >= high or how == _OLD:
                continue
            if how == _FLICKERING:
                seed = self._dice()
            for i in range(low, high):
                mask = 0 if how == _NEW else _next(_next((seed ^ i * 2654435761) & 0xFFFFFFFF or 1)) & 0xFF
                was = buf[i - at]
                becomes = 0xFF if new is None else was & new[i - start]
                buf[i - at] = was & mask | becomes & ~mask & 0xFF

    def _load(self):
        """Take up what an earlier process left undecided; each process reads it in its own way."""
        with open(self._path) as notes:
            for line in notes:
                at, size, new = line.split()
                self.areas.append([int(at), int(size), None if new == "-" else bytes.fromhex(new), _MIXED, 1])
        self._random = int.from_bytes(os.urandom(3), "little") or 1
        self.restart()

    def _save(self):
        if not self._path:
            return
        with open(self._path, "w") as notes:
            for at, size, new, _how, _seed in self.areas:
                notes.write(f"{at} {size} {'-' if new is None else new.hex()}\n")

    def _dice(self):
        self._random = _next(self._random)
        return self._random


def _next(state):
    state ^= state << 13 & 0xFFFFFFFF
    state ^= state >> 17
    return state ^ (state << 5 & 0xFFFFFFFF)
