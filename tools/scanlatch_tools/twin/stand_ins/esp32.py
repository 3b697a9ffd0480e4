# The ESP32's flash partitions and key-value store, in files of the twin's folder.
#
# scanlog.bin is the flash of partition `scanlog` (nor.py has its rules), nvs.json the key-value store. Broken flash
# rules are noted in violations.jsonl and the trace, never raised, since the chip doesn't. `SCANLATCH_TWIN_CUT=n:kind`,
# or a file cut.json, fails the power in the n-th flash operation of this process (twin_cut.py).
import json
import os

from micropython import const
from nor import Nor
from twin_trace import FOLDER, line

_SECTORS = const(256)  # the 1 MiB of our partition table; twin.json {"sectors": n} may say otherwise, 0: no partition
_SCANLOG_AT = const(0x300000)
_KEY_SIZE = const(15)
_BLOB_SIZE = const(4000)  # limit of the IDF's NVS for a partition of the usual size
_INVALID_SIZE = const(-0x104)
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
    _flash = None  # one for all, as the chip has one

    @staticmethod
    def find(type=TYPE_APP, subtype=0xFF, label=None):
        if type != Partition.TYPE_DATA or label not in (None, "scanlog") or subtype not in (0xFF, 0x40):
            return []
        if Partition._flash is None:
            sectors = _settings("twin.json").get("sectors", _SECTORS)
            if not sectors:
                return []
            Partition._flash = Nor(sectors, FOLDER + "/scanlog.bin")
            if os.getenv("SCANLATCH_TWIN_CUT") or _settings("cut.json"):
                import twin_cut

                twin_cut.plan(Partition._flash)
        return [Partition()]

    def info(self):
        return (Partition.TYPE_DATA, 0x40, _SCANLOG_AT, self._flash.sectors * 4096, "scanlog", False)

    def readblocks(self, block, buf, offset=0):
        self._check(block, offset, len(buf))
        self._flash.readblocks(block, buf, offset)

    def writeblocks(self, block, buf, offset=None):
        self._check(block, offset or 0, len(buf))
        self._flash.writeblocks(block, buf, offset)
        self._tell("program", block)

    def ioctl(self, op, arg=0):
        if op == 6:
            self._check(arg, 0, 4096)
            self._flash.ioctl(6, arg)
            self._tell("erase", arg)
        return self._flash.ioctl(op) if 1 <= op <= 5 else 0

    def _check(self, block, offset, size):
        if block < 0 or offset < 0 or block * 4096 + offset + size > self._flash.sectors * 4096:
            raise OSError(_INVALID_SIZE)

    def _tell(self, op, block):
        line("flash", op=op, block=block)
        broken = self._flash.violations
        if broken:
            import twin_cut

            twin_cut.note(broken)


class NVS:
    """A namespace of the key-value store; what isn't committed is gone at the next start."""

    def __init__(self, namespace):
        self._namespace = namespace
        self._changes = {}

    def set_i32(self, key, value):
        if not -(1 << 31) <= value < 1 << 31:
            raise OverflowError
        self._change(key, value)

    def get_i32(self, key):
        return self._find(key, int)

    def set_blob(self, key, value):
        if len(value) > _BLOB_SIZE:
            raise OSError(_VALUE_TOO_LONG)
        self._change(key, bytes(value).hex())

    def get_blob(self, key, buffer):
        value = bytes.fromhex(self._find(key, str))
        if len(value) > len(buffer):
            raise OSError(_INVALID_LENGTH)
        buffer[: len(value)] = value
        return len(value)

    def erase_key(self, key):
        self._find(key)
        self._changes[key] = None

    def commit(self):
        stored = _settings("nvs.json")
        values = stored.setdefault(self._namespace, {})
        values.update(self._changes)  # None: erased
        with open(FOLDER + "/nvs.json.new", "w") as file:
            json.dump(stored, file)
        os.rename(FOLDER + "/nvs.json.new", FOLDER + "/nvs.json")
        self._changes.clear()

    def _change(self, key, value):
        if not 0 < len(key) <= _KEY_SIZE:
            raise OSError(_KEY_TOO_LONG)
        self._changes[key] = value

    def _find(self, key, kind=None):
        if not 0 < len(key) <= _KEY_SIZE:
            raise OSError(_KEY_TOO_LONG)
        value = self._changes.get(key, _settings("nvs.json").get(self._namespace, {}).get(key))
        if value is None:
            raise OSError(_NOT_FOUND)
        if kind and not isinstance(value, kind):
            raise OSError(_TYPE_MISMATCH)
        return value
