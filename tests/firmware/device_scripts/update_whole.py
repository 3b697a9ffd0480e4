# Two whole updates of a firmware in a file system, one after the other, as over the air.
#
# Usage: update_whole.py FOLDER BLOCKS: the compiled firmware, and the size of the file system. MicroPython only.
import os
import sys

import vfs
from nor import Nor
from scanlatch.system import trial, update_commit
from update_desk import Terminal, held, manifest, packed

_ROOT = {"boot.py": 3_000, "main.py": 600, "settings.json": 2_000, "ca.der": 500, "device.der": 500, "update": 300}


def main():
    folder, blocks = sys.argv[1], int(sys.argv[2])
    package = {}
    for path in update_commit.walk(folder + "/scanlatch"):
        with open(path, "rb") as file:
            package[path[len(folder) + 1 :]] = file.read()
    flash = Nor(blocks)
    vfs.VfsLfs2.mkfs(flash, progsize=32)
    vfs.mount(vfs.VfsLfs2(flash, progsize=32), "/f")
    os.chdir("/f")
    for name, size in _ROOT.items():
        _put(name, bytes(size))
    for path, data in package.items():
        _folders("a/" + path)
        _put("a/" + path, data)
    _put("a/whole", b"")
    os.chdir("/")
    vfs.umount("/f")
    terminal = Terminal(flash)
    if terminal.power_on() != "a":
        raise AssertionError("boot.py")
    content = packed(package)
    for counter, wanted in ((1, "b"), (2, "a")):
        terminal.deliver(manifest(content, counter, k8=len(package)), content, 1024)
        if terminal.restart() != wanted or held(wanted) != package or trial.look(terminal) is not None:
            raise AssertionError("slot " + wanted)


def _folders(path):
    at = path.find("/")
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError:
            pass
        at = path.find("/", at + 1)


def _put(path, data):
    with open(path, "wb") as file:
        file.write(data)


if __name__ == "__main__":
    main()
