# The board: pins to objects. With `parts`, the only place that knows how this hardware is wired.
import asyncio

import esp32
import machine
import network
from micropython import const

_CPU_HZ = const(240_000_000)  # the ESP32 starts at 160 MHz
_TONE_DUTY = const(32768)  # half: the loudest a passive buzzer gets
_RXBUF = const(4096)  # a flash erase stops the loop for 45 ms and more
_LOOK_MS = const(100)
_NO_PULL_FROM = const(34)  # GPIO 34 to 39 have no pull resistor
_INPUT_ONLY_CHIPS = ("esp32", "esp32-pico-d4")  # on these chips


class BoardError(Exception):
    """The board has not what the firmware needs, or its file names it wrongly; says what to do."""


def nvs():
    """The key-value store of this product."""
    return esp32.NVS("scanlatch")


def scanlog():
    """The partition that the journal lives on. Raises BoardError where it is missing."""
    found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="scanlog")
    if not found:
        raise BoardError("no partition scanlog: flash this board again with our partition table")
    return found[0]


def radio_on():
    """Switch the radio on: without it `os.urandom` is not truly random on the ESP32, wired boards too."""
    station = network.WLAN(network.STA_IF)
    if not station.active():
        station.active(True)
    return station


def restart():
    """Start the box anew."""
    machine.reset()


def watchdog(timeout_ms):
    """Start the hardware watchdog, or give it another time. It can't be stopped again."""
    return machine.WDT(timeout=timeout_ms)


async def until(true, deadline_ms):
    """Wait until `true()`; whether it was within `deadline_ms`."""
    for _ in range(0, deadline_ms, _LOOK_MS):
        if true():
            return True
        await asyncio.sleep_ms(_LOOK_MS)
    return true()


class Board:
    """Objects for everything that is soldered on, made from the board file's tables (`board` in the settings).

    Attributes: uart, engine (its table), light, tone (this object where there is a buzzer), link, rtc.
    """

    def __init__(self, config, ssid, password):
        if hasattr(machine, "freq"):
            machine.freq(_CPU_HZ)
        self.name = config["board"]["name"]
        self.rtc = machine.RTC()
        self.reset_cause = machine.reset_cause()
        self.rtc_ran_on = self.reset_cause in (machine.SOFT_RESET, machine.DEEPSLEEP_RESET)
        self.engine = config["engine"]
        uart = config["uart"]
        self._wired = {"tx": uart["tx"], "rx": uart["rx"], "rxbuf": uart.get("rxbuf", _RXBUF)}
        self.uart = machine.UART(uart["id"], baudrate=self.engine.get("baud", 9600), **self._wired)
        self._buzzer = (
            machine.PWM(machine.Pin(config["buzzer"]["pin"]), freq=2000, duty_u16=0) if "buzzer" in config else None
        )
        self.light = self._light(config.get("light", {}))
        self._button = None
        if "button" in config:
            self._button = self._input(config["button"], config["board"]["chip"])
        radio_on()
        self.link = self._link(config["network"])(config["network"], ssid, password)

    def set_baud(self, baud):
        """Change the scan engine's speed (bits a second). Drops what was received and not read, as the chip does."""
        self.uart.init(baudrate=baud, **self._wired)

    def play(self, hz):
        if self._buzzer:
            self._buzzer.freq(hz)
            self._buzzer.duty_u16(_TONE_DUTY)

    def stop(self):
        if self._buzzer:
            self._buzzer.duty_u16(0)

    def colour(self, red, green, blue):
        """Where the board has no light."""

    def pressed(self):
        """Whether the button is down."""
        return self._button is not None and bool(self._button.value()) != self._active_low

    def _input(self, config, chip):
        self._active_low = config.get("active_low", True)
        pin = config["pin"]
        if pin >= _NO_PULL_FROM and chip in _INPUT_ONLY_CHIPS:
            return machine.Pin(pin, machine.Pin.IN)
        return machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP if self._active_low else machine.Pin.PULL_DOWN)

    def _light(self, config):
        kind = config.get("kind", "none")
        if kind == "neopixel":
            from scanlatch.system.parts.neopixel_light import Light
        elif kind == "rgb":
            from scanlatch.system.parts.rgb_light import Light
        elif kind == "none":
            return self
        else:
            raise BoardError("light.kind must be neopixel, rgb or none, not " + str(kind))
        return Light(config)

    def _link(self, config):
        if config["kind"] == "wifi":
            from scanlatch.system.parts.wifi import Link
        elif config["kind"] == "lan":
            from scanlatch.system.parts.lan import Link
        else:
            raise BoardError("network.kind must be wifi or lan, not " + str(config["kind"]))
        return Link
