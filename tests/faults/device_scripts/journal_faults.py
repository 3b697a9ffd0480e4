"""Fails each flash operation of a journal's life in turn, with no power cut, on MicroPython or CPython.

Usage: journal_faults.py KIND FIRST_SEED SEEDS. KIND: see flash_faults.py. The life goes on, restarts among it, and must
hold all that was kept, take more, and hold that too. Prints one line: the number of failures.
"""

import sys

import journal_cuts
from flash_faults import bad
from journal_cuts import Broken, Dice, Life
from nor import Nor
from scanlatch.keep.journal import Journal

RECORDS = 10


def begun(seed):
    """A ring that has gone round, or is new."""
    flash = Nor(journal_cuts.SECTORS, seed=seed)
    Journal.format(flash, journal_cuts.ID)
    life = Life(flash, Dice(seed))
    life.boot()
    life.live(0 if seed % 4 == 0 else 20 + life.dice(20))
    return life


def fails(life, kind, nth, seed):
    """A life in which the nth operation fails; False where it has not so many."""
    flash = bad(life.flash)
    flash.plan(kind, nth)
    other = life.fork(flash, seed)
    other.boot()
    for records in (RECORDS, 3, 0, 2):
        if records:
            other.live(records)
            for seq in other.kept:
                if seq > other.freed and other.journal.read(seq) != other.kept[seq]:
                    raise Broken("record %d can't be read" % seq)
        else:
            other.idle(3)
        other.boot()
    return flash.reached


def main():
    kind, first, seeds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    cases = 0
    for seed in range(first, first + seeds):
        life = begun(seed)
        nth = 1
        try:
            while fails(life, kind, nth, seed):
                nth += 1
        except Exception:
            print("kind %s, seed %d, operation %d" % (kind, seed, nth))
            raise
        cases += nth - 1
    print(cases)


if __name__ == "__main__":
    main()
