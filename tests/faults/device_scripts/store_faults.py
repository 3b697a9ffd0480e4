# Fails each flash operation of storing files on the real LittleFS, in turn, with no power cut. MicroPython only.
#
# Usage: store_faults.py KIND EVERY [NTH]. KIND: see flash_faults.py. Prints one line: the number of failures; with NTH
# only that operation fails.
#
# A file that was said to be stored is stored; one that could not be is as it was or as it was to become. So it is at
# once, after a restart, and when the terminal has gone on storing.
import sys

import vfs
from flash_faults import bad
from nor import Nor
from scanlatch.keep import files
from store_cuts import FILES, Life

STEPS = 9


def prepared():
    flash = Nor(16)
    vfs.VfsLfs2.mkfs(flash, progsize=32)
    life = Life(flash, {})
    life.mount()
    for step in range(4):
        life.write(step, step)
    vfs.umount("/f")
    return life


def stores(life, first):
    """Store a few files; what the flash refused is known to be old or new."""
    for step in range(first, first + STEPS):
        try:
            life.write(step, step * 5)
        except OSError:
            found = files.read_file(life.name)
            if found not in (life.stored.get(life.name), life.data):
                raise AssertionError("%s is neither old nor new" % life.name)
            life.stored[life.name] = found
            life.name = None


def fails(start, kind, nth):
    flash = bad(start.flash)
    flash.plan(kind, nth)
    life = Life(flash, dict(start.stored))
    for first in (5, 40, 0):
        life.mount()
        life.check()
        stores(life, first)
        life.check()
        try:
            vfs.umount("/f")
        except OSError:
            pass
    return flash.reached


def main():
    kind, every = sys.argv[1], int(sys.argv[2])
    start = prepared()
    nth, count = 1, 0
    try:
        if len(sys.argv) > 3:
            nth = int(sys.argv[3])
            count += fails(start, kind, nth)
        else:
            while fails(start, kind, nth):
                nth += every
                count += 1
    except Exception:
        print("kind %s, operation %d" % (kind, nth))
        raise
    print(count)


main()
