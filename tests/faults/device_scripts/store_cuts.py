# Cuts power inside every flash operation of storing files, on the real LittleFS over NOR flash.
#
# Usage: store_cuts.py KIND [FIRST STRIDE]. With these, every STRIDE-th cut from FIRST on is followed by another, inside
# every operation of what comes after it. Prints one line: the number of cuts or pairs. MicroPython only.
#
# The life itself is never cut: LittleFS would hold open files whose finalisers write later. At each operation the
# flash forks, and each copy is mounted afterwards as a box does that starts again.
#
# Where a cut left bits that read differently at each boot, LittleFS may write over them unknowingly, and a later boot may
# find an older version of a file again, or one that its CRC finds damaged: none is ever taken for what it is not.
import sys

import vfs
from nor import Nor
from scanlatch.keep import files

FILES = ("/f/settings.json", "/f/device.der", "/f/slot")
SIZES = (40, 700, 1900, 300)
STEPS = 24


class Life:
    def __init__(self, flash, stored, name=None, data=None, ever=None):
        self.flash, self.stored, self.name, self.data = flash, stored, name, data
        self.ever = ever  # every version of every file, where the newest is not asked for

    def mount(self):
        vfs.mount(vfs.VfsLfs2(self.flash, progsize=32), "/f")

    def write(self, step, version):
        self.name = FILES[step % len(FILES)]
        self.data = (self.name + str(version)).encode() * (SIZES[version % len(SIZES)] // len(self.name))
        if self.ever is not None:
            self.ever.append((self.name, self.data))
        files.write_file(self.name, self.data)
        self.stored[self.name] = self.data
        self.name = None

    def check(self):
        """Every file is whole: as it was stored last, or as it was being stored when the power failed."""
        for name in FILES:
            try:
                found = files.read_file(name)
            except OSError:
                if self.ever is None:
                    raise
                print("damaged, and found to be", name)
                continue
            if self.ever is not None:
                right = (name, found) in self.ever
            else:
                right = found == self.stored.get(name) or (name == self.name and found == self.data)
            if not right:
                raise AssertionError("%s is neither old nor new" % name)
            self.stored[name] = found
        self.name = None


def begun():
    flash = Nor(16)
    vfs.VfsLfs2.mkfs(flash, progsize=32)
    return Life(flash, {})


def copies(kind, life, versions):
    """Copies of the life, each cut at another operation of storing these versions."""
    forked = []

    def before(at, data):
        copy = life.flash.clone(len(forked) + 1)
        copy.tear(kind, at, data)
        copy.restart()
        ever = life.ever and life.ever[:]
        if kind == "unstable" and ever is None:
            ever = [(name, life.stored.get(name)) for name in FILES]
        if ever is not None:
            ever.append((life.name, life.data))
        forked.append(Life(copy, dict(life.stored), life.name, life.data, ever))

    life.mount()
    life.check()
    life.flash.before = before
    for step, version in enumerate(versions):
        life.write(step, version)
    life.flash.before = None
    life.check()
    vfs.umount("/f")
    return forked


def goes_on(life, number):
    for _ in range(2):
        life.mount()
        life.check()
        for step in range(len(FILES)):
            life.write(step, number + step)
        life.check()
        vfs.umount("/f")
        life.flash.restart()


def main():
    kind = sys.argv[1]
    first, stride = (int(sys.argv[2]), int(sys.argv[3])) if len(sys.argv) > 2 else (0, 0)
    cuts = 0
    forked = copies(kind, begun(), range(0, (3 if stride else STEPS) * 5, 5))
    for number in range(first, len(forked), stride or 1):
        life, forked[number] = forked[number], None
        try:
            again = copies(kind, life, range(number, number + 3)) if stride else [life]
            for life in again:
                goes_on(life, number)
        except (OSError, AssertionError):
            print("cut", number)
            raise
        cuts += len(again)
    print(cuts)


if __name__ == "__main__":
    main()
