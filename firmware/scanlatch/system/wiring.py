# Makes the board's objects from its file's tables: needed once, at the start.
import machine
from micropython import const

from scanlatch.system.board import Board, BoardError, radio_on

_CPU_HZ = const(240_000_000)  # the ESP32 starts at 160 MHz
_RXBUF = const(4096)  # a flash erase stops the loop for 45 ms and more
_NO_PULL_FROM = const(34)  # GPIO 34 to 39 have no pull resistor
_INPUT_ONLY_CHIPS = ("esp32", "esp32-pico-d4")  # on these chips


def board(config, ssid, password):
    """The Board of the tables `config` (`board` in the settings). Raises BoardError."""
    if hasattr(machine, "freq"):
        machine.freq(_CPU_HZ)
    uart = config["uart"]
    wired = {"tx": uart["tx"], "rx": uart["rx"], "rxbuf": uart.get("rxbuf", _RXBUF)}
    port = machine.UART(uart["id"], baudrate=config["engine"].get("baud", 9600), **wired)
    buzzer = button = None
    if "buzzer" in config:
        buzzer = machine.PWM(machine.Pin(config["buzzer"]["pin"]), freq=2000, duty_u16=0)
    light = _light(config.get("light", {}))
    active_low = True
    if "button" in config:
        active_low = config["button"].get("active_low", True)
        button = _input(config["button"]["pin"], active_low, config["board"]["chip"])
    radio_on()
    link = _link(config["network"], ssid, password)
    return Board(port, wired, light, link, button, active_low, buzzer)


def woken():
    """(reset cause, RTC, whether the RTC ran on since it was last set)."""
    cause = machine.reset_cause()
    return cause, machine.RTC(), cause in (machine.SOFT_RESET, machine.DEEPSLEEP_RESET)


def engine(kind, box, clock):
    """The driver of the scan engine `kind`. Raises BoardError."""
    from scanlatch.read import engines

    try:
        return engines.driver(kind, box.uart, clock, box.set_baud)
    except ValueError as error:
        raise BoardError(str(error))


def _input(pin, active_low, chip):
    if pin >= _NO_PULL_FROM and chip in _INPUT_ONLY_CHIPS:
        return machine.Pin(pin, machine.Pin.IN)
    return machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP if active_low else machine.Pin.PULL_DOWN)


def _light(config):
    kind = config.get("kind", "none")
    if kind == "none":
        return None
    if kind == "neopixel":
        from scanlatch.system.parts.neopixel_light import Light
    elif kind == "rgb":
        from scanlatch.system.parts.rgb_light import Light
    else:
        raise BoardError("light.kind must be neopixel, rgb or none, not " + str(kind))
    return Light(config)


def _link(config, ssid, password):
    if config["kind"] == "wifi":
        from scanlatch.system.parts.wifi import Link
    elif config["kind"] == "lan":
        from scanlatch.system.parts.lan import Link
    else:
        raise BoardError("network.kind must be wifi or lan, not " + str(config["kind"]))
    return Link(config, ssid, password)
