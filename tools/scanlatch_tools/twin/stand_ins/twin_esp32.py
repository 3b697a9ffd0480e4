# The ESP32's flash partitions and key-value store, in files of the twin's folder.
#
# scanlog.bin is the flash of partition `scanlog` (nor.py has its rules), nvs.json the key-value store. Broken flash
# rules are noted in violations.jsonl and the trace, never raised, since the chip doesn't. `SCANLATCH_TWIN_CUT=n:kind`,
# or a file cut.json, fails the power in the n-th flash operation of this process (twin_cut.py).
import json
import os

import nor
import twin_trace
from micropython import const
from twin_trace import FOLDER, line, load

_SECTORS = const(256)  # the 1 MiB of our partition table; twin.json {"sectors": n} may say otherwise, 0: no partition
_HANDLES = const(8)  # the chip has memory for some hundred
_NO_MEMORY = const(12)
_KEY_SIZE = const(15)
_BLOB_SIZE = const(4000)  # limit of the IDF's NVS for a partition of the usual size
_NOT_FOUND = const(-0x1102)
_TYPE_MISMATCH = const(-0x1103)
_KEY_TOO_LONG = const(-0x1109)
_INVALID_LENGTH = const(-0x110C)
_VALUE_TOO_LONG = const(-0x110E)


def _settings(name):
    try:
        with open(FOLDER + "/" + name) as file:
            return json.load(file)
    except OSError:
        return {}


class Partition:
    """Partition `scanlog` as MicroPython gives it: writeblocks with two arguments erases, with three programs."""

    TYPE_APP = const(0)
    TYPE_DATA = const(1)

    @staticmethod
    def find(type=TYPE_APP, subtype=0xFF, label=None):
        if type != Partition.TYPE_DATA or label not in (None, "scanlog") or subtype not in (0xFF, 0x40):
            return []
        all = getattr(nor.Flash, "all", [])  # the chip has one
        sectors = 0 if all else _settings("twin.json").get("sectors", _SECTORS)
        if sectors:
            all.append(_flash(sectors, FOLDER + "/scanlog.bin"))
            nor.Flash.all = all
        return all[:]

    def info(self):
        at = _settings("twin.json").get("at", 0x300000)
        return (Partition.TYPE_DATA, 0x40, at, self.sectors * 4096, "scanlog", False)

    def broke(self, rule, block, offset, size):
        """Write down that the firmware did to its flash what NOR forbids."""
        found = {"rule": rule, "block": block, "offset": offset, "size": size}
        with open(FOLDER + "/violations.jsonl", "a") as file:
            file.write(json.dumps(found) + "\n")
        line("nor_violation", **found)


def _flash(sectors, path):
    cut = _settings("cut.json")
    if os.getenv("SCANLATCH_TWIN_CUT") or cut or size_of(path + ".unstable"):
        return load("twin_cut", "flash")(sectors, path, cut)
    flash = nor.Flash()
    flash.sectors = sectors
    slow = int(os.getenv("SCANLATCH_TWIN_ERASE_MS") or 0)
    flash.note = load("twin_stall", "note")(slow) if slow else line
    flash.kind = ("twin_esp32", "Partition")
    nor.Flash.__getattr__ = twin_trace.Part.__getattr__
    return opened(flash, path)


def opened(flash, path):
    """Give `flash` its streams, made where they are missing."""
    told = _settings("twin.json")
    if "flash" in told:  # a bare board's
        return load("twin_window", "opened")(flash, told)
    flash.cells = _open(path, flash.sectors, b"\xff")
    flash.touched = _open(path + ".touched", flash.sectors, b"\0")
    return flash


def size_of(path):
    try:
        return os.stat(path)[6]
    except OSError:
        return 0


def _open(path, sectors, fill):
    with open(path, "ab") as new:
        for _ in range(sectors - size_of(path) // 4096):
            new.write(fill * 4096)
    return open(path, "r+b", 0)  # unbuffered: it outlives a kill


class NVS:
    """A namespace of the key-value store; what isn't committed is gone at the next start.

    As on the chip none is ever closed: whoever opens it each time runs out of memory.
    """

    def __new__(cls, namespace):
        opened = getattr(twin_trace.Part, "handles", 0) + 1
        if opened > _HANDLES:
            raise OSError(_NO_MEMORY)
        twin_trace.Part.handles = opened
        made = twin_trace.Part()
        made.kind = ("twin_esp32", "NVS")
        made.name = namespace
        made._pending = None  # the chip's takes hardly any heap
        return made

    def set_i32(self, key, value):
        if not -(1 << 31) <= value < 1 << 31:
            raise OverflowError
        _change(self, key, value)

    def get_i32(self, key):
        return _find(self, key, int)

    def set_blob(self, key, value):
        if len(value) > _BLOB_SIZE:
            raise OSError(_VALUE_TOO_LONG)
        _change(self, key, bytes(value).hex())

    def get_blob(self, key, buffer):
        value = bytes.fromhex(_find(self, key, str))
        if len(value) > len(buffer):
            raise OSError(_INVALID_LENGTH)
        buffer[: len(value)] = value
        return len(value)

    def erase_key(self, key):
        _find(self, key)
        _change(self, key, None)

    def commit(self):
        stored = _settings("nvs.json")
        values = stored.setdefault(self.name, {})
        values.update(self._pending or {})  # None: erased
        with open(FOLDER + "/nvs.json.new", "w") as file:
            json.dump(stored, file)
        here = os.getcwd()
        os.chdir(FOLDER)  # MicroPython's VfsPosix below another root takes both names for the second one, if absolute
        os.rename("nvs.json.new", "nvs.json")
        os.chdir(here)
        self._pending = None


def _change(nvs, key, value):
    if not 0 < len(key) <= _KEY_SIZE:
        raise OSError(_KEY_TOO_LONG)
    nvs._pending = nvs._pending or {}
    nvs._pending[key] = value


def _find(nvs, key, kind=None):
    if not 0 < len(key) <= _KEY_SIZE:
        raise OSError(_KEY_TOO_LONG)
    value = (nvs._pending or {}).get(key, _settings("nvs.json").get(nvs.name, {}).get(key))
    if value is None:
        raise OSError(_NOT_FOUND)
    if kind and not isinstance(value, kind):
        raise OSError(_TYPE_MISMATCH)
    return value
