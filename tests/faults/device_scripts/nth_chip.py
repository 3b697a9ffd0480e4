# A chip without the chip, in one interpreter and in virtual time: what a terminal needs of it, and faults of each kind.
#
# To be imported before anything of scanlatch: it takes the place of machine, esp32, network, neopixel, time, os, ssl,
# select and socket. `world` is the chip that is there now; a boot takes milliseconds, so many fit into one process.
import asyncio
import os
import sys

import nth
from torn import Nor

SECTORS = 12
_EPOCH_S = 946684800
_START_MS = 1 << 40  # ahead of the interpreter's own ticks, so that what is pushed by those runs at once
_STEP_MS = 10
_CODES = {  # OSErrors as the chip gives them
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
        self.now = _START_MS
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
        self.counts = {kind: 0 for kind in _CODES}
        self.armed = (None, 0)
        self.failed = None
        self.dice = 12345
        self.power_on()

    def power_on(self):
        self.boots += 1
        self.fed = None
        self.limit = 0
        self.wlan = WLAN()
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
            codes = _CODES[kind]
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


def _ours(function):
    # What is called from the firmware and is none of it.
    def do(*arguments, **more):
        nth.paused += 1
        try:
            return function(*arguments, **more)
        finally:
            nth.paused -= 1

    return do


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


class Time:
    sleep_ms = staticmethod(lambda ms: world.advance(ms))
    sleep = staticmethod(lambda s: world.advance(int(s * 1000)))
    ticks_ms = staticmethod(lambda: world.now)
    ticks_diff = staticmethod(lambda a, b: a - b)
    ticks_add = staticmethod(lambda a, b: a + b)
    time = staticmethod(lambda: world.rtc + (world.now - _START_MS) // 1000)

    @staticmethod
    def gmtime(seconds=None):
        import utime

        return utime.gmtime((Time.time() if seconds is None else int(seconds)) + _EPOCH_S)[:8]


class Os:
    stat, rename, remove, getenv = os.stat, os.rename, os.remove, os.getenv

    @staticmethod
    def urandom(count):
        data = bytearray(count)
        for at in range(count):
            world.dice = (world.dice * 1103515245 + 12345) & 0x7FFFFFFF
            data[at] = world.dice >> 16 & 0xFF
        return bytes(data)


class Machine:
    SOFT_RESET, DEEPSLEEP_RESET = 5, 4
    freq = staticmethod(int)
    reset_cause = staticmethod(lambda: world.cause)

    @staticmethod
    def reset():
        world.cause = 2
        raise Reset("by itself")

    class RTC:
        def memory(self, data=None):
            return b""

        def datetime(self, to):
            import utime

            seconds = utime.mktime((to[0], to[1], to[2], to[4], to[5], to[6], 0, 0)) - _EPOCH_S
            world.rtc = seconds - (world.now - _START_MS) // 1000

    class WDT:
        def __init__(self, timeout):
            world.limit = timeout
            self.feed()

        def feed(self):
            world.fed = world.now

    class Pin:
        IN, OUT, OPEN_DRAIN, PULL_UP, PULL_DOWN = 1, 3, 7, 2, 1

        def __init__(self, *_, **__):
            pass

        def value(self, _to=None):
            return not world.pressed

    class PWM:
        def __init__(self, *_, **__):
            self.hz = 0

        def freq(self, hz):
            self.hz = hz

        def duty_u16(self, duty):
            nth.paused += 1
            world.tone = self.hz if duty else None
            if duty:
                world.shown.append((world.now, world.light, self.hz))
            nth.paused -= 1

    class UART:
        def __init__(self, *_, **__):
            pass

        init = __init__
        write = len

        def any(self):
            return len(world.line)

        def readinto(self, buf):
            count = min(len(buf), len(world.line))
            buf[:count] = world.line[:count]
            world.line = world.line[count:]
            return count


class NeoPixel:
    def __init__(self, *_):
        self.row = None

    def __setitem__(self, _at, colour):
        self.row = colour

    def write(self):
        nth.paused += 1
        world.light = self.row
        world.colours.append((world.now, self.row))
        nth.paused -= 1


class WLAN:
    def __init__(self):
        self.on = self.asked = False

    def active(self, on=None):
        self.on = self.on if on is None else on
        return self.on

    def isconnected(self):
        return self.asked and world.net

    def connect(self, *_):
        self.asked = True

    def disconnect(self):
        self.asked = False

    def status(self, _):
        return -50


class NVS:
    """Each value whole or not at all; what can't be stored is not."""

    def __init__(self, _namespace):
        self.pending = {}

    @_ours
    def get_blob(self, name, buf):
        value = self.pending.get(name, world.stored.get(name))
        if value is None:
            raise OSError(-0x1102)
        buf[: len(value)] = value
        return len(value)

    def set_blob(self, name, value):
        world.fault("store")
        self.pending[name] = bytes(value)

    def erase_key(self, name):
        world.fault("store")
        if name not in world.stored:
            raise OSError(-0x1102)
        self.pending[name] = None

    def commit(self):
        world.fault("store")
        for name, value in self.pending.items():
            if value is None:
                world.stored.pop(name, None)
            else:
                world.stored[name] = value
        self.pending = {}


class Flash(Nor):
    """Flash whose operations may fail: the first time with nothing done, the next with half of it, and so on."""

    def ioctl(self, op, arg=0):
        if op == 6:
            self._may_fail("erase", arg * 4096, None)
        return super().ioctl(op, arg)

    def writeblocks(self, block, buf, offset=None):
        self._may_fail("program", block * 4096 + offset, buf)
        return super().writeblocks(block, buf, offset)

    def readblocks(self, block, buf, offset=0):
        world.fault("look")
        return super().readblocks(block, buf, offset)

    def _may_fail(self, kind, at, data):
        try:
            world.fault(kind)
        except OSError:
            if world.counts[kind] % 2:
                self.tear("half", at, data)
            raise


class _Module:
    def __init__(self, **contents):
        for name, value in contents.items():
            setattr(self, name, value)


class _Partition:
    TYPE_DATA = 1
    find = staticmethod(lambda *_, **__: [world.flash])


def put_in_place():
    """From here on `import machine` and the like give these."""
    import nth_socket

    sys.modules["time"] = Time
    sys.modules["os"] = Os
    sys.modules["machine"] = Machine
    sys.modules["neopixel"] = _Module(NeoPixel=NeoPixel)
    sys.modules["network"] = _Module(STA_IF=0, WLAN=lambda _=0: world.wlan)
    sys.modules["esp32"] = _Module(NVS=NVS, Partition=_Partition)
    for name, module in nth_socket.modules(_Module).items():
        sys.modules[name] = module
    core = asyncio.core
    core.ticks, core.ticks_diff, core.ticks_add = Time.ticks_ms, Time.ticks_diff, Time.ticks_add
    core.IOQueue = _Queue
