# The ESP32's flash partitions and key-value store, in files of the twin's folder.
#
# scanlog.bin is the flash of partition `scanlog` (nor.py has its rules), nvs.json the key-value store. Broken flash
# rules are noted in violations.jsonl and the trace, never raised, since the chip doesn't. `SCANLATCH_TWIN_CUT=n:kind`,
# or a file cut.json {"nth": n, "kind": kind} that is used up once read, fails the power in the n-th flash operation
# of this process: it ends with status 99.
import json
import os

from micropython import const
from nor import Nor, PowerCut
from twin_trace import FOLDER, line

_SECTORS = const(256)  # the 1 MiB of our partition table; twin.json {"sectors": n} may say otherwise
_CUT_STATUS = const(99)
_SCANLOG_AT = const(0x300000)
_KEY_SIZE = const(15)
_BLOB_SIZE = const(4000)  # limit of the IDF's NVS for a partition of the usual size
_INVALID_ARGUMENT = const(-0x102)
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


def _planned_cut():
    planned = os.getenv("SCANLATCH_TWIN_CUT")
    if planned:
        nth, kind = planned.split(":")
        return int(nth), kind
    found = _settings("cut.json")
    if not found:
        return 0, None
    os.remove(FOLDER + "/cut.json")
    return found["nth"], found["kind"]


class Partition:
    """Partition `scanlog` as MicroPython gives it: writeblocks with two arguments erases, with three programs."""

    TYPE_APP = const(0)
    TYPE_DATA = const(1)
    BOOT = const(0)
    RUNNING = const(1)
    _flash = None  # one for all, as the chip has one

    def __init__(self, name):
        if name != "scanlog":
            raise OSError(-2)  # as for a label that isn't in the table
        if Partition._flash is None:
            Partition._flash = Nor(_settings("twin.json").get("sectors", _SECTORS), FOLDER + "/scanlog.bin")
            Partition._flash.cut(*_planned_cut())
        self._size = Partition._flash.ioctl(4) * 4096

    @staticmethod
    def find(type=TYPE_APP, subtype=0xFF, label=None):  # noqa: A002 (the chip's name)
        if type == Partition.TYPE_DATA and label in (None, "scanlog") and subtype in (0xFF, 0x40):
            return [Partition("scanlog")]
        return []

    def info(self):
        return (Partition.TYPE_DATA, 0x40, _SCANLOG_AT, self._size, "scanlog", False)

    def readblocks(self, block, buf, offset=0):
        self._check(block, offset, len(buf))
        Partition._flash.readblocks(block, buf, offset)

    def writeblocks(self, block, buf, offset=None):
        self._check(block, offset or 0, len(buf))
        self._run("program", block, Partition._flash.writeblocks, block, buf, offset)

    def ioctl(self, op, arg=0):
        if op == 6:
            self._check(arg, 0, 4096)
            self._run("erase", arg, Partition._flash.ioctl, 6, arg)
            return 0
        return Partition._flash.ioctl(op, arg) if 1 <= op <= 5 else None

    def _check(self, block, offset, size):
        if block < 0 or offset < 0 or block * 4096 + offset + size > self._size:
            raise OSError(_INVALID_SIZE)

    def _run(self, name, block, job, *arguments):
        powered = True
        try:
            job(*arguments)
        except PowerCut:
            powered = False
        if not powered:
            line("cut", op=name, block=block)
            raise SystemExit(_CUT_STATUS)
        line("flash", op=name, block=block)
        broken = Partition._flash.violations
        while broken:
            what, where, offset, size = broken.pop(0)
            line("nor_violation", rule=what, block=where, offset=offset, size=size)
            with open(FOLDER + "/violations.jsonl", "a") as file:
                file.write(json.dumps({"rule": what, "block": where, "offset": offset, "size": size}) + "\n")


class NVS:
    """A namespace of the key-value store; what isn't committed is gone at the next start."""

    def __init__(self, namespace):
        _check_key(namespace)
        self._namespace = namespace
        self._changes = {}

    def set_i32(self, key, value):
        if not -(1 << 31) <= value < 1 << 31:
            raise OverflowError("overflow converting long int to machine word")
        self._change(key, value)

    def get_i32(self, key):
        value = self._find(key)
        if isinstance(value, str):
            raise OSError(_TYPE_MISMATCH, "ESP_ERR_NVS_TYPE_MISMATCH")
        return value

    def set_blob(self, key, value):
        if len(value) > _BLOB_SIZE:
            raise OSError(_VALUE_TOO_LONG, "ESP_ERR_NVS_VALUE_TOO_LONG")
        self._change(key, bytes(value).hex())

    def get_blob(self, key, buffer):
        value = self._find(key)
        if not isinstance(value, str):
            raise OSError(_TYPE_MISMATCH, "ESP_ERR_NVS_TYPE_MISMATCH")
        if len(value) // 2 > len(buffer):
            raise OSError(_INVALID_LENGTH, "ESP_ERR_NVS_INVALID_LENGTH")
        buffer[: len(value) // 2] = bytes.fromhex(value)
        return len(value) // 2

    def erase_key(self, key):
        self._find(key)
        self._change(key, None)

    def commit(self):
        stored = _settings("nvs.json")
        values = stored.setdefault(self._namespace, {})
        for key, value in self._changes.items():
            if value is None:
                values.pop(key, None)
            else:
                values[key] = value
        with open(FOLDER + "/nvs.json.new", "w") as file:
            json.dump(stored, file)
        os.rename(FOLDER + "/nvs.json.new", FOLDER + "/nvs.json")
        self._changes.clear()

    def _change(self, key, value):
        _check_key(key)
        self._changes[key] = value

    def _find(self, key):
        _check_key(key)
        stored = _settings("nvs.json").get(self._namespace, {})
        value = self._changes.get(key, stored.get(key))
        if value is None:
            raise OSError(_NOT_FOUND, "ESP_ERR_NVS_NOT_FOUND")
        return value


def _check_key(key):
    if not 0 < len(key) <= _KEY_SIZE:
        raise OSError(_KEY_TOO_LONG, "ESP_ERR_NVS_KEY_TOO_LONG")
