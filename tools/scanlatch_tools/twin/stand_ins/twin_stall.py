# Flash that takes its time to erase a sector: nothing else runs meanwhile, as on the chip.
import utime
from twin_trace import line


def note(erase_ms):
    """What the flash calls behind each operation."""

    def noted(what, op, block):
        line(what, op=op, block=block)
        if op == "erase":
            utime.sleep_ms(erase_ms)

    return noted
