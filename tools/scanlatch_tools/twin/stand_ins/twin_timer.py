# The ESP32's `machine.Timer`, as far as a restart by it goes, and how long a minute is; loaded where it is asked for.
import os

import utime
from twin_trace import FOLDER


def shorter(ms):
    """A test has no minutes: where the launcher says so, one takes so long, and more of them half as long again."""
    minute = int(os.getenv("SCANLATCH_TWIN_MINUTE_MS") or 0)
    return ms if ms < 60_000 or not minute else minute if ms == 60_000 else minute * 3 // 2


class Timer:
    """One that restarts the chip when its time is over: the launcher does, as nothing can interrupt a program here."""

    def __init__(self, id):
        if id not in (0, 1, 2, 3):
            raise ValueError("invalid Timer number")

    def init(self, mode, period, callback):
        with open(FOLDER + "/timer", "w") as file:
            file.write("%d" % (utime.ticks_ms() + shorter(period)))

    def deinit(self):
        try:
            os.remove(FOLDER + "/timer")
        except OSError:
            pass
