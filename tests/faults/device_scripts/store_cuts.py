# Cuts power inside every flash operation of storing files, on the real LittleFS over NOR flash.
#
# Usage: store_cuts.py KIND. Prints one line: the number of cuts. MicroPython only.
#
# The life itself is never cut: LittleFS would hold open files whose finalisers write later. At each operation the
# flash forks, and each copy is mounted afterwards as a box does that starts again.
import sys

import vfs
from nor import Nor
from scanlatch.keep import files

FILES = ("/f/settings.json", "/f/device.der", "/f/slot")
SIZES = (40, 700, 1900, 300)
STEPS = 24


class Life:
    def __init__(self, flash, stored, name=None, data=None):
        self.flash, self.stored, self.name, self.data = flash, stored, name, data

    def mount(self):
        vfs.mount(vfs.VfsLfs2(self.flash, progsize=32), "/f")

    def write(self, step, version):
        self.name = FILES[step % len(FILES)]
        self.data = (self.name + str(version)).encode() * (SIZES[version % len(SIZES)] // len(self.name))
        files.write_file(self.name, self.data)
        self.stored[self.name] = self.data
        self.name = None

    def check(self):
        """Every file is whole: as it was stored last, or as it was being stored when the power failed."""
        for name in FILES:
            found = files.read_file(name)
            if found != self.stored.get(name) and not (name == self.name and found == self.data):
                raise AssertionError("%s is neither old nor new" % name)
            self.stored[name] = found
        self.name = None


def copies(kind):
    flash = Nor(16)
    vfs.VfsLfs2.mkfs(flash, progsize=32)
    life, forked = Life(flash, {}), []

    def before(at, data):
        copy = flash.clone(len(forked) + 1)
        copy.tear(kind, at, data)
        copy.restart()
        forked.append(Life(copy, dict(life.stored), life.name, life.data))

    life.mount()
    flash.before = before
    for step in range(STEPS):
        life.write(step, step * 5)
    flash.before = None
    life.check()
    vfs.umount("/f")
    return forked


def main():
    forked = copies(sys.argv[1])
    for number, life in enumerate(forked):
        try:
            for _ in range(2):
                life.mount()
                life.check()
                for step in range(len(FILES)):
                    life.write(step, number + step)
                life.check()
                vfs.umount("/f")
                life.flash.restart()
        except (OSError, store.StoreFault, AssertionError):
            print("cut", number)
            raise
    print(len(forked))


main()
