# Failures that end a link or a load: each is told as what it is, and is tried again.
import asyncio
import sys

from cases import equal, raises
from scanlatch import load
from scanlatch.keep.journal import Journal
from scanlatch.send import failure
from scanlatch.send import uplink as uplinks
from scanlatch.send.mqtt import MqttError
from scanlatch.send.uplink import Uplink
from scanlatch.system.parts import neopixel_light
from system_desk import clock as _clock

from nor import Nor

_EIO = 5


def test_a_file_that_is_missing_is_no_import_error():
    equal(raises(OSError, load, "system.nobody").args, (_EIO, "scanlatch.system.nobody"))


def test_what_is_loaded_is_forgotten_and_can_be_loaded_again():
    for _ in range(2):
        equal(load("read.kinds").PATTERNS[2], "wrong_symbol")
        equal("scanlatch.read.kinds" in sys.modules, False)


def test_tls_without_memory_is_told_as_that_whichever_part_ran_out():
    for code in (
        -0x7F00,
        -0x2880,
        -0x3F80,
        -0x3F90,
        -0x4D80,
        -0x4D90,
        -0x5180,
        -0x6180,
        -0x28EA,
        -0x10,
        -0x6A,
        -141,
        16,  # while hands are shaken they come without their sign,
        106,
        141,
        12,
        23,
        105,
        -12,  # and the network's behind it with one
        -105,
    ):
        equal((code, type(failure.told(OSError(code)))), (code, MemoryError))


def test_other_failures_keep_their_causes():
    for error, shaking, cause in (
        (OSError(-0x7780), True, "certificate"),
        (OSError(32), True, "certificate"),
        (OSError(32), False, "network"),
        (OSError(104), False, "network"),
        (OSError(-0x7280), False, "network"),
        (OSError(-0x6800), False, "network"),
        (OSError(-0x7200), False, "protocol"),
        (OSError(-0x7100), False, "protocol"),
        (OSError("Wifi Internal Error"), False, "network"),
        (ValueError("CN does not match"), True, "certificate"),
        (EOFError(), False, "network"),
        (asyncio.TimeoutError(), False, "network"),
        (OSError(_EIO, "scanlatch.send.opening"), False, "files"),
        (ImportError("no module named 'x'"), False, "files"),
        (MqttError("refused", "CONNACK 5"), False, "refused"),
    ):
        equal((repr(error), failure.told(error, shaking).cause), (repr(error), cause))


class _Link:
    """A network whose driver raises what drivers of the ESP32 raise."""

    def __init__(self):
        self.tries = 0

    async def up(self, deadline_ms):
        self.tries += 1
        raise (RuntimeError("Wifi Unknown Error 0x0102"), OSError("Wifi Internal State Error"))[self.tries % 2]


class _Terminal:
    def __init__(self):
        self.told = []
        self.restarts = 0

    def restart(self):
        self.restarts += 1

    def online(self, online, cause):
        self.told.append((online, cause))


class _Health:
    link_cause = ""

    def count(self, name):
        pass


async def test_a_network_driver_that_raises_is_tried_again():
    link, terminal = _Link(), _Terminal()
    Journal.format(Nor(16), b"scanlog1")
    journal = Journal(Nor(16), b"scanlog1")
    clock, _ = _clock()
    settings = {"site": "clinic-7", "device": "d-1"}
    uplink = Uplink(settings, (clock, journal, None, None, _Health()), link, terminal)
    task = asyncio.create_task(uplink.run(lambda: None))
    for _ in range(200):
        if link.tries >= 2:
            break
        await asyncio.sleep_ms(10)
    task.cancel()
    equal((link.tries, terminal.told[:2]), (2, [(False, "network")] * 2))


class _NoMemory:
    """A network for which there never is memory."""

    async def up(self, deadline_ms):
        raise MemoryError


class _Impatient:
    """asyncio, but for its waits."""

    @staticmethod
    async def sleep_ms(ms):
        await asyncio.sleep_ms(0)


async def test_a_link_for_which_there_is_no_memory_restarts_a_terminal_that_ran_long_and_no_fresh_one():
    Journal.format(Nor(16), b"scanlog1")
    journal = Journal(Nor(16), b"scanlog1")
    patient, uplinks.asyncio = uplinks.asyncio, _Impatient
    try:
        for uptime, restarted in ((599_000, False), (600_000, True)):
            clock, ticks = _clock()
            ticks.now = uptime
            terminal = _Terminal()
            settings = {"site": "clinic-7", "device": "d-1"}
            uplink = Uplink(settings, (clock, journal, None, None, _Health()), _NoMemory(), terminal)
            task = asyncio.create_task(uplink.run(lambda: None))
            for _ in range(200):
                if terminal.restarts or len(terminal.told) > 20:
                    break
                await asyncio.sleep_ms(1)
            task.cancel()
            equal((terminal.restarts > 0, terminal.told[0]), (restarted, (False, "memory")))
            equal(len(terminal.told) >= 5, True)
    finally:
        uplinks.asyncio = patient


class _NoRoom:
    """LEDs for which the chip has neither memory nor time."""

    def __setitem__(self, place, rgb):
        pass

    def write(self):
        raise OSError(12)


def test_a_light_that_can_not_be_written_stops_nothing():
    light = neopixel_light.Light({"count": 1, "pin": 27})
    light._pixels = _NoRoom()
    light.colour(1, 2, 3)
