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

_FREQUENCIES = (20, 40, 80, 160, 240)  # MHz
_INPUT_ONLY = const(34)
_MISSING = b"\x06\x07\x08\x0b\x14\x18\x1c\x1d\x1e\x1f"  # the flash chip's, or not there
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


def freq(hertz=None):
    global _frequency
    if hertz is None:
        return _frequency
    if hertz % 1_000_000 or hertz // 1_000_000 not in _FREQUENCIES:
        raise ValueError("frequency")
    _frequency = hertz
    return None


class Pin:
    IN = const(1)
    OUT = const(3)
    PULL_DOWN = const(1)
    PULL_UP = const(2)

    def __init__(self, id, mode=IN, pull=None, value=None):
        self.gpio = check_pin(id, mode == self.OUT)
        if pull in (self.PULL_UP, self.PULL_DOWN) and self.gpio >= _INPUT_ONLY:
            raise ValueError("invalid pull")  # GPIO 34 to 39 have no resistors
        if mode not in (self.OUT, self.IN):
            raise ValueError("invalid mode")
        self._out = mode == self.OUT
        self._level = int(pull == self.PULL_UP)
        if value is not None:
            self.value(value)

    def value(self, to=None):
        if to is not None:
            if self._out and bool(to) != self._level:
                self._level = int(bool(to))
                line("pin", pin=self.gpio, value=self._level)
            return None
        if not self._out:
            # File `pins`: one character a pin, 0, 1 or anything else for "nothing connected".
            try:
                with open(FOLDER + "/pins") as file:
                    file.seek(self.gpio)
                    return int(file.read(1))
            except (OSError, ValueError):
                pass
        return self._level

    __call__ = value


class PWM:
    """Its tone goes to the trace: `hz`, 0 where it is silent."""

    def __init__(self, pin, freq=5000, duty_u16=32768):
        self._pin = check_pin(pin, True)
        self._told = self._duty = 0
        self.freq(freq)
        self.duty_u16(duty_u16)

    def freq(self, hertz):
        if not isinstance(hertz, int):
            raise TypeError
        if not 1 <= hertz <= 40_000_000:
            raise ValueError("frequency must be from 1Hz to 40MHz")
        self._freq = hertz
        self._tell()

    def duty_u16(self, duty):
        if not isinstance(duty, int):
            raise TypeError
        if not 0 <= duty <= 65535:
            raise ValueError("duty_u16 must be from 0 to 65535")
        self._duty = duty
        self._tell()

    def _tell(self):
        told = self._duty and (self._freq, self._duty)
        if told != self._told:
            self._told = told
            line("tone", hz=self._duty and self._freq, pin=self._pin, duty=self._duty)


class WDT:
    """The launcher looks at file `wdt` and kills the process where it was not fed in time."""

    _file = None
    _told = 0  # ticks of the last line about the heap

    def __init__(self, id=0, timeout=5000):
        if id != 0 or timeout <= 0:
            raise ValueError("WDT")
        WDT._timeout = timeout  # there is one; making it anew gives it another time
        WDT._file = WDT._file or open(FOLDER + "/wdt", "wb")
        line("wdt", event="started", timeout=timeout)
        self.feed()

    def feed(self):
        now = utime.ticks_ms()
        WDT._file.seek(0)
        WDT._file.write("%d %d \n" % (now, WDT._timeout))
        if _HEAP_EVERY_MS and utime.ticks_diff(now, WDT._told) >= _HEAP_EVERY_MS:
            # The firmware comes by here about once a second: the place to look at its heap.
            WDT._told = now
            gc.collect()
            line("heap", free=gc.mem_free(), used=gc.mem_alloc())


class RTC:
    def datetime(self, to=None):
        if to is None:
            now = time.gmtime()
            return now[:3] + (now[6],) + now[3:6] + (time.time_ns() // 1000 % 1_000_000,)
        seconds = time.mktime(to[:3] + to[4:7])
        if seconds < 0:
            raise ValueError("before 2000")
        time.set_ns((seconds * 1_000_000 + to[7]) * 1000)
        line("rtc", seconds=seconds)
        return None

    def memory(self, data=None):
        if data is not None and len(data) > 2048:
            raise ValueError("buffer too long")
        return time.memory(data)


def check_pin(pin, output=False):
    """The number of a GPIO, given as one or as a Pin. Raises ValueError where there is none, or it can't put out."""
    if isinstance(pin, Pin):
        pin = pin.gpio
    if not isinstance(pin, int) or not 0 <= pin <= 39 or pin in _MISSING or (output and pin >= _INPUT_ONLY):
        raise ValueError("invalid pin %s" % pin)
    return pin
