# The board: pins to objects. The only file that knows how this hardware is wired.
import asyncio

import esp32
import machine
import network
from micropython import const

_CPU_HZ = const(240_000_000)  # the ESP32 starts at 160 MHz
_NVS_NAMESPACE = "scanlatch"
_SCANLOG = "scanlog"
_TECHNICIAN_MS = const(600_000)  # watchdog limit once a person has stopped the program from the console
_TONE_DUTY = const(32768)  # half: the loudest a passive buzzer gets
_LINK_POLL_MS = const(100)


class BoardError(Exception):
    """The board has not what the firmware needs, or its file names it wrongly; says what to do."""


def nvs():
    """The key-value store of this product."""
    return esp32.NVS(_NVS_NAMESPACE)


def scanlog():
    """The partition that the journal lives on. Raises BoardError where it is missing."""
    found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label=_SCANLOG)
    if not found:
        raise BoardError("no partition " + _SCANLOG + ": flash this board again with our partition table")
    return found[0]


def radio_on():
    """Switch the radio on: without it `os.urandom` is not truly random on the ESP32, wired boards too."""
    station = network.WLAN(network.STA_IF)
    if not station.active():
        station.active(True)
    return station


class Board:
    """Objects for everything that is soldered on, made from the board file's tables (`board` in the settings)."""

    def __init__(self, config, wifi, wifi_password):
        if hasattr(machine, "freq"):
            machine.freq(_CPU_HZ)
        self.name = config["board"]["name"]
        self.rtc = machine.RTC()
        cause = machine.reset_cause()
        self.reset_cause = cause
        self.rtc_ran_on = cause in (machine.SOFT_RESET, machine.DEEPSLEEP_RESET)
        self.uart = Uart(config["uart"], config["engine"].get("baud", 9600))
        self.engine = config["engine"]
        self.light = _light(config.get("light", {}))
        self.tone = Tone(config["buzzer"]["pin"]) if "buzzer" in config else Silent()
        self.button = Button(config["button"]) if "button" in config else None
        radio_on()
        kind = config["network"]["kind"]
        if kind == "wifi":
            self.link = Wifi(wifi, wifi_password)
        elif kind == "lan":
            self.link = Lan(config["network"])
        else:
            raise BoardError("network.kind must be wifi or lan, not " + str(kind))

    def watchdog(self, timeout_ms):
        """Start the hardware watchdog. It can't be stopped again, only given more time (`release`)."""
        return machine.WDT(timeout=timeout_ms)

    def release(self):
        """A person took over at the console: give them ten minutes before the watchdog restarts the box."""
        machine.WDT(timeout=_TECHNICIAN_MS)

    def restart(self):
        machine.reset()


class Uart:
    """The scan engine's UART. `port` is what the engine drivers read and write."""

    def __init__(self, config, baud):
        self._config = config
        self.port = machine.UART(
            config["id"],
            baudrate=baud,
            tx=config["tx"],
            rx=config["rx"],
            rxbuf=config.get("rxbuf", 4096),  # a flash erase stops the loop for 45 ms and more
        )

    def set_baud(self, baud):
        """Change the speed (bits a second). Drops what was received and not read, as the chip does."""
        config = self._config
        self.port.init(baudrate=baud, tx=config["tx"], rx=config["rx"], rxbuf=config.get("rxbuf", 4096))


class NeoPixelLight:
    def __init__(self, pin, count):
        import neopixel

        self._pixels = neopixel.NeoPixel(machine.Pin(pin, machine.Pin.OUT), count)
        self._count = count

    def colour(self, red, green, blue):
        """0 to 255 each."""
        for i in range(self._count):
            self._pixels[i] = (red, green, blue)
        self._pixels.write()


class RgbLight:
    def __init__(self, pins, active_low):
        self._invert = active_low
        self._pwm = [machine.PWM(machine.Pin(pin), freq=1000, duty_u16=self._duty(0)) for pin in pins]

    def _duty(self, value):
        return (255 - value if self._invert else value) * 257

    def colour(self, red, green, blue):
        """0 to 255 each."""
        for pwm, value in zip(self._pwm, (red, green, blue)):
            pwm.duty_u16(self._duty(value))


class Tone:
    """A passive buzzer."""

    def __init__(self, pin):
        self._pwm = machine.PWM(machine.Pin(pin), freq=2000, duty_u16=0)

    def play(self, hz):
        self._pwm.freq(hz)
        self._pwm.duty_u16(_TONE_DUTY)

    def stop(self):
        self._pwm.duty_u16(0)


class Silent:
    """Where the board has no light or no buzzer."""

    def colour(self, red, green, blue):
        pass

    def play(self, hz):
        pass

    def stop(self):
        pass


def _light(config):
    kind = config.get("kind", "none")
    if kind == "neopixel":
        return NeoPixelLight(config["pin"], config.get("count", 1))
    if kind == "rgb":
        return RgbLight((config["red"], config["green"], config["blue"]), config.get("active_low", False))
    if kind == "none":
        return Silent()
    raise BoardError("light.kind must be neopixel, rgb or none, not " + str(kind))


class Button:
    def __init__(self, config):
        self._active_low = config.get("active_low", True)
        pin = config["pin"]
        # GPIO 34 to 39 of the ESP32 have no pull resistor.
        pull = None if pin >= 34 else (machine.Pin.PULL_UP if self._active_low else machine.Pin.PULL_DOWN)
        self._pin = machine.Pin(pin, machine.Pin.IN, pull)

    def down(self):
        return bool(self._pin.value()) != self._active_low


class Wifi:
    def __init__(self, ssid, password):
        self._ssid = ssid
        self._password = password
        self._station = radio_on()

    def connected(self):
        return self._station.isconnected()

    def rssi(self):
        """dBm, or None while not connected."""
        try:
            return self._station.status("rssi") if self.connected() else None
        except (OSError, ValueError):  # not every build knows it
            return None

    async def up(self, deadline_ms):
        """Connect. Returns whether it stands within `deadline_ms`."""
        if not self.connected():
            self._station.active(True)
            try:
                self._station.connect(self._ssid, self._password)
            except OSError:  # "already connecting": go on waiting for that
                pass
        return await _wait_for(self.connected, deadline_ms)


class Lan:
    def __init__(self, config):
        arguments = {}
        for name in ("mdc", "mdio", "power", "reset", "ref_clk"):
            if config.get(name) is not None:
                arguments[name] = machine.Pin(config[name])
        if config.get("ref_clk_mode") == "out":
            arguments["ref_clk_mode"] = machine.Pin.OUT
        arguments["phy_type"] = getattr(network, "PHY_" + config.get("phy", "LAN8720"))
        arguments["phy_addr"] = config.get("phy_addr", 0)
        self._lan = network.LAN(**arguments)

    def connected(self):
        return self._lan.isconnected()

    def rssi(self):
        return None

    async def up(self, deadline_ms):
        """Connect. Returns whether it stands within `deadline_ms`."""
        if not self._lan.active():
            self._lan.active(True)
        return await _wait_for(self.connected, deadline_ms)


async def _wait_for(true, deadline_ms):
    for _ in range(0, deadline_ms, _LINK_POLL_MS):
        if true():
            return True
        await asyncio.sleep_ms(_LINK_POLL_MS)
    return true()
