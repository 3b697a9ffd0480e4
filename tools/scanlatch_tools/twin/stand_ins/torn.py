"""What a flash operation leaves behind when power fails inside it: half of it, garbage, or bits that waver."""

import os

from nor import Nor, PowerCut

_OLD, _NEW, _MIXED, _FLICKERING = range(4)  # how an undecided area reads until the next restart
_SECTOR = 4096
_STEP = 512


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


class Torn:
    """Power of one `nor.Nor`, its cuts, and the torn areas that they leave; the undecided ones outlive a process.

    An undecided area reads, anew after each restart, as before the operation, as after it, as a mix of both, or as
    another mix at each read; only an erase settles it.

    on_cut: called where power is cut, in place of raising PowerCut.
    """

    def __init__(self, flash):
        self.areas = []  # [at, size, new bytes or None for erased, how it reads, seed of the mix]
        self.on_cut = None
        self._flash = flash
        self._path = flash.path and flash.path + ".unstable"
        self._random = flash.seed or 1
        self._cut_in = 0
        self._cut_kind = None
        self._off = False

    def cut(self, nth, kind):
        """Power fails inside the nth program or erase from now (1 is the next), as `kind` says."""
        self._cut_in, self._cut_kind = nth, kind

    def allow(self):
        """Raises PowerCut where power is gone."""
        if self._off:
            raise PowerCut

    def count(self, at, data):
        """An operation begins: this may be the one in which power fails."""
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
        flash = self._flash
        twin = Nor(0, seed=seed)
        twin.sectors, twin.weak = flash.sectors, flash.weak
        twin.cells.bytes, twin.touched.bytes = flash.cells.bytes[:], flash.touched.bytes[:]
        if self.areas:
            twin.areas.extend([list(area) for area in self.areas])
        return twin

    def weaken(self, cells):
        """Clear a bit too many, as worn cells may."""
        size = len(cells)
        i = size // 2
        while not cells[i]:
            i = (i + 1) % size
        cells[i] &= cells[i] - 1

    def tear(self, kind, at, data):
        """Leave behind what a program of `data` (None: an erase) at byte `at` may leave when power fails in it."""
        if kind == "lost":
            return
        size = _SECTOR if data is None else len(data)
        cells, touched = self._flash.cells, self._flash.touched
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

    def settle(self, at, size):
        """These cells were erased to the end."""
        left = [area for area in self.areas if not at <= area[0] < at + size]
        if len(left) != len(self.areas):
            self.areas = left
            self._save()

    def blur(self, at, buf):
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

    def load(self):
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
