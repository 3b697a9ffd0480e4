# A terminal to be updated: the real LittleFS on NOR flash as its file system, boot.py, and a release key.
import asyncio
import os
import sys

import micropython
import vfs
from nor import Nor
from scanlatch import load
from scanlatch.keep import files, store
from scanlatch.prove import cbor, cose, hashes, keys, rfc6979
from scanlatch.system import trial, update, update_begin, update_chunk, update_commit, update_manifest

KEY = bytes(range(1, 33))
POINT = keys.public_key(KEY)
OLD = {"scanlatch/__init__.mpy": b"old", "scanlatch/app.mpy": b"old " * 400}
NEW = {
    "scanlatch/__init__.mpy": b"new",
    "scanlatch/app.mpy": b"new " * 300,
    "scanlatch/keep/empty.mpy": b"",
    "scanlatch/keep/ring.mpy": b"ring" * 1300,
    "scanlatch/keep_.mpy": b"behind the folder" * 9,
}
_PATH = sys.path[:]


class Machine:
    """What boot.py and a confirmed trial ask of the chip."""

    class WDT:
        def __init__(self, timeout):
            Machine.watchdog = timeout

    class Timer:
        ONE_SHOT = 0

        def __init__(self, number):
            pass

        def init(self, period, mode, callback):
            Machine.timer = period

        def deinit(self):
            Machine.timer = None

    reset = None
    timer = watchdog = None


class _Micropython:
    alloc_emergency_exception_buf = int  # which the chip's has, and does nothing here

    def __getattr__(self, name):
        return getattr(micropython, name)


sys.modules["machine"] = Machine
sys.modules["micropython"] = _Micropython()


class Nvs:
    def __init__(self):
        self.held = {}

    def get_int(self, name):
        return self.held.get(name)

    def set_int(self, name, value):
        self.held[name] = value


class Terminal:
    """With this flash; `power_on` starts it. state: as the command before left it."""

    def __init__(self, flash, nvs=None):
        self.flash, self.nvs = flash, nvs or Nvs()
        self.settings = {"release_key": POINT.hex()}
        self.told = {"engine": "GM65"}
        self.scanner = self.engine = self
        self.fault = None
        self.quiet = 1000
        self.state = None

    def quiet_ms(self):
        return self.quiet

    def power_on(self):
        """Mount, and run boot.py; which slot it chose."""
        vfs.mount(vfs.VfsLfs2(self.flash, progsize=32), "/f")
        os.chdir("/f")
        self.state = None
        sys.path[:] = _PATH
        exec(BOOT, {})
        return sys.path[0]

    def power_off(self):
        os.chdir("/")
        vfs.umount("/f")
        self.flash.restart()

    def restart(self):
        self.power_off()
        return self.power_on()

    def command(self, name, arguments):
        """(result, details) of an update command."""
        work = update.Work(self, self.state)
        done = asyncio.run(work.done(name, arguments))
        self.state = work.state
        return done

    def begin(self, message):
        return self.command("update-begin", {"manifest": message})

    def chunk(self, at, data):
        return self.command("update-chunk", {"at": at, "data": data})

    def commit(self, message):
        return self.command("update-commit", {"digest": hashes.sha256(message)})

    def deliver(self, message, content, size=700):
        """All of an update. Raises AssertionError where a step is refused."""
        result, details = self.begin(message)
        while result == "ok" and details["at"] < len(content):
            result, details = self.chunk(details["at"], content[details["at"] : details["at"] + size])
        if result == "ok":
            result, details = self.commit(message)
        if result != "ok":
            raise AssertionError(result)


def prepared(sectors=48):
    """Flash of a terminal that was provisioned with OLD."""
    flash = Nor(sectors)
    vfs.VfsLfs2.mkfs(flash, progsize=32)
    vfs.mount(vfs.VfsLfs2(flash, progsize=32), "/f")
    os.chdir("/f")
    for path in ("a", "a/scanlatch"):
        os.mkdir(path)
    for path, data in OLD.items():
        with open("a/" + path, "wb") as file:
            file.write(data)
    with open("a/whole", "wb"):
        pass
    os.chdir("/")
    vfs.umount("/f")
    return flash


def held(slot):
    """What lies in a slot, by path."""
    found = {}
    for path in update_commit.walk(slot + "/scanlatch"):
        with open(path, "rb") as file:
            found[path[len(slot) + 1 :]] = file.read()
    return found


def packed(files):
    content = b""
    for path in sorted(files):
        content += bytes((len(path),)) + path.encode() + len(files[path]).to_bytes(4, "big") + files[path]
    return content


def manifest(content, counter=1, key=KEY, family=None, **more):
    """Message of a manifest. more: payload keys as k3=..., which differ."""
    payload = {1: 1, 2: "9.9.9", 3: counter, 4: family or update_begin.family(), 5: len(content)}
    payload.update({6: hashes.sha256(content), 7: 1_790_000_000_000, 8: len(NEW)})
    payload.update({int(name[1:]): value for name, value in more.items()})
    kid = hashes.sha256(keys.public_key(key))[:8]
    return cose.sign1(kid, cbor.dumps(payload), b"scanlatch/1/update", lambda m: rfc6979.sign(key, hashes.sha256(m)))


def _boot():
    for folder in sys.path:
        try:
            with open(folder + "/boot.py") as file:
                return compile(file.read(), "boot.py", "exec")
        except OSError:
            pass
    raise OSError("boot.py")


BOOT = _boot()
_MODULES = {
    "system.update_begin": update_begin,
    "system.update_chunk": update_chunk,
    "system.update_commit": update_commit,
    "system.update_manifest": update_manifest,
    "system.trial": trial,
    "keep.files": files,
    "keep.store": store,
}


def _loaded(name):
    # Not from the file system again for every step: that takes time, and is not what is asked here.
    return _MODULES.get(name) or load(name)


for one in (update, update_begin, update_commit, update_manifest, trial):
    one.load = _loaded

CONTENT = packed(NEW)
MESSAGE = manifest(CONTENT, counter=5)


class Started:
    """A terminal that runs from slot a, and is switched off behind the case."""

    def __init__(self, sectors=48):
        self.terminal = Terminal(prepared(sectors))

    def __enter__(self):
        if self.terminal.power_on() != "a":
            raise AssertionError("boot.py")
        return self.terminal

    def __exit__(self, *_):
        self.terminal.power_off()
