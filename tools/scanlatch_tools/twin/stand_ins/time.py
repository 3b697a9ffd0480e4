# Time as the ESP32 has it: counted from 2000, and starting there when the power comes; see twin_time.
import utime
from twin_trace import load


def __getattr__(name):
    return getattr(utime, name) if name[:5] in ("sleep", "ticks") else load("twin_time", name)


rtc = load("twin_time", "start")()
