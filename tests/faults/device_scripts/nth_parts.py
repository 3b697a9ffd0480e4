# The parts of the chip of nth_chip: pins, light, tone, serial line, radio, key-value store and flash.
import nth
import nth_chip
from nth_chip import Reset
from torn import Nor


def _ours(function):
    # What is called from the firmware and is none of it.
    def do(*arguments, **more):
        nth.paused += 1
        try:
            return function(*arguments, **more)
        finally:
            nth.paused -= 1

    return do


class Machine:
    SOFT_RESET, DEEPSLEEP_RESET = 5, 4
    freq = staticmethod(int)
    reset_cause = staticmethod(lambda: nth_chip.world.cause)

    @staticmethod
    def reset():
        nth_chip.world.cause = 2
        raise Reset("by itself")

    class RTC:
        def memory(self, data=None):
            return b""

        def datetime(self, to):
            import utime

            seconds = utime.mktime((to[0], to[1], to[2], to[4], to[5], to[6], 0, 0)) - nth_chip.EPOCH_S
            nth_chip.world.rtc = seconds - (nth_chip.world.now - nth_chip.START_MS) // 1000

    class WDT:
        def __init__(self, timeout):
            nth_chip.world.limit = timeout
            self.feed()

        def feed(self):
            nth_chip.world.fed = nth_chip.world.now

    class Pin:
        IN, OUT, OPEN_DRAIN, PULL_UP, PULL_DOWN = 1, 3, 7, 2, 1

        def __init__(self, *_, **__):
            pass

        def value(self, _to=None):
            return not nth_chip.world.pressed

    class PWM:
        def __init__(self, *_, **__):
            self.hz = 0

        def freq(self, hz):
            self.hz = hz

        def duty_u16(self, duty):
            nth.paused += 1
            nth_chip.world.tone = self.hz if duty else None
            if duty:
                nth_chip.world.shown.append((nth_chip.world.now, nth_chip.world.light, self.hz))
            nth.paused -= 1

    class UART:
        def __init__(self, *_, **__):
            pass

        init = __init__
        write = len

        def any(self):
            return len(nth_chip.world.line)

        def readinto(self, buf):
            count = min(len(buf), len(nth_chip.world.line))
            buf[:count] = nth_chip.world.line[:count]
            nth_chip.world.line = nth_chip.world.line[count:]
            return count


class NeoPixel:
    def __init__(self, *_):
        self.row = None

    def __setitem__(self, _at, colour):
        self.row = colour

    def write(self):
        nth.paused += 1
        nth_chip.world.light = self.row
        nth_chip.world.colours.append((nth_chip.world.now, self.row))
        nth.paused -= 1


class WLAN:
    def __init__(self):
        self.on = self.asked = False

    def active(self, on=None):
        self.on = self.on if on is None else on
        return self.on

    def config(self, *, pm):
        pass

    def isconnected(self):
        return self.asked and nth_chip.world.net

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
        value = self.pending.get(name, nth_chip.world.stored.get(name))
        if value is None:
            raise OSError(-0x1102)
        buf[: len(value)] = value
        return len(value)

    def set_blob(self, name, value):
        nth_chip.world.fault("store")
        self.pending[name] = bytes(value)

    def erase_key(self, name):
        nth_chip.world.fault("store")
        if name not in nth_chip.world.stored:
            raise OSError(-0x1102)
        self.pending[name] = None

    def commit(self):
        nth_chip.world.fault("store")
        for name, value in self.pending.items():
            if value is None:
                nth_chip.world.stored.pop(name, None)
            else:
                nth_chip.world.stored[name] = value
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
        nth_chip.world.fault("look")
        return super().readblocks(block, buf, offset)

    def _may_fail(self, kind, at, data):
        try:
            nth_chip.world.fault(kind)
        except OSError:
            if nth_chip.world.counts[kind] % 2:
                self.tear("half", at, data)
            raise


class Partition:
    TYPE_DATA = 1
    find = staticmethod(lambda *_, **__: [nth_chip.world.flash])
