# Makes the board's objects from what its file was compiled to: needed once, at the start.
import esp32
import machine
import network
from micropython import const

from scanlatch import load
from scanlatch.system.board import Board

_MHZ = const(1_000_000)
_AWAKE = const(0)  # WLAN.PM_NONE


class BoardError(Exception):
    """The board has not what the firmware needs, or its file names it wrongly; says what to do."""


def scanlog():
    """The partition that the journal lives on. Raises BoardError where it is missing."""
    found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="scanlog")
    if not found:
        raise BoardError("no partition scanlog: flash this board again with our partition table")
    return found[0]


def radio_on():
    """Switch the radio on: without it `os.urandom` is not truly random on the ESP32, wired boards too.

    It stays awake: one that naps, as the chip would have it, hears of an answer with the next beacon, 100 ms later and
    more, and the terminal has a cable for its power.
    """
    station = network.WLAN(network.STA_IF)
    if not station.active():
        station.active(True)
    try:
        station.config(pm=_AWAKE)
    except OSError:  # then it is slower
        pass
    return station


def board(config, ssid, password):
    """The Board of `config`, `board` in the settings: see `scanlatch_tools.boards.compiled`. Raises BoardError."""
    machine.freq(config["mhz"] * _MHZ)  # the chip starts slower
    engine = config["engine"]
    uart = config["uart"]
    wired = {"tx": uart["tx"], "rx": uart["rx"], "rxbuf": uart["rxbuf"]}
    port = machine.UART(engine["id"], baudrate=engine["baud"], **wired)
    trigger = button = None
    if "trigger" in engine:  # never driven high: the engine's own level may be another
        trigger = machine.Pin(engine["trigger"], machine.Pin.OPEN_DRAIN, value=1)
    active_low = True
    if "button" in config:
        active_low = config["button"]["active_low"]
        button = _input(config["button"])
    light = _light(config["light"]) if "light" in config else None
    buzzer = _buzzer(config["buzzer"]) if "buzzer" in config else None
    link = _link(config["network"], radio_on(), () if ssid is None else (ssid, password))
    return Board(port, wired, light, link, button, active_low, buzzer, trigger)


def woken():
    """(reset cause, RTC, whether the RTC ran on since it was last set)."""
    cause = machine.reset_cause()
    return cause, machine.RTC(), cause in (machine.SOFT_RESET, machine.DEEPSLEEP_RESET)


def engine(config, box, clock):
    """The driver of the scan engine of `config`, `engine` in the board's. Raises BoardError."""
    choice = load("read.engines.choice")
    try:
        made = choice.driver(config["kind"], box.uart, clock, box.set_baud)
    except ValueError as error:
        raise BoardError(str(error))
    made.baud = made.first = config["baud"]
    if hasattr(box.buzzer, "driver"):  # the engine's own buzzer: what sounds it is the engine's driver
        box.buzzer.driver = made
    return made


def _input(config):
    if "pull" not in config:
        return machine.Pin(config["pin"], machine.Pin.IN)
    return machine.Pin(config["pin"], machine.Pin.IN, machine.Pin.PULL_UP if config["pull"] else machine.Pin.PULL_DOWN)


def _part(config, key, kinds, name):
    # The module of a part that only some boards have. By its name: an import would leave each one's on the heap.
    kind = config["kind"]
    if kind not in kinds.split():
        raise BoardError(key + ".kind must be one of " + kinds + ", not " + str(kind))
    return load("system.parts." + kind + name, True)


def _light(config):
    return _part(config, "light", "neopixel rgb plain", "_light").Light(config)


def _buzzer(config):
    if config["kind"] == "passive":
        return machine.PWM(machine.Pin(config["pin"]), freq=2000, duty_u16=0)
    return _part(config, "buzzer", "passive active engine", "_buzzer").Buzzer(config)


def _link(config, station, join):
    part = _part(config, "network", "wifi lan", "")
    return part.Link(station, join) if config["kind"] == "wifi" else part.Link(config)
