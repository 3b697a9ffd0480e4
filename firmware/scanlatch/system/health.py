# Health: what is counted since boot; `report` makes a message of it.
import gc
from array import array


class Health:
    """Counts what happened since boot.

    counted: names of the counters, in one text with a blank before and behind each: a dictionary would take 1 KB more.
    """

    def __init__(self, reset_cause, counted):
        self.reset_cause = reset_cause
        self.heap_low = None
        # Why the link was down last: network, name, refused, certificate, protocol, memory, files.
        self.link_cause = ""
        self.engine = ""
        self.counted = counted
        self.counts = array("I", bytes(4 * len(counted.split())))

    def count(self, name):
        self.counts[self.counted.count(" ", 0, self.counted.index(" " + name + " "))] += 1

    def collect(self):
        """Collect garbage now, at a moment that somebody chose, and remember how little was ever free (bytes)."""
        gc.collect()
        free = gc.mem_free()
        if self.heap_low is None or free < self.heap_low:
            self.heap_low = free
        return free
