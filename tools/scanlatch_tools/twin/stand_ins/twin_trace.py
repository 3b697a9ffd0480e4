# What all stand-ins stand on, and those of their objects that a running terminal uses over and over.
#
# The chip has these modules in flash; here they share the firmware's heap. So what is used seldom is in modules of its
# own (twin_machine, twin_network, ...), which `load` forgets behind each call; and names are the firmware's where that
# can be, as each further one stays on the heap for ever.
import json
import os
import sys

import utime  # the interpreter's own, not the stand-in
from micropython import const

FOLDER = os.getenv("SCANLATCH_TWIN") or "/no-twin"
# None: a test runs device code by itself, and nothing is kept.
_file = open(FOLDER + "/trace.jsonl", "ab") if os.getenv("SCANLATCH_TWIN") else None
_STARTED = utime.ticks_ms()
_HANG_UP = const(16)  # POLLHUP
_CONNECT_MS = const(100)  # the chip takes a second and more


def line(what, **fields):
    """Append a line to trace.jsonl: `t` ms since the process began, `at` ms UTC. Unbuffered, so it outlives a kill."""
    if _file:
        fields["what"] = what
        fields["t"] = utime.ticks_ms() - _STARTED
        fields["at"] = utime.time_ns() // 1_000_000
        _file.write(json.dumps(fields) + "\n")


def load(module, name):
    """What `module` has under this name. The module is forgotten at once: it lives while what it gave is in use."""
    found = __import__(module)
    sys.modules[module] = None  # a dictionary holds what is deleted until its place is used again
    del sys.modules[module]
    return getattr(found, name)


def look(file, at=0):
    """One character of a file by which people touch the terminal, "" where there is none."""
    try:
        with open(FOLDER + file) as file:
            file.seek(at)
            return file.read(1)
    except OSError:
        return ""


class Part:
    """Something of the chip. kind: module and class that have the methods that are called seldom."""

    def __getattr__(self, name):
        do = getattr(load(*self.kind), name)
        return lambda *arguments, **options: do(self, *arguments, **options)


class Pin(Part):
    kind = ("twin_machine", "Pin")

    def value(self, to=None):
        if to is not None:
            return self.set(to)
        # File `pins`: one character a pin, 0, 1 or anything else for "nothing connected".
        level = "" if self.out else look("/pins", self.number)
        return int(level) if level.isdigit() else self.level

    __call__ = value


class PWM:
    """Its tone goes to the trace: `hz`, 0 where it is silent."""

    def freq(self, hz):
        self._tell(hz, self.duty)

    def duty_u16(self, duty):
        self._tell(self.hz, duty)

    def _tell(self, hz, duty):
        if not isinstance(hz + duty, int):
            raise TypeError
        if not 1 <= hz <= 40_000_000 or not 0 <= duty <= 65535:
            raise ValueError("PWM")
        self.hz = hz
        self.duty = duty
        told = duty and (hz, duty)
        if told != self.told:
            self.told = told
            line("tone", hz=duty and hz, pin=self.pin, duty=duty)


class WDT:
    """The launcher looks at file `wdt` and kills the process where it was not fed in time. There is one."""

    def feed(self):
        WDT.file.seek(0)
        WDT.file.write("%d %d \n" % (utime.ticks_ms(), WDT.limit_ms))
        if WDT.told:
            load("twin_heap", "tell")(WDT)


class UART(Part):
    """On a pseudo-terminal, whose other end is the scan engine."""

    kind = ("twin_machine", "UART")

    def any(self):
        """1 where there is something: how much, a pseudo-terminal doesn't tell; the chip may say 1 too."""
        for _, event in self.poll.ipoll(0):
            if event & _HANG_UP:
                load("twin_start", "alone")()
            return 1
        return 0

    def readinto(self, buf):
        return (self.any() and self.file.readinto(buf)) or None


class NeoPixel(Part):
    """What its lights show goes to the trace."""

    kind = ("twin_machine", "NeoPixel")

    def __setitem__(self, index, colour):
        if len(bytes(colour)) != 3:
            raise ValueError("colour")
        self._rows[index] = tuple(colour)

    def write(self):
        rows = self._rows[:]
        if self._shown != rows:
            self._shown = rows
            more = {} if rows.count(rows[0]) == self.n else {"all": rows}
            line("light", rgb=rows[0], **more)


class WLAN(Part):
    """Stands while the file `net` doesn't say 0. at: ticks of connect()."""

    kind = ("twin_network", "WLAN")

    def isconnected(self):
        up = self.at is not None and utime.ticks_ms() - self.at >= _CONNECT_MS and look("/net") != "0"
        if up != self.up:
            self.turn(up)
        return up
