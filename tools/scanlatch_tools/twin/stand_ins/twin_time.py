# The twin's clock, and machine.RTC. `clock.rtc` holds when the year 2000 began for it (ns), and the RTC's memory.
import time as clock  # the stand-in, which holds the state

import twin_trace
import utime

_EPOCH_S = 946684800  # 2000-01-01, of the interpreter's 1970
_FILE = twin_trace.FOLDER + "/rtc"  # removed by the launcher where the RTC stops


def start():
    try:
        with open(_FILE) as file:
            zero, memory = file.read().split(",")
        return int(zero), bytes.fromhex(memory)
    except OSError:
        return _keep(utime.time_ns(), b"")


def _keep(zero, memory):
    if twin_trace._file:
        with open(_FILE, "w") as file:
            file.write("%d,%s" % (zero, memory.hex()))
    return zero, memory


def time_ns():
    return utime.time_ns() - clock.rtc[0]


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


class RTC:
    def __new__(cls):
        made = twin_trace.Part()
        made.kind = ("twin_time", "RTC")
        return made

    def datetime(self, to=None):
        if to is None:
            now = gmtime()
            return now[:3] + (now[6],) + now[3:6] + (time_ns() // 1000 % 1_000_000,)
        seconds = mktime(to[:3] + to[4:7])
        if seconds < 0:
            raise ValueError("before 2000")
        clock.rtc = _keep(utime.time_ns() - (seconds * 1_000_000 + to[7]) * 1000, clock.rtc[1])
        twin_trace.line("rtc", seconds=seconds)
        return None

    def memory(self, data=None):
        if data is None:
            return clock.rtc[1]
        if len(data) > 2048:
            raise ValueError("buffer too long")
        clock.rtc = _keep(clock.rtc[0], bytes(data))
        return None
