# A chip without the chip, in one interpreter and in virtual time: what a terminal needs of it, and faults of each kind.
#
# To be imported before anything of scanlatch: it takes the place of machine, esp32, network, neopixel, time, os, ssl,
# select and socket. `world` is the chip that is there now; a boot takes milliseconds, so many fit into one process.
import asyncio
import os
import sys

import nth
from micropython import mem_total

SECTORS = 12
EPOCH_S = 946684800
START_MS = 1 << 40  # ahead of the interpreter's own ticks, so that what is pushed by those runs at once
_STEP_MS = 10
CODES = {  # OSErrors as the chip gives them
    "program": (-0x6001, -0x6002),  # flash operation failed, timed out
    "erase": (-0x6001, -0x6002),
    "look": (-0x6001,),
    "store": (-0x1105, -0x1106, -0x110D),  # NVS: no space, hardware failed, partition full
    "read": (104, 113, -0x7280, 12),  # reset, no route, TLS: closed, no memory
    "write": (104, 32, -0x7F00, 12),  # reset, broken pipe, TLS: no memory, no memory
    "connect": (12, 113, 105),  # no memory, no route, no buffers
    "name": (-202, -2),  # lwIP: no such host, no memory
}


class Reset(BaseException):
    """The chip starts again."""


class PowerOff(BaseException):
    """The person is done."""


class World:
    """What outlives a boot, and what a person sees and does. person: called ever and again as time goes on."""

    def __init__(self, flash, stored):
        self.flash, self.stored = flash, dict(stored)
        self.now = START_MS
        self.boots = 0
        self.cause = 1
        self.person = None
        self.bridge = None
        self.light = self.tone = None
        self.shown = []  # (ms, colour, hz) where a tone begins
        self.colours = []  # (ms, colour)
        self.line = bytearray()
        self.pressed = False
        self.net = True
        self.sockets = []
        self.counts = {kind: 0 for kind in CODES}
        self.armed = (None, 0)
        self.failed = None
        self.dice = 12345
        self.power_on()

    def power_on(self):
        self.boots += 1
        self.fed = None
        self.limit = 0
        import nth_parts

        self.wlan = nth_parts.WLAN()
        self.line = bytearray()
        self.rtc = 0
        for sock in self.sockets:
            sock.cut()
        self.sockets.clear()

    def fault(self, kind):
        """Count an operation; whether it is the one that fails."""
        if nth.paused:
            return
        self.counts[kind] += 1
        if self.armed == (kind, self.counts[kind]):
            codes = CODES[kind]
            self.armed, self.failed = (None, 0), (kind, self.counts[kind])
            raise OSError(codes[self.counts[kind] % len(codes)])

    def advance(self, ms):
        """Time goes on: the watchdog, the person."""
        nth.base()
        nth.paused += 1
        try:
            while True:
                step = min(ms, _STEP_MS)
                self.now += step
                ms -= step
                if self.fed is not None and self.now - self.fed > self.limit:
                    self.cause = 3
                    raise Reset("watchdog")
                if self.person:
                    self.person()
                if ms <= 0:
                    return
        finally:
            nth.paused -= 1


world = None


def plug(made):
    global world
    world = made


class _Queue:
    """In place of asyncio's own: nothing waits for a file, so time may jump to what is next."""

    map = {}

    def __init__(self):
        self._busy = 0

    def remove(self, task):
        pass

    def wait_io_event(self, ms):
        if ms < 0:
            raise Reset("no task is left")
        self._busy = 0 if ms else self._busy + 1
        if ms or self._busy % 20 == 0:  # who never sleeps makes time go on as well
            world.advance(ms or 1)


class Gc:
    """Collecting takes most of a day's time here, and this heap is large: it is done when it is full."""

    collect = staticmethod(lambda: None)
    threshold = staticmethod(lambda _: None)
    mem_free = staticmethod(lambda: 60_000)
    mem_alloc = staticmethod(mem_total)


class Time:
    sleep_ms = staticmethod(lambda ms: world.advance(ms))
    sleep = staticmethod(lambda s: world.advance(int(s * 1000)))
    ticks_ms = staticmethod(lambda: world.now)
    ticks_diff = staticmethod(lambda a, b: a - b)
    ticks_add = staticmethod(lambda a, b: a + b)
    time = staticmethod(lambda: world.rtc + (world.now - START_MS) // 1000)

    @staticmethod
    def gmtime(seconds=None):
        import utime

        return utime.gmtime((Time.time() if seconds is None else int(seconds)) + EPOCH_S)[:8]


class Os:
    stat, rename, remove, getenv, listdir = os.stat, os.rename, os.remove, os.getenv, os.listdir

    @staticmethod
    def urandom(count):
        data = bytearray(count)
        for at in range(count):
            world.dice = (world.dice * 1103515245 + 12345) & 0x7FFFFFFF
            data[at] = world.dice >> 16 & 0xFF
        return bytes(data)


class _Module:
    def __init__(self, **contents):
        for name, value in contents.items():
            setattr(self, name, value)


def put_in_place():
    """From here on `import machine` and the like give these."""
    import nth_parts as parts
    import nth_socket

    sys.modules["time"] = Time
    sys.modules["os"] = Os
    sys.modules["gc"] = Gc
    sys.modules["machine"] = parts.Machine
    sys.modules["neopixel"] = _Module(NeoPixel=parts.NeoPixel)
    sys.modules["network"] = _Module(STA_IF=0, WLAN=lambda _=0: world.wlan)
    sys.modules["esp32"] = _Module(NVS=parts.NVS, Partition=parts.Partition)
    for name, module in nth_socket.modules(_Module).items():
        sys.modules[name] = module
    core = asyncio.core
    core.ticks, core.ticks_diff, core.ticks_add = Time.ticks_ms, Time.ticks_diff, Time.ticks_add
    core.IOQueue = _Queue
