# Flash that takes its time to erase a sector: nothing else runs meanwhile, as on the chip.
import utime
from micropython import const
from twin_trace import line

# A tuple, as a module without any constant object may hold what happens to lie behind its table of names.
_STALLS = const(("erase",))


def note(erase_ms):
    """What the flash calls behind each operation."""

    def noted(what, op, block):
        line(what, op=op, block=block)
        if op in _STALLS:
            utime.sleep_ms(erase_ms)

    return noted
