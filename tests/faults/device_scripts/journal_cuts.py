"""Cuts power inside every flash operation of a journal's life, on MicroPython or CPython.

Usage: journal_cuts.py KIND FIRST_SEED SEEDS DEPTH

The life goes on undisturbed, but at each program and erase the flash forks: the copy suffers the torn operation,
restarts, and must still hold all that was kept, take more, and hold that too. DEPTH 2 cuts the copies' lives
again, DEPTH 3 once more. Prints one line: the number of cuts.
"""

import sys
from hashlib import sha256

import scanlatch

scanlatch.forget = lambda module: None  # thousands of boots: each would read the recovery's file anew

from nor import Nor  # noqa: E402
from scanlatch.keep.journal import Journal, JournalFull  # noqa: E402

ID = b"\x01\x02\x03\x04\x05\x06\x07\x08"
SECTORS = 8
QUIET = 1000
RECORDS = (0, 30, 8, 1)  # in the life that is cut, by depth


class Broken(Exception):
    """The journal broke its promise."""


class Dice:
    def __init__(self, seed):
        self._state = seed * 7919 + 1

    def __call__(self, below):
        self._state = (self._state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._state >> 8) % below


class Life:
    """A terminal's journal and what must be true of it."""

    def __init__(self, flash, dice):
        self.flash, self.dice = flash, dice
        self.kept, self.freed, self.salt, self.now = {}, 0, 0, 0
        self.tried = []  # bytes of the next record that were being written when the power failed

    def fork(self, flash, seed):
        other = Life(flash, Dice(seed))
        other.kept, other.freed, other.tried = dict(self.kept), self.freed, list(self.tried)
        other.salt, other.now = self.salt + 1, self.now
        return other

    def boot(self):
        self.journal = Journal(self.flash, ID)
        self.journal.recover()
        self.verify()

    def demand(self, true, what):
        if not true:
            raise Broken(what)

    def verify(self):
        journal, last = self.journal, max(self.kept) if self.kept else 0
        if journal.newest == last + 1 and journal.read(last + 1) in self.tried:
            last += 1
            self.kept[last] = journal.read(last)  # kept, although the terminal never knew
            self.tried.clear()
        self.demand(journal.newest == last, "newest is %d, not %d" % (journal.newest, last))
        self.demand(not journal.fault, journal.fault)
        self.demand(journal.freed <= self.freed, "freed %d, but only %d were" % (journal.freed, self.freed))
        for seq in range(1, last + 1):
            found = journal.read(seq) if seq > self.freed or seq >= journal.oldest else None
            if found is None and seq <= self.freed and seq < last:
                continue
            self.demand(found == self.kept[seq], "record %d is lost or altered" % seq)
        digest = sha256(self.kept[last]).digest() if last else bytes(32)
        self.demand(journal.newest_digest == digest, "digest of %d" % last)
        lost = [gap for gap in journal.missing() if gap[1] > self.freed]
        self.demand(not lost, "reported as lost: %s" % lost)
        self.demand(not self.flash.violations, "flash rules broken: %s" % self.flash.violations)

    def append(self):
        journal, dice = self.journal, self.dice
        for _ in range(40):
            try:
                journal.need_room()
                break
            except JournalFull as refusal:
                blocked = refusal.reason
            if blocked == "full":
                self.free(min(journal.newest, self.freed + 1 + dice(8)))
            self.idle(1)
        else:
            self.demand(False, "the ring never gets room again")
        self.salt += 1
        seq = journal.newest + 1
        message = bytes([seq & 0xFF, self.salt & 0xFF]) * (20 + dice(480))
        self.tried.append(message)
        journal.append(seq, message)
        self.tried.clear()
        self.kept[seq] = message

    def free(self, upto):
        self.freed = max(upto, self.freed)
        self.journal.free(upto)

    def idle(self, times):
        for _ in range(times):
            self.now += 20_000
            self.journal.idle(self.now, QUIET)

    def live(self, records):
        """Scans, receipts, quiet moments and restarts, as the dice fall."""
        dice = self.dice
        patient = dice(3)  # a patient site sends no receipt until the ring is full
        for _ in range(records):
            self.append()
            if dice(3) == 0:
                self.idle(1 + dice(3))
            if patient and dice(3) == 0:
                self.free(self.freed + dice(self.journal.newest - self.freed + 1))
            if dice(12) == 0:
                self.boot()


class Cutter:
    """Forks a life at each of its flash operations."""

    def __init__(self, kind):
        self.kind, self.cuts = kind, 0

    def watch(self, life, depth):
        def before(at, data):
            self.cuts += 1
            flash = life.flash.clone(self.cuts * 31 + depth)
            flash.tear(self.kind, at, data)
            flash.restart()
            self.aftermath(life.fork(flash, self.cuts), depth - 1)

        life.flash.before = before

    def aftermath(self, life, depth):
        if depth:
            self.watch(life, depth)
        for records in (3, 0, 0, 2, 0):
            life.boot()
            if records:
                life.live(records)
            elif life.dice(2):
                life.idle(2)
            life.flash.restart()  # undecided bits may now read differently


def run(kind, seed, depth):
    dice = Dice(seed)
    flash = Nor(SECTORS, seed=seed)
    Journal.format(flash, ID)
    life = Life(flash, dice)
    life.boot()
    life.live(0 if seed % 4 == 0 else 20 + dice(20))  # so that the ring has gone round once
    cutter = Cutter(kind)
    cutter.watch(life, depth)
    life.live(RECORDS[depth])
    life.boot()
    return cutter.cuts


def main():
    kind, first, seeds, depth = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    cuts = 0
    for seed in range(first, first + seeds):
        try:
            cuts += run(kind, seed, depth)
        except Exception:
            print("kind %s, seed %d, depth %d" % (kind, seed, depth))
            raise
    print(cuts)


if __name__ == "__main__":
    main()
