"""What a flash operation leaves behind when power fails inside it: half of it, garbage, or bits that waver."""

import os

_OLD, _NEW, _MIXED, _FLICKERING = range(4)  # how an undecided area reads until the next restart
_SECTOR = 4096


class Torn:
    """Torn areas of one `nor.Nor`. `path` keeps the undecided ones across processes.

    An undecided area reads, anew after each restart, as before the operation, as after it, as a mix of both, or as
    another mix at each read; only an erase settles it.
    """

    def __init__(self, flash, path):
        self._flash = flash
        self._path = path
        self._random = flash.seed or 1
        self.areas = []  # [at, size, new bytes or None for erased, how it reads, seed of the mix]

    def tear(self, kind, at, data):
        """See `Nor.tear`."""
        if kind == "lost":
            return
        size = _SECTOR if data is None else len(data)
        old = bytearray(size)
        self._flash.cells.read(at, old)
        self._flash.touched.write(at, bytes([1]) * size)  # only an erase makes such cells usable again
        if kind == "unstable":
            self.areas.append([at, size, data and bytes(data), _MIXED, self._dice()])
            self._save()
            return
        done = size if kind == "garbage" else 1 + self._dice() % size
        for i in range(done):
            if kind == "garbage":
                old[i] = self._dice() & 0xFF & (old[i] if data else 0xFF)
            else:
                old[i] = old[i] & data[i] if data else 0xFF
        self._flash.cells.write(at, old)

    def restart(self):
        """Power is back: every area reads in a way of its own until the next restart."""
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
