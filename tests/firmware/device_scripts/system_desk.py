# What the cases of the box itself stand on: a clock to turn, an RTC and a store without a chip.
from scanlatch.system.clock import Clock

NOW = 1_795_000_000_000  # UTC ms


class Rtc:
    def __init__(self, memory=b""):
        self._memory, self.set_to = memory, None

    def memory(self, value=None):
        if value is None:
            return self._memory
        self._memory = value

    def datetime(self, value):
        self.set_to = value


class Nvs:
    def __init__(self):
        self.held, self.writes = {}, 0

    def get_int(self, name):
        return self.held.get(name)

    get_bytes = get_int

    def set_int(self, name, value):
        self.held[name] = value
        self.writes += 1

    set_bytes = set_int

    def erase(self, name):
        self.held.pop(name, None)


class Ticks:
    def __init__(self, wrap=1 << 30):
        self.now, self.wrap = 0, wrap

    def ticks(self):
        return self.now % self.wrap

    def diff(self, a, b):
        half = self.wrap // 2
        return (a - b + half) % self.wrap - half


def clock(floor=NOW, rtc=None, ran_on=False, earliest=0):
    ticks = Ticks()
    return Clock(rtc, ran_on, floor, ticks.ticks, ticks.diff, earliest), ticks
