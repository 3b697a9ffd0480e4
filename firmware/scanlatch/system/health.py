# Health: what is counted since boot; `report` makes a message of it.
import gc


class Health:
    """Counts what happened since boot; `counters` is open to every part that gets this object.

    counted: names of the counters.
    """

    def __init__(self, reset_cause, counted):
        self.reset_cause = reset_cause
        self.heap_low = None
        self.link_cause = ""  # why the link was down last: network, name, refused, certificate, protocol, memory
        self.engine = ""
        self.counters = dict.fromkeys(counted, 0)

    def count(self, name):
        self.counters[name] += 1

    def collect(self):
        """Collect garbage now, at a moment that somebody chose, and remember how little was ever free (bytes)."""
        gc.collect()
        free = gc.mem_free()
        if self.heap_low is None or free < self.heap_low:
            self.heap_low = free
        return free
