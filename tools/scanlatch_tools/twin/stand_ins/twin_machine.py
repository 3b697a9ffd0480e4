# What the ESP32's `machine` and `neopixel` have, but for what its objects do over and over (twin_trace).
import os
import select
import termios

import twin_trace
import utime
from micropython import const
from twin_trace import FOLDER, line, load

PWRON_RESET = const(1)
HARD_RESET = const(2)
WDT_RESET = const(3)
DEEPSLEEP_RESET = const(4)
SOFT_RESET = const(5)

# Chip: MHz that it runs at; its UARTs beside the console's; pins: 0 free, 1 can only be an input, 2 missing, or
# the flash's, the USB's or the console's. Another than the plain ESP32 is in twin_chips.
_ESP32 = (20, 40, 80, 160, 240), (1, 2), b"0202002222220000000020002000222200111111"

_ISPEED = const(4)  # places in what tcgetattr gives
_OSPEED = const(5)
_CC = const(6)
_VMIN = const(6)
_VTIME = const(5)
_ANY_PIN = const(4)
# Speeds by Linux's numbers: MicroPython has no names for the slow ones.
_CODES = {1200: 9, 2400: 11, 4800: 12, 9600: 13, 19200: 14, 38400: 15, 57600: 0x1001, 115200: 0x1002}


def reset_cause():
    return int(os.getenv("SCANLATCH_TWIN_CAUSE") or PWRON_RESET)


def reset():
    load("twin_start", "restart")("reset", "USR2")


def soft_reset():
    load("twin_start", "restart")("soft", "ALRM")


def freq(hertz=None):
    if hertz is None:
        return getattr(twin_trace, "freq", 160_000_000)  # as the chip starts
    if hertz % 1_000_000 or hertz // 1_000_000 not in _chip()[0]:
        raise ValueError("frequency")
    twin_trace.freq = hertz
    return None


class Pin:
    IN = const(1)
    OUT = const(3)
    OPEN_DRAIN = const(7)
    PULL_DOWN = const(1)
    PULL_UP = const(2)

    def __new__(cls, id, mode=IN, pull=None, value=None):
        number = _gpio(id, mode != Pin.IN)
        if pull in (Pin.PULL_UP, Pin.PULL_DOWN) and _chip()[2][number] != 0x30:
            raise ValueError("invalid pull")  # inputs of the ESP32 that have no resistors
        if mode not in (Pin.OUT, Pin.IN, Pin.OPEN_DRAIN):
            raise ValueError("invalid mode")
        pin = twin_trace.Pin()
        pin.number = number
        pin.out = mode != Pin.IN
        pin.level = int(pull == Pin.PULL_UP)
        if value is not None:
            pin.value(value)
        return pin

    def set(self, to):
        if self.out and bool(to) != self.level:
            self.level = int(bool(to))
            line("pin", pin=self.number, value=self.level)


class PWM:
    def __new__(cls, pin, freq=5000, duty_u16=32768):
        tone = twin_trace.PWM()
        tone.pin = _gpio(pin, True)
        tone.told = tone.duty = 0
        tone.freq(freq)
        tone.duty_u16(duty_u16)
        return tone


class WDT:
    def __new__(cls, id=0, timeout=5000):
        if id != 0 or timeout <= 0:
            raise ValueError("WDT")
        dog = twin_trace.WDT
        dog.limit_ms = (
            timeout if timeout < 60_000 else load("twin_timer", "shorter")(timeout)
        )  # making it anew gives it another time
        dog.file = getattr(dog, "file", None) or open(FOLDER + "/wdt", "wb")
        every = int(os.getenv("SCANLATCH_TWIN_HEAP_MS") or 0)
        dog.told = every and (utime.ticks_ms(), every)
        line("wdt", event="started", timeout=timeout)
        dog = dog()
        dog.feed()
        return dog


class Timer:
    ONE_SHOT = const(0)

    def __new__(cls, id):
        return load("twin_timer", "Timer")(id)


class UART:
    def __new__(cls, id, baudrate=115200, bits=8, parity=None, stop=1, **options):
        if id not in _chip()[1]:
            raise ValueError("UART(%s) does not exist, or is the console's" % id)
        uart = twin_trace.UART()
        uart.file = open(FOLDER + "/uart", "r+b", 0)
        uart.poll = select.poll()
        uart.poll.register(uart.file, select.POLLIN)
        uart.write = uart.file.write
        uart.set = (115200, 256)  # speed, size of the buffer
        uart.init(baudrate, bits, parity, stop, **options)
        return uart

    def init(self, baudrate=None, bits=8, parity=None, stop=1, **options):
        rxbuf = max(256, options.pop("rxbuf", self.set[1]))
        for name in ("tx", "rx"):
            _gpio(options.pop(name, _ANY_PIN), name == "tx")
        if options:
            raise TypeError("extra keyword arguments given")
        if (bits, parity, stop) != (8, None, 1):
            raise ValueError("the twin's engines speak 8N1")
        baud = baudrate or self.set[0]
        fd = self.file.fileno()
        termios.setraw(fd)  # drops what was received and not read, as the chip's driver does
        settings = termios.tcgetattr(fd)
        settings[_ISPEED] = settings[_OSPEED] = _CODES[baud]
        settings[_CC][_VMIN] = settings[_CC][_VTIME] = 0  # read gives what there is
        termios.tcsetattr(fd, termios.TCSANOW, settings)
        self.set = baud, rxbuf
        line("uart", baud=baud, rxbuf=rxbuf)

    def read(self, size=4096):
        return (self.any() and self.file.read(size)) or None


class NeoPixel:
    def __new__(cls, pin, n):
        _gpio(pin, True)
        light = twin_trace.NeoPixel()
        light.n = n
        light._rows = [(0, 0, 0)] * n
        light._shown = None
        return light

    def fill(self, colour):
        for i in range(self.n):
            self[i] = colour


def RTC():  # noqa: N802 - a class on the chip
    import time  # noqa: F401 - the stand-in, which starts the clock

    return load("twin_time", "RTC")()


def _chip():
    name = os.getenv("SCANLATCH_TWIN_CHIP")
    return load("twin_chips", "CHIPS")[name] if name else _ESP32


def _gpio(pin, output=False):
    """The number of a GPIO, given as one or as a Pin. Raises ValueError where there is none, or it can't put out."""
    if isinstance(pin, twin_trace.Pin):
        pin = pin.number
    pins = _chip()[2]
    if not isinstance(pin, int) or not 0 <= pin < len(pins) or pins[pin] > (0x30 if output else 0x31):
        raise ValueError("invalid pin %s" % pin)
    return pin
