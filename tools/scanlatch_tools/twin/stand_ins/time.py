# Time as the ESP32 has it: counted from 2000, and starting there when the power comes.
import utime
from twin_trace import FOLDER, IS_TWIN
from utime import sleep, sleep_ms, sleep_us, ticks_add, ticks_cpu, ticks_diff, ticks_ms, ticks_us  # noqa: F401

_EPOCH_S = 946684800  # 2000-01-01, of the interpreter's 1970
_FILE = FOLDER + "/rtc"  # removed by the launcher where the RTC stops
_memory = b""  # the RTC's


def _start():
    global _zero, _memory
    try:
        with open(_FILE) as file:
            zero, memory = file.read().split(",")
        _zero = int(zero)
        _memory = bytes.fromhex(memory)
    except OSError:
        _zero = utime.time_ns()
        _keep()


def _keep():
    if not IS_TWIN:
        return
    with open(_FILE, "w") as file:
        file.write("%d,%s" % (_zero, _memory.hex()))


def set_ns(since_2000):
    """Set the RTC: nanoseconds since 2000. For `machine.RTC` only."""
    global _zero
    _zero = utime.time_ns() - since_2000
    _keep()


def memory(data=None):
    """The RTC's memory, or set it. For `machine.RTC` only."""
    global _memory
    if data is None:
        return _memory
    _memory = bytes(data)
    _keep()


def time_ns():
    return utime.time_ns() - _zero


def time():
    return time_ns() // 1_000_000_000


def gmtime(seconds=None):
    return utime.gmtime((time() if seconds is None else int(seconds)) + _EPOCH_S)[:8]


localtime = gmtime


def mktime(fields):
    """Days by the civil calendar; the interpreter's own would take the computer's time zone."""
    year, month, day, hour, minute, second = fields[:6]
    if month < 3:
        year -= 1
        month += 12
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day - 730426
    return ((days * 24 + hour) * 60 + minute) * 60 + second


_start()
