# The heap of the twin, told as often as the launcher wants to know; by itself, as what is loaded weighs in.
import gc

import utime
from twin_trace import line


def tell(dog):
    """The firmware feeds the watchdog `dog` about once a second: the place to look. dog.told: (ticks, every ms)."""
    told, every = dog.told
    now = utime.ticks_ms()
    if utime.ticks_diff(now, told) >= every:
        dog.told = now, every
        gc.collect()
        line("heap", free=gc.mem_free(), used=gc.mem_alloc())
