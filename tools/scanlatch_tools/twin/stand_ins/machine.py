# The ESP32's own modules, on a computer: pins, tone, watchdog, clock, resets. The serial line is in twin_uart.py.
import gc
import os
import time  # the stand-in

import utime
from micropython import const
from twin_trace import FOLDER, end, line
from twin_uart import UART  # noqa: F401

PWRON_RESET = const(1)
HARD_RESET = const(2)
WDT_RESET = const(3)
DEEPSLEEP_RESET = const(4)
SOFT_RESET = const(5)

_FREQUENCIES = (20_000_000, 40_000_000, 80_000_000, 160_000_000, 240_000_000)
_INPUT_ONLY = const(34)
_MISSING = (6, 7, 8, 11, 20, 24, 28, 29, 30, 31)  # the flash chip's, or not there
_HEAP_EVERY_MS = int(os.getenv("SCANLATCH_TWIN_HEAP_MS") or 0)
_frequency = 160_000_000  # as the chip starts


def reset_cause():
    return int(os.getenv("SCANLATCH_TWIN_CAUSE") or PWRON_RESET)


def reset():
    line("reset", cause="reset")
    end("USR2")


def soft_reset():
    line("reset", cause="soft")
    end("ALRM")


def unique_id():
    try:
        with open(FOLDER + "/id", "rb") as file:
            return file.read()
    except OSError:
        made = b"\x02" + os.urandom(5)
        with open(FOLDER + "/id", "wb") as file:
            file.write(made)
        return made


def freq(hertz=None):
    global _frequency
    if hertz is None:
        return _frequency
    if hertz not in _FREQUENCIES:
        raise ValueError("frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz")
    _frequency = hertz
    return None


def idle():
    utime.sleep_ms(1)


def disable_irq():
    return 0


def enable_irq(state):
    pass


class Pin:
    IN = const(1)
    OUT = const(3)
    OPEN_DRAIN = const(7)
    PULL_DOWN = const(1)
    PULL_UP = const(2)
    IRQ_RISING = const(1)
    IRQ_FALLING = const(2)

    def __init__(self, id, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        if isinstance(id, Pin):
            id = id._id
        check_pin(id)
        self._id = id
        self._mode = self.IN
        self._pull = None
        self._value = 0
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        if pull in (self.PULL_UP, self.PULL_DOWN) and self._id >= _INPUT_ONLY:
            raise ValueError("invalid pull")  # GPIO 34 to 39 have no resistors
        if mode in (self.OUT, self.OPEN_DRAIN):
            check_output(self._id)
        elif mode not in (-1, None, self.IN):
            raise ValueError("invalid mode")
        if mode not in (-1, None):
            self._mode = mode
        if pull != -1:
            self._pull = pull
        if value is not None:
            self.value(value)

    def id(self):
        return self._id

    def value(self, to=None):
        if to is None:
            return self._value if self._mode == self.OUT else self._read()
        if self._mode == self.IN:
            return None
        if bool(to) != self._value:
            self._value = int(bool(to))
            line("pin", pin=self._id, value=self._value)
        return None

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def irq(self, handler=None, trigger=3, *, wake=None, hard=False):
        raise NotImplementedError("the twin has no pin interrupts: look at the pin from a task")

    def _read(self):
        # File `pins`: one character a pin, 0, 1 or anything else for "nothing connected".
        try:
            with open(FOLDER + "/pins") as file:
                file.seek(self._id)
                level = file.read(1)
        except OSError:
            level = ""
        if level in ("0", "1"):
            return int(level)
        return 1 if self._pull == self.PULL_UP else 0


class PWM:
    """Its tone goes to the trace: `hz`, 0 where it is silent."""

    def __init__(self, dest, freq=None, duty_u16=None, *, duty=None, duty_ns=None, invert=0):
        self._pin = dest if isinstance(dest, Pin) else Pin(dest)
        check_output(self._pin.id())
        self._freq = 5000
        self._duty = 32768
        self._told = (0, 0)
        self.init(freq=freq, duty_u16=duty_u16, duty=duty)

    def init(self, freq=None, duty_u16=None, *, duty=None, duty_ns=None, invert=0):
        if duty is not None:
            duty_u16 = duty * 64
        if freq is not None:
            self._set_freq(freq)
        if duty_u16 is not None:
            self._set_duty(duty_u16)
        self._tell()

    def freq(self, hertz=None):
        if hertz is None:
            return self._freq
        self._set_freq(hertz)
        return self._tell()

    def duty_u16(self, duty=None):
        if duty is None:
            return self._duty
        self._set_duty(duty)
        return self._tell()

    def deinit(self):
        self._duty = 0
        self._tell()

    def _set_freq(self, hertz):
        if not isinstance(hertz, int):
            raise TypeError("can't convert to int")
        if not 1 <= hertz <= 40_000_000:
            raise ValueError("frequency must be from 1Hz to 40MHz")
        self._freq = hertz

    def _set_duty(self, duty):
        if not isinstance(duty, int):
            raise TypeError("can't convert to int")
        if not 0 <= duty <= 65535:
            raise ValueError("duty_u16 must be from 0 to 65535")
        self._duty = duty

    def _tell(self):
        told = (self._freq if self._duty else 0, self._duty)
        if told != self._told:
            self._told = told
            line("tone", hz=told[0], pin=self._pin.id(), duty=told[1])


class WDT:
    """The launcher looks at file `wdt` and kills the process where it was not fed in time."""

    _file = None
    _told = 0  # ticks of the last line about the heap

    def __init__(self, id=0, timeout=5000):
        if id != 0:
            raise ValueError("WDT(%d) does not exist" % id)
        if timeout <= 0:
            raise ValueError("WDT timeout too short")
        WDT._timeout = timeout  # there is one; making it anew gives it another time
        if WDT._file is None:
            WDT._file = open(FOLDER + "/wdt", "wb")
        line("wdt", event="started", timeout=timeout)
        self.feed()

    def feed(self):
        WDT._file.seek(0)
        now = utime.ticks_ms()
        WDT._file.write("%d %d \n" % (now, WDT._timeout))
        if _HEAP_EVERY_MS and utime.ticks_diff(now, WDT._told) >= _HEAP_EVERY_MS:
            # The firmware comes by here about once a second: the place to look at its heap.
            WDT._told = now
            gc.collect()
            line("heap", free=gc.mem_free(), used=gc.mem_alloc())


class RTC:
    def datetime(self, to=None):
        if to is None:
            year, month, day, hour, minute, second, weekday = time.gmtime()[:7]
            return year, month, day, weekday, hour, minute, second, time.time_ns() // 1000 % 1_000_000
        year, month, day, _, hour, minute, second, micro = to
        seconds = time.mktime((year, month, day, hour, minute, second))
        if seconds < 0:
            raise ValueError("before 2000")
        time.set_ns((seconds * 1_000_000 + micro) * 1000)
        line("rtc", seconds=seconds)
        return None

    def memory(self, data=None):
        if data is not None and len(data) > 2048:
            raise ValueError("buffer too long")
        return time.memory(data) if data is None else (time.memory(data), None)[1]


def check_pin(id):
    if not isinstance(id, int) or not 0 <= id <= 39 or id in _MISSING:
        raise ValueError("invalid pin %s" % id)


def check_output(id):
    if id >= _INPUT_ONLY:
        raise ValueError("pin %d can only be an input" % id)
