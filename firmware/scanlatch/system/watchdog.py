# The watchdog: fed only while every watched task still comes round.
from micropython import const

TIMEOUT_MS = const(30_000)
_LOOK_EVERY_MS = const(1_000)


class Watchdog:
    """Feeds `wdt` while each task beats within its limit; a task that hangs lets the box restart."""

    def __init__(self, wdt, clock):
        self._wdt = wdt
        self._clock = clock
        self._tasks = {}  # name -> [last beat, limit], both ms
        self._look_ms = clock.ms()

    def watch(self, name, limit_ms):
        """Begin to watch a task. Returns the function that it calls at least every `limit_ms`."""
        entry = [self._clock.ms(), limit_ms]
        self._tasks[name] = entry

        def beat():
            entry[0] = self._clock.ms()

        return beat

    def late(self):
        """Name of a task past its limit, or None."""
        now = self._clock.ms()
        for name, (last, limit) in self._tasks.items():
            if now - last > limit:
                return name
        return None

    def feed(self):
        """Before something that blocks and is known to end, such as a name look-up."""
        self._wdt.feed()

    def look(self):
        """Called many times a second: feeds now and then, while no task is late."""
        now = self._clock.ms()
        if now >= self._look_ms:
            self._look_ms = now + _LOOK_EVERY_MS
            if self.late() is None:
                self._wdt.feed()
